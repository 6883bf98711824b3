"""A real MLflow server that is stopped in the midst of a trial, and what the fake one claims to do."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers import MlflowServer, mlflow_server
from tests.tracking.made_up import fold_results, montage_png, sweep_info, trial_info
from tracking.attempt import Attempt
from tracking.record import TrialInfo
from tracking.recording.contract import Ending
from tracking.recording.spool import undelivered
from tracking.recording.spooled import SpooledRecorder
from tracking.store import schema
from tracking.store.connection import fail_soon
from tracking.store.writer import Tracker
from trainer.errors import LeaseLost

TRIAL, SMALLER = trial_info("shallow-first", 5, 12), trial_info("shallow-first", 5, 6)
RESULTS = fold_results(TRIAL)


def recorder(server: MlflowServer, home: Path, said: list[tuple[float, str]]) -> SpooledRecorder:
    tracker = Tracker.connect(server.address)
    sweep = tracker.open_sweep(sweep_info())

    def tell(text: str) -> None:
        said.append((time.time(), text))

    return SpooledRecorder(tracker, sweep, home / "spool" / "demo", tell, (6, 12), patience=60, pause=0.2)


def content(info: TrialInfo, fold: int, epochs: int) -> bytes:
    return f"{info.candidate.training} {fold} {epochs}".encode() * 99


@pytest.mark.slow
def test_a_server_that_goes_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "1")  # put back at the end
    fail_soon()
    said: list[tuple[float, str]] = []
    with mlflow_server(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}") as server:
        first = recorder(server, tmp_path / "one", said)
        trial = first.open(TRIAL, Attempt(4))
        assert list(trial.kept(1)) == []
        for result in RESULTS[:2]:
            trial.fold(replace(result, epochs=6), lambda result=result: content(TRIAL, result.fold, 6))  # type: ignore[misc]
            trial.fold(result, lambda result=result: content(TRIAL, result.fold, 12))  # type: ignore[misc]
        assert not said and trial.page.startswith(server.address)

        second = recorder(server, tmp_path / "two", said)  # takes the trial over, while the first knows nothing of it
        taken = second.open(TRIAL, Attempt(7, first=False))
        for fold in (1, 2):
            assert list(taken.kept(fold)) == [content(TRIAL, fold, epochs) for epochs in (12, 6)]
        assert list(taken.kept(3)) == []
        with pytest.raises(LeaseLost):
            trial.fold(RESULTS[2], lambda: None)
        first.close()

        server.stop()
        gone = time.time()
        for result in RESULTS:
            taken.fold(result, lambda result=result: content(TRIAL, result.fold, 12))  # type: ignore[misc]
        weights = [("fold_1.npz", b"weights")]
        taken.finish(Ending(RESULTS, montage_png(), {"am/1/0": montage_png()}, b"packed", weights))
        told, (when, text) = time.time(), said[0]
        assert when - gone < 10 and "Training goes on" in text and len(said) == 1
        (waiting,) = undelivered(tmp_path / "two")
        assert waiting.count == 6 and waiting.alive and waiting.sweep == "demo"

        server.start()
        second.close()
        assert said[-1][1].startswith("MLflow answers again") and list(undelivered(tmp_path / "two")) == []
        check(Tracker.connect(server.address), told)
        smaller = recorder(server, tmp_path / "three", said)
        assert list(smaller.open(SMALLER, Attempt(9)).kept(2)) == [content(TRIAL, 2, 6)]
        smaller.close()
        identical_points_are_written_once(Tracker.connect(server.address))


def check(tracker: Tracker, told: float) -> None:
    """One run, every point once, at the time at which it was told, and no file that nobody needs any more."""
    (sweep,) = tracker._sweeps()
    (run,) = tracker.runs_of(sweep.info.run_id, TRIAL.candidate)
    (state,) = tracker.trials(sweep.info.run_id).values()
    assert (run.info.status, state.folds, run.data.tags["thaw.attempt"]) == ("FINISHED", 5, "7")
    points = Counter(key for result in RESULTS for key, _, _ in schema.fold_metrics(result))
    for key in ("loss/fold_1", "loss/fold_5", "dice/fold_3"):
        history = tracker.client.get_metric_history(run.info.run_id, key)
        assert len(history) == points[key] and max(point.timestamp for point in history) < told * 1000
    images = [file.path for file in tracker.client.list_artifacts(run.info.run_id, "images")]
    assert len(images) == 4
    assert tracker.files(run.info.run_id, "folds") == ("folds/00006",) or not tracker.files(
        run.info.run_id, "folds/00012"
    )
    assert "thaw.folds.12" not in run.data.tags and "thaw.folds.6" in run.data.tags


def identical_points_are_written_once(tracker: Tracker) -> None:
    """What the fake server claims."""
    (sweep,) = tracker._sweeps()
    run: Any = tracker.make_run(sweep.info.run_id, trial_info("deep-first", 2))
    for _ in range(2):
        tracker._log(run.info.run_id, [("loss", 0.5, step) for step in (1, 2)] + [("nan", float("nan"), 1)], at=5)
    for key, count in (("loss", 2), ("nan", 1)):
        assert len(tracker.client.get_metric_history(run.info.run_id, key)) == count
