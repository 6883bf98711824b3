"""What a finished sweep left in MLflow is enough to predict again what it scored: bases, deltas and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.environment.home import open_home
from sweeps.planning.plan import read_plan
from sweeps.run.load_cross_validation import load_cross_validation
from tracking.record import SweepRecord
from tracking.store.writer import Tracker
from trainer.network.delta_checkpoints import read_delta, restore
from trainer.network.unet import unet
from trainer.training.distances import distances
from trainer.training.metrics import THRESHOLD, score
from trainer.training.steps.prediction import predict


@pytest.fixture(scope="module")
def tracker(smoke_home: Path) -> Tracker:
    return Tracker.connect(f"sqlite:///{smoke_home / 'mlflow.db'}", smoke_home / "artifacts")


@pytest.fixture(scope="module")
def record(tracker: Tracker) -> SweepRecord:
    return tracker.read_sweep()


def downloaded(tracker: Tracker, run_id: str, path: str, to: Path) -> Path:
    to.mkdir(exist_ok=True)
    return Path(tracker.client.download_artifacts(run_id, path, str(to)))


def test_both_starts_are_kept_once(tracker: Tracker, record: SweepRecord) -> None:
    assert len(tracker.files(record.run_id, "bases")) == 2
    assert f"bases/{record.info.weights['digest']}.weights.h5" in tracker.files(record.run_id, "bases")


def test_every_fold_that_is_kept_is_restored_to_its_recorded_scores(
    tracker: Tracker, record: SweepRecord, smoke_home: Path, tmp_path: Path
) -> None:
    home = open_home(smoke_home)
    plan = read_plan(home, record.info.name)
    folds_of = load_cross_validation(home, plan).folds
    network = unet(plan.resolved.settings.model)
    trained = [trial for trial in record.finished if trial.info.candidate.epochs]
    kept = [trial for trial in trained if tracker.files(trial.run_id, "checkpoints")]
    assert 1 <= len(kept) < len(trained)  # keep = "best"
    for trial in kept:
        paths = sorted(downloaded(tracker, trial.run_id, "checkpoints", tmp_path / trial.run_id).iterdir())
        assert [path.name for path in paths] == ["fold_1.npz", "fold_2.npz"]
        for fold, path in zip(folds_of(trial.info.candidate), paths, strict=True):
            name = f"bases/{read_delta(path).base}.weights.h5"
            restore(network, downloaded(tracker, record.run_id, name, tmp_path / "bases"), path)
            known = json.dumps([vars(image_score) for number, image_score in trial.scores if number == fold.number])
            probability = predict(network, fold.test_x)
            cases = zip(fold.names, fold.labels, fold.test_y, probability, strict=True)
            again = [
                replace(score(*of), **distances(of[2] == 1, of[3] > THRESHOLD, tolerance=1)._asdict()) for of in cases
            ]
            assert json.dumps([vars(image_score) for image_score in again]) == known
