from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers import mlflow_server
from tests.tracking.made_up import fold_results, montage_png, record_trial, sweep_info, trial_info, trial_record
from tracking.image_scores import ImageScores
from tracking.store.writer import Tracker
from trainer.errors import UserError

CONTRACTING = trial_info("shallow-first", 5)


def test_the_same_name_for_other_data_is_refused(tracker: Tracker) -> None:
    run_id = tracker.open_sweep(sweep_info())
    assert tracker.open_sweep(sweep_info()) == run_id
    other = replace(
        sweep_info(), digest="a" * 64, data={"digest": "b" * 64}, spec={**sweep_info().spec, "train": {"batch": 8}}
    )
    with pytest.raises(
        UserError, match=r"'demo' was recorded with others: train\.batch 16 -> 8, other images\. .*--name"
    ):
        tracker.open_sweep(other)
    with pytest.raises(UserError, match=r"recorded with others: which ones the record does not tell"):
        tracker.open_sweep(replace(sweep_info(), digest="a" * 64))
    assert tracker.recorded("demo") == sweep_info()


def test_what_was_cut_off_before_it_was_recorded_is_refused_too(tracker: Tracker) -> None:
    tracker.client.delete_tag(tracker.open_sweep(sweep_info()), "thaw.recorded")
    assert tracker.recorded("demo") is None
    with pytest.raises(UserError, match=r"'demo' was begun with others, and cut off .*--name"):
        tracker.open_sweep(replace(sweep_info(), digest="a" * 64))


def test_to_ask_for_a_sweep_makes_nothing(tracker: Tracker) -> None:
    before = len(tracker.client.search_experiments())
    assert tracker.recorded("demo") is None
    assert len(tracker.client.search_experiments()) == before


def test_a_grown_space_is_stored_under_the_same_run(tracker: Tracker) -> None:
    run_id = tracker.open_sweep(sweep_info())
    grown = replace(sweep_info(), spec={"space": {"epochs": [6, 12, 24]}})
    assert tracker.open_sweep(grown) == run_id
    assert tracker.read_sweep("demo").info.spec == grown.spec
    assert len(tracker.client.search_runs([tracker.client.get_run(run_id).info.experiment_id])) == 1


def test_an_experiment_of_someone_else_is_left_alone(tracker: Tracker) -> None:
    tracker.client.create_experiment("demo")
    for ask in (lambda: tracker.open_sweep(sweep_info()), lambda: tracker.recorded("demo")):
        with pytest.raises(UserError, match=r"not made by thaw\. Choose another --name"):
            ask()


def test_a_deleted_experiment_is_explained(tracker: Tracker) -> None:
    run_id = tracker.open_sweep(sweep_info())
    tracker.client.delete_experiment(tracker.client.get_run(run_id).info.experiment_id)
    with pytest.raises(UserError, match="deleted in MLflow"):
        tracker.open_sweep(sweep_info())


def test_pretraining_is_recorded_once(tracker: Tracker) -> None:
    ids = {tracker.record_pretraining("c" * 64, {"images": 500}, [0.9, 0.5], [0.8, 0.6]) for _ in range(2)}
    assert len(ids) == 1
    (run_id,) = ids
    for metric, curve in (("loss", [0.9, 0.5]), ("held_out_dice", [0.8, 0.6])):
        assert [point.value for point in tracker.client.get_metric_history(run_id, metric)] == curve
    assert tracker.client.get_run(run_id).data.params["images"] == "500"


@pytest.mark.slow
def test_a_real_server_gives_the_same_bits_and_keeps_the_artifacts(tmp_path: Path, empty_store: Path) -> None:
    shutil.copy(empty_store, tmp_path / "server.db")  # made by one process: the server's own would race to create it
    with mlflow_server(tmp_path, f"sqlite:///{tmp_path / 'server.db'}") as server:
        tracker = Tracker.connect(server.address)
        sweep = tracker.open_sweep(sweep_info())
        results = [replace(result, scores=result.scores[-1:]) for result in fold_results(CONTRACTING)]
        run_id = tracker.open_trial(sweep, CONTRACTING)
        for result in results:
            tracker.log_fold(run_id, result)
        tracker.finish_trial(run_id, results, montage_png())
        whole = record_trial(tracker, sweep, trial_info("deep-first", 4))
        trials = {trial.run_id: trial for trial in tracker.read_sweep("demo").trials}
    assert isinstance(trials[whole].scores, ImageScores)  # from its tags, and the other from its artifact
    assert repr(trials[whole].scores) == repr(trial_record(trial_info("deep-first", 4)).scores)
    trial = trials[run_id]
    # Fold 3 has no lesion left: its Dice is NaN, and must come back as NaN over HTTP too.
    assert repr(trial.folds["dice"]) == repr(tuple(result.mean("dice") for result in results))
    assert "nan" in repr(trial.folds["dice"])
    assert len(trial.scores) == 5
    assert list((tmp_path / "mlflow" / "artifacts").rglob("scores.json"))


