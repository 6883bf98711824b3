"""Whose weights a finished sweep has kept: in its ledger, in MLflow and in what is said, always the same few."""

from __future__ import annotations

import os
from pathlib import Path

from sweeps.environment.home import Home
from sweeps.run.holdings import held_by
from tracking.analysis.seeds import read
from tracking.best_mask.answer import best_mask
from tracking.best_mask.in_the_running import named_runs
from tracking.store.writer import Tracker


def test_the_weights_of_those_that_the_answer_names_stay_and_all_scores(smoke_home: Path) -> None:
    home = Home(smoke_home)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    record = tracker.read_sweep()
    reading = read(record)
    named = named_runs(reading, best_mask(reading))
    assert 0 < len(named) < len(record.finished) - 1
    assert {state.run_id for state in tracker.with_weights(record.run_id)} == set(named)
    for trial in record.finished:
        there = tracker.local_file(trial.run_id, "checkpoints/fold_1.npz") is not None
        assert there == (trial.run_id in named), trial.info.candidate.name
        assert tracker.local_file(trial.run_id, "predictions.npz") is not None and len(trial.scores)
    held = held_by(home, record.info.name)
    assert {one.candidate for one in held} == {
        trial.info.candidate for trial in record.finished if trial.run_id in named
    }
    shared = list(home.ledger.glob("*/*/*.weights"))
    assert len(shared) == len(record.info.folds) * len(named) and all(os.stat(path).st_nlink == 2 for path in shared)
    assert not list(home.ledger.glob("*/*/state.npz"))
    assert "Weights kept: " in (smoke_home / "said.txt").read_text()
