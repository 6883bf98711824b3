"""The command line: quick to start, and what it prints."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def test_masks_prints_the_numbers_of_the_protocol(thaw: Thaw) -> None:
    done = thaw("masks")
    assert done.returncode == 0 and done.stderr == ""
    for number in ("31,377,793 parameters in 9 blocks", "37,568", "14,157,824", "147,649", "contracting, shallow-5"):
        assert number in done.stdout


def test_dry_run_trains_nothing(thaw: Thaw, tmp_path: Path) -> None:
    done = thaw("run", "ultrasound", "--dry-run", "--home", tmp_path, "--set", "data.images=10")
    assert done.returncode == 0 and done.stderr == ""
    for words in ("37 (every mask", "95 (one per fold", "minutes     at most about", "294,904", "SYNTHETIC"):
        assert words.lower() in done.stdout.lower()
    assert not (tmp_path / "ledger").exists() and not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("form", "words"), [("markdown", "# Sweep smoke"), ("csv", "mask,role,start"), ("json", '"verdict"')]
)
def test_report_formats(thaw: Thaw, smoke_home: Path, form: str, words: str) -> None:
    done = thaw("report", "--format", form, "--home", smoke_home)
    assert done.returncode == 0 and words in done.stdout


def test_data_check_tells_and_draws(thaw: Thaw, tmp_path: Path) -> None:
    from tests.sweeps.test_bad_input import data_set, text_file

    folder = data_set(tmp_path / "set")
    done = thaw("data", "check", folder, "--out", tmp_path / "sheet.png")
    assert done.returncode == 0 and "ready to use" in done.stdout and (tmp_path / "sheet.png").stat().st_size > 1000
    text_file(folder)
    (folder / "masks" / "p4.png").unlink()
    done = thaw("data", "check", folder, "--out", tmp_path / "sheet.png")
    assert done.returncode == 2 and "p1.png" in done.stdout and "p4.png" in done.stdout