def test_finish_sweep_closes_it_with_verdict_and_page(tracker: Tracker) -> None:
    run_id = tracker.open_sweep(sweep_info())
    tracker.finish_sweep(run_id, "shallow better", "<p>page</p>")
    run = tracker.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.note.content"].startswith("shallow better\n")
    assert {file.path for file in tracker.client.list_artifacts(run_id)} == {
        "report.html",
        "spec.json",
        "folds.json",
        "info.json",
    }
    assert run.inputs is not None
    assert run.inputs.dataset_inputs[0].dataset.digest == "e" * 16


def test_the_runs_that_the_answer_names_are_tagged_and_lose_the_tag_when_it_changes(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    first, second, third = (record_trial(tracker, sweep, trial_info("shallow-first", depth)) for depth in (1, 2, 3))

    def tagged() -> dict[str, str]:
        runs = {run_id: tracker.client.get_run(run_id).data.tags for run_id in (first, second, third)}
        return {run_id: tags["thaw.choice"] for run_id, tags in runs.items() if "thaw.choice" in tags}

    for choice in ({first: "winner", second: "cheapest choice"}, {second: "winner, cheapest choice"}, {}):
        tracker.finish_sweep(sweep, "shallow better", choice=choice)
        assert tagged() == choice


def test_the_sweep_is_described_with_its_views_from_its_first_moment_on(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    experiment = tracker.client.get_run(sweep).info.experiment_id

    def tags() -> dict[str, str]:
        return dict(tracker.client.get_experiment(experiment).tags)

    for page in (tracker.trials_page(sweep), tracker.images_page(sweep)):
        key = re.findall(r"viewStateShareKey=(\w+)", page)[0]
        assert json.loads(tags()[f"mlflow.sharedViewState.{key}"])["state"]
        assert f"]({page[1:]})" in tags()["mlflow.note.content"]
    assert "no verdict yet. Synthetic data" in tags()["mlflow.note.content"]
    for order in ("shallow-first", "deep-first"):
        run_id = tracker.open_trial(sweep, trial_info(order, 5))
        tracker.log_neurons(run_id, {"am/5/10": montage_png(), "am/5/9": montage_png()})
        tracker.finish_trial(run_id, fold_results(trial_info(order, 5)), b"")
    tracker.finish_sweep(sweep, "shallow better")
    state = json.loads(json.loads(tags()["mlflow.sharedViewState.pictures"])["state"])
    assert ["am/5/9", "am/5/10"] in [chart.get("imageKeys") for chart in state["compareRunCharts"]]
    assert tags()["mlflow.note.content"].endswith("\n\nshallow better")


def test_a_trials_page_is_where_the_ui_shows_it(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    run_id = record_trial(tracker, sweep, CONTRACTING)
    experiment = tracker.client.get_run(sweep).info.experiment_id
    assert tracker.trial_page(sweep, run_id) == f"http://127.0.0.1:5000/#/experiments/{experiment}/runs/{run_id}"


def test_a_trial_says_what_it_is(tracker: Tracker) -> None:
    run_id = record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    note = tracker.client.get_run(run_id).data.tags["mlflow.note.content"]
    assert re.fullmatch(
        r"1-5 \(contracting\), fine-tuned for 12 epochs at learning rate 0\.001\. \*\*Dice 0\.\d{3} ± 0\.\d{3}\*\* "
        r"\(SD over 5 folds\); 295,360 trained parameters\. Synthetic data: no claim about real images\.",
        note,
    )
