"""The command `thaw report`: what is printed, what is written where, and that nothing is summarised twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sweeps.commands.report import make_report
from tests.tracking.made_up import record_trial, sweep_info, trial_info
from tracking.analysis.verdict import Verdict, judge
from tracking.store.writer import Tracker
from trainer.errors import UserError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two sweeps of two masks."""
    tracker = Tracker.connect(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    for name in ("one", "two"):
        sweep = tracker.open_sweep(sweep_info(name))
        for mask in (trial_info("shallow-first", 5), trial_info("deep-first", 4)):
            record_trial(tracker, sweep, mask)
    (tmp_path / "home.json").write_text('{"version": 1}')
    return tmp_path


def test_numbers_are_printed_and_a_page_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_report(home, "one", (), "json", None)
    assert json.loads(capsys.readouterr().out)["sweep"] == "one"
    make_report(home, "one", (), "html", None)
    (page,) = (home / "reports" / "one").iterdir()
    assert page.name == "report.html" and "<h1>" in page.read_text()


@pytest.mark.parametrize(("other", "summaries"), [(None, 1), ("two", 2)])
def test_figures_go_beside_the_report_from_one_summary_per_sweep(
    home: Path, monkeypatch: pytest.MonkeyPatch, other: str | None, summaries: int
) -> None:
    judged: list[Verdict] = []

    def counting(*given: Any) -> Verdict:
        judged.append(judge(*given))
        return judged[-1]

    monkeypatch.setattr("tracking.summary.sweep.judge", counting)
    make_report(home, "one", [other] if other else [], "markdown", home / "out")
    assert len(judged) == summaries
    names = {path.name for path in (home / "out").iterdir()}
    assert {"report.md", "comparisons.svg", "figure-4-curve.png"} <= names


def test_an_unknown_format_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match="--format must be one of html, json, csv, markdown, methods, but got 'pdf'"):
        make_report(home, "one", (), "pdf", None)
