"""Every Python snippet of the docs runs, and does what the text beside it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainer.data.pairing.pairs import Pair

ROOT = Path(__file__).parents[1]
Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def snippets(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def run(snippet: str, namespace: dict[str, Any]) -> dict[str, Any]:
    exec(compile(snippet, "docs", "exec"), namespace)
    return namespace


def test_each_snippet_is_run() -> None:
    counts = {path.name: len(snippets(path.name)) for path in (ROOT / "docs").glob("*.md")}
    assert {name: count for name, count in counts.items() if count} == {
        "own-data.md": 1,
        "record.md": 1,  # run in tests/tracking/store/test_score_tags.py
        "using-the-winner.md": 1,
        "writing-a-study.md": 3,
    }


def test_the_layout_of_your_own(tmp_path: Path) -> None:
    (example,) = snippets("own-data.md")
    pairs = run(example, {})["pairs"]
    assert pairs(tmp_path) is None
    for name in ("p01.v2.jpg", "p01.v2.png"):
        (tmp_path / name).touch()
    assert pairs(tmp_path) == [Pair("p01.v2", tmp_path / "p01.v2.jpg", (tmp_path / "p01.v2.png",), "", "p01")]


@pytest.mark.slow
def test_the_study_of_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, _, _ = snippets("writing-a-study.md")
    for written, quick in (('"ultrasound"', '"smoke"'), ("[12]", "[1]"), ("epochs=12", "epochs=1"), ("=20", "=2")):
        assert written in example
        example = example.replace(written, quick)
    monkeypatch.chdir(tmp_path)
    study = run(example, {})["study"]
    assert len(study.trials) == 2 and (tmp_path / "runs" / "sweeps" / "my-study" / "plan.json").exists()


@pytest.mark.slow
def test_the_champion_without_thaw(thaw_here: Thaw, smoke_home: Path, tmp_path: Path) -> None:
    (example,) = snippets("using-the-winner.md")
    home = tmp_path / "home"
    shutil.copytree(smoke_home, home, ignore=shutil.ignore_patterns("artifacts"))
    assert thaw_here("champion", "--home", home).returncode == 0
    Image.fromarray(np.zeros((50, 70), np.uint8)).save(tmp_path / "new.png")
    for written, here in (("/absolute/path/to/runs", str(home)), ("my-images", "phantoms")):
        assert written in example
        example = example.replace(written, here)
    # -I: neither the current folder nor PYTHONPATH is looked at, so thaw is not there to be found.
    command = [sys.executable, "-I", "-c", f"{example}\nprint(mask.dtype, mask.shape)"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "bool (32, 32)", done.stderr


def test_reading_a_record(smoke_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, example, _ = snippets("writing-a-study.md")
    assert '"my-sweep", home="runs"' in example
    run(example.replace('"my-sweep", home="runs"', f"home={str(smoke_home)!r}"), {})
    assert "zero-shot FINISHED" in capsys.readouterr().out


def test_masks_and_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    *_, example = snippets("writing-a-study.md")
    run(example, {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^print.*# (.+)$", example, re.MULTILINE)


def test_the_figure_is_taken_from_a_synthetic_report_only(smoke_home: Path, tmp_path: Path) -> None:
    (report,) = (smoke_home / "reports").rglob("report.html")
    real = tmp_path / "real.html"
    real.write_text(report.read_text().replace("SYNTHETIC DATA", ""))
    made = tmp_path / "curve.svg"
    taken, refused = (
        subprocess.run([sys.executable, ROOT / "docs" / "picture.py", page, made], capture_output=True, check=False)
        for page in (report, real)
    )
    assert taken.returncode == 0 and ElementTree.parse(made).getroot().tag.endswith("svg")
    assert refused.returncode == 1 and b"must be stamped SYNTHETIC DATA" in refused.stderr
