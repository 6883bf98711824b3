"""How a sweep ends: one summary, and page, verdict and table that agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweeps.commands.finish import show
from sweeps.environment.home import open_home
from tests.tracking.made_up import record_trial, sweep_info, trial_info
from tracking.analysis.verdict import Verdict, judge
from tracking.store.writer import Tracker
from tracking.summary.sweep import summarise


def test_everything_that_is_said_at_the_end_comes_from_one_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = open_home(tmp_path)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    run_id = tracker.open_sweep(sweep_info("one"))
    for mask in (trial_info("shallow-first", 5), trial_info("deep-first", 4)):
        record_trial(tracker, run_id, mask)
    judged: list[Verdict] = []

    def counting(*given: Any) -> Verdict:
        judged.append(judge(*given))
        return judged[-1]

    monkeypatch.setattr("tracking.summary.sweep.judge", counting)
    show(home, "one", searched=False)
    sentence = summarise(tracker.read_sweep("one")).verdict.sentence
    assert len(judged) == 2  # one of them is this test's
    output = capsys.readouterr()
    assert sentence in (output.out + output.err)
    page = (home.report("one") / "report.html").read_text()
    assert sentence.partition(": ")[2][1:40] in page and tracker.read_sweep("one").status == "FINISHED"
