"""The command line: quick to start, and what it prints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from docs.make_commands import commands
from sweeps.cli import app, main
from sweeps.environment.home import open_home

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def test_masks_prints_the_numbers_of_the_protocol_and_not_a_word_of_the_libraries_beneath(thaw: Thaw) -> None:
    done = thaw("masks")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("31,377,793 parameters in 9 blocks", "37,568", "14,157,824", "147,649", "contracting, shallow-5"):
        assert word in done.stdout


def test_masks_of_convolutions(thaw_here: Thaw) -> None:
    done = thaw_here("masks", "--unit", "conv", "--head", "always")
    for word in ("in 18 convolutions", "1-9   │ contracting", "always", "9,403,905"):
        assert word in done.stdout


@pytest.mark.slow
def test_dry_run_trains_nothing(thaw: Thaw, tmp_path: Path) -> None:
    done = thaw("run", "ultrasound", "--dry-run", "--home", tmp_path, "--set", "data.images=10")
    assert done.returncode == 0 and done.stderr == ""
    for words in ("37 (every mask", "90 (one per fold", "minutes     about", "294,904", "SYNTHETIC"):
        assert words.lower() in done.stdout.lower()
    assert not (tmp_path / "ledger").exists() and not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("form", "words"), [("markdown", "# Sweep smoke"), ("csv", "mask,role,start"), ("json", '"verdict"')]
)
def test_report_formats(thaw_here: Thaw, smoke_home: Path, form: str, words: str) -> None:
    done = thaw_here("report", "--format", form, "--home", smoke_home)
    assert done.returncode == 0 and words in done.stdout


@pytest.mark.slow
def test_visualize_draws_neurons_before_and_after(thaw_here: Thaw, tmp_path: Path) -> None:
    from PIL import Image

    from trainer.config import ModelConfig
    from trainer.network.unet import unet

    before, after, out = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5", tmp_path / "neurons.png"
    for seed, path in ((1, before), (2, after)):
        unet(ModelConfig(size=32, filters=2), seed=seed).save_weights(path)
    given = ("visualize", before, "--size", 32, "--width", 2, "--home", tmp_path, "--out", out)
    done = thaw_here(*given, "--after", after, "--blocks", "1-2", "--only", "0,1")
    assert done.returncode == 0 and done.stderr == ""
    with Image.open(out) as sheet:
        assert sheet.width > 4 * 128
    assert "filters 0 to 1, but got filter 2" in thaw_here(*given, "--blocks", "1", "--filters", 3).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.weights.h5"], "There is no model file"),
        (["nothing.keras"], "There is no model file"),
        (["picture.png"], "There is no home of thaw"),
    ],
)
def test_visualize_names_what_is_missing(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["thaw", "visualize", *words, "--home", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert message in capfd.readouterr().err


def test_data_check_tells_and_draws(thaw_here: Thaw, tmp_path: Path) -> None:
    from tests.sweeps.test_bad_input import data_set, text_file

    folder = data_set(tmp_path / "set")
    done = thaw_here("data", "check", folder, "--out", tmp_path / "sheet.png")
    assert done.returncode == 0 and "ready to use" in done.stdout and (tmp_path / "sheet.png").stat().st_size > 1000
    text_file(folder)
    (folder / "masks" / "p4.png").unlink()
    done = thaw_here("data", "check", folder, "--out", tmp_path / "sheet.png")
    assert done.returncode == 2 and "p1.png" in done.stdout and "p4.png" in done.stdout


def test_a_dashboard_needs_its_extra_a_home_and_a_search(thaw_here: Thaw, tmp_path: Path) -> None:
    no_home = thaw_here("dashboard", "--home", tmp_path)
    assert no_home.returncode == 2 and "There is no home of thaw" in no_home.stderr
    open_home(tmp_path)
    no_search = thaw_here("dashboard", "--home", tmp_path)
    installed = find_spec("optuna_dashboard") is not None
    message = "No search was run" if installed else "make setup EXTRAS=dashboard"
    assert no_search.returncode == 2 and message in no_search.stderr


@pytest.mark.parametrize(("words", "command"), list(commands("thaw", get_command(app))))
def test_every_command_argument_and_option_is_explained(words: str, command: Any) -> None:
    texts = [command.help, *(parameter.help for parameter in command.params)]
    assert all(re.match(r"[A-Za-z].{10,}", text or "") for text in texts), words
    assert not re.search(r"\b(pictures?|study|mend|lacks?)\b", " ".join(texts))


def test_the_help_can_install_completion(thaw_here: Thaw) -> None:
    assert "--install-completion" in thaw_here("--help").stdout
