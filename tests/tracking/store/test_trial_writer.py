from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, montage_png, record_trial, sweep_info, trial_info
from tracking.record import METRICS
from tracking.store import schema
from tracking.store.score_tags import TAG
from tracking.store.writer import Tracker
from trainer.results import DISTANCES

CONTRACTING = trial_info("shallow-first", 5)


def test_a_fold_with_more_epochs_than_one_batch_holds_is_whole(tracker: Tracker) -> None:
    result = replace(fold_results(CONTRACTING)[0], losses=tuple(float(i) for i in range(1500)))
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    tracker.log_fold(run_id, result)
    history = tracker.client.get_metric_history(run_id, "loss/fold_1")
    assert [point.step for point in history] == list(range(1, 1501))
    assert [point.value for point in history] == list(result.losses)


def test_logging_a_fold_or_a_trial_twice_adds_nothing(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    first, second = (record_trial(tracker, sweep, CONTRACTING) for _ in range(2))
    assert first == second
    for key, points in (("dice/fold_1", 1), ("loss/fold_1", 12), ("dice", 1)):
        assert len(tracker.client.get_metric_history(first, key)) == points
    assert len(tracker.client.list_artifacts(first, "images")) == 2  # one image, full and small


def test_a_crash_between_losses_and_scores_is_fixed(tracker: Tracker) -> None:
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    result = fold_results(CONTRACTING)[0]
    tracker._log(run_id, [("loss/fold_1", loss, epoch) for epoch, loss in enumerate(result.losses[:7], 1)])
    tracker.log_fold(run_id, result)
    assert [point.step for point in tracker.client.get_metric_history(run_id, "loss/fold_1")] == list(range(1, 13))


def test_final_weights_are_kept_as_checkpoints(tracker: Tracker, tmp_path: Path) -> None:
    run_id = record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    folder = Path(tracker.client.download_artifacts(run_id, "checkpoints", str(tmp_path)))
    assert sorted(file.name for file in folder.iterdir()) == [f"fold_{fold}.npz" for fold in range(1, 6)]
    assert (folder / "fold_3.npz").read_bytes() == bytes([3])


def test_summary_metrics_and_empty_truths(tracker: Tracker) -> None:
    run_id = record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    metrics = tracker.client.get_run(run_id).data.metrics
    folds = [result.mean("dice") for result in fold_results(CONTRACTING)]
    assert metrics["dice"] == pytest.approx(np.mean(folds))
    assert metrics["dice_sd"] == pytest.approx(np.std(folds, ddof=1))
    assert metrics["dice_sem"] == pytest.approx(np.std(folds, ddof=1) / np.sqrt(5))
    assert metrics["empty_truths"] == 1
    assert metrics["empty_truths_false_positive_percent"] == pytest.approx(100 * 40 / 4096)


@pytest.mark.parametrize("end", ["failed", "lost", "cut off"])
def test_one_run_per_candidate_whatever_became_of_it(tracker: Tracker, end: str) -> None:
    sweep = tracker.open_sweep(sweep_info())
    run_id = tracker.open_trial(sweep, CONTRACTING)
    if end == "failed":
        tracker.fail_trial(run_id, "the loss is not finite")
        assert tracker.trials(sweep)[CONTRACTING.candidate.key].status == "FAILED"
        assert tracker.read_sweep().trials[0].reason == "the loss is not finite"
    if end == "lost":
        assert tracker.close_lost(sweep) == 1
        assert tracker.trials(sweep)[CONTRACTING.candidate.key].status == "KILLED"
    assert record_trial(tracker, sweep, CONTRACTING) == run_id
    state = tracker.trials(sweep)
    assert [one.status for one in state.values()] == ["FINISHED"]
    assert state[CONTRACTING.candidate.key].dice == tracker.client.get_run(run_id).data.metrics["dice"]


def test_a_fold_recorded_before_distances_were_gets_them_and_nothing_twice(tracker: Tracker) -> None:
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    (first, *_) = fold_results(CONTRACTING)
    for name, value, step in schema.fold_metrics(first):
        if not name.startswith(DISTANCES):
            tracker.client.log_metric(run_id, name, value, step=step)
    for _ in range(2):
        tracker.log_fold(run_id, first)
    metrics = tracker.client.get_run(run_id).data.metrics
    assert [metrics[f"{name}/fold_1"] for name in METRICS] == [first.mean(name) for name in METRICS]
    for name in ("loss", *METRICS):
        assert len(tracker.client.get_metric_history(run_id, f"{name}/fold_1")) == (12 if name == "loss" else 1)


def test_a_trial_that_is_finished_again_leaves_no_tag_of_before(tracker: Tracker) -> None:
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    for number in (1, 2):
        tracker.client.set_tag(run_id, f"{TAG}{number}", "of a longer record")
    tracker.finish_trial(run_id, fold_results(CONTRACTING), b"")
    tags = tracker.client.get_run(run_id).data.tags
    assert [tag for tag in tags if tag.startswith(TAG)] == [f"{TAG}0"]
    assert tags[schema.VERSION_TAG] == str(schema.TRIAL_VERSION)


def test_images_are_logged_once_under_their_keys_and_all_at_one_step(tracker: Tracker) -> None:
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    for keys in (("am/1/0",), ("am/1/0", "am/5/12")):
        tracker.log_neurons(run_id, dict.fromkeys(keys, montage_png()))
    tracker.finish_trial(run_id, fold_results(CONTRACTING), montage_png())
    names = sorted(Path(file.path).name for file in tracker.client.list_artifacts(run_id, "images"))
    assert [name.split("+timestamp")[0] for name in names if name.endswith(".png")] == [
        "am~1~0+step+0",
        "am~5~12+step+0",
        "montage+step+0",
    ]


def test_columns_sort_as_text_and_the_cost_as_a_number(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    for order, depth, epochs in (("shallow-first", 1, 120), ("deep-first", 8, 6), ("shallow-first", 5, 12)):
        tracker.open_trial(sweep, trial_info(order, depth, epochs, 3e-5))
    experiment = tracker.client.get_run(sweep).info.experiment_id
    query = "tags.`thaw.kind` = 'trial'"
    columns = ("params.epochs", "tags.`thaw.epochs`", "params.depth", "metrics.trainable_params")
    by = {key: tracker.client.search_runs([experiment], query, order_by=[f"{key} ASC"]) for key in columns}
    asked = {key: [int(run.data.params["epochs"]) for run in runs] for key, runs in by.items()}
    assert asked["params.epochs"] == asked["tags.`thaw.epochs`"] == [6, 12, 120]
    assert asked["params.depth"] == [120, 12, 6]
    costs = [run.data.metrics["trainable_params"] for run in by["metrics.trainable_params"]]
    assert costs == sorted(costs) and len(set(costs)) == 3
    assert {run.data.params["learning_rate"] for run in by["params.epochs"]} == {"0.00003"}


def test_bytes_are_kept_once_and_a_half_written_file_is_replaced(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    tracker.log_bytes(sweep, "pictures.npz", b"hal")  # as a crash leaves it: there, but not marked as whole
    for content in (b"whole", b"never asked for"):
        tracker.log_once(sweep, "pictures.npz", lambda content=content: content)  # type: ignore[misc]
    assert tracker.read_file(sweep, "pictures.npz") == b"whole"
    assert tracker.read_file(sweep, "nothing.npz") is None
