"""Whole sweeps as a user starts them: nothing is paid for twice, nothing is lost, the numbers are always the same.

The launcher runs in this process, because importing Keras and MLflow takes longer than the sweep; its workers, and the
launchers that are killed, are processes of their own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from tests.sweeps.whole import by_candidate, numbers, report, runs, started, tracker, trained
from tests.tracking.made_up import rendered
from tracking.image_archive import unpack_images, unpack_masks
from tracking.report.paper_figures import figures_of_paper
from tracking.report.shown_images import with_images
from tracking.summary.sweep import summarise

pytestmark = pytest.mark.slow  # whole sweeps in processes of their own
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the finished sweep `s`: two masks at budgets 1 and 2 at first, grown by some tests."""
    home = tmp_path_factory.mktemp("grown")
    assert started(home, "--workers", "2").wait(300) == 0
    return home


def test_a_sweep_from_nothing(home: Path) -> None:
    assert runs(home) == {"FINISHED": 9 + 2}  # the sweep's own and the pre-training's
    assert len(trained(home)) == 2 * (2 * 4 + 1)  # two folds of four trainings at two budgets, and zero-shot


def test_masks_are_kept_in_the_order_of_their_scores(home: Path) -> None:
    store = tracker(home)
    record = store.read_sweep("s")
    kept = unpack_images(store.read_file(record.run_id, "pictures.npz") or b"")
    assert sorted(kept.names) == sorted(name for fold in record.info.folds for name in fold)
    truths = dict(zip(kept.names, kept.truths, strict=True))
    for trial in record.finished:  # zero-shot too
        masks = unpack_masks(store.read_file(trial.run_id, "predictions.npz") or b"")
        for (_, score), mask in zip(trial.scores, masks, strict=True):
            truth = truths[score.image]
            assert (score.tp, score.fp) == (int((mask & truth).sum()), int((mask & (1 - truth)).sum()))


def test_its_figures_come_from_the_record_alone(home: Path) -> None:
    store = tracker(home)
    record = with_images(store, store.read_sweep("s"))
    assert record.shown_images.notes == ()
    assert [one.number for one in figures_of_paper(summarise(record), record)] == [1, 2, 3, 4]  # it draws no neurons
    assert "Figure 3: Side by side" in rendered(record)


def test_the_same_sweep_again_trains_nothing_and_adds_no_run(run: Run, home: Path) -> None:
    before = runs(home), trained(home), numbers(report(home))
    ended = run(home)
    assert ended.returncode == 0 and "nothing to train" in ended.stdout
    assert (runs(home), trained(home), numbers(report(home))) == before


def test_fewer_images_train_those_trials_only_and_decide_nothing(run: Run, home: Path) -> None:
    before, table = trained(home), report(home)
    ended = run(home, "--set", "search.images=[4,8]")  # 8 is all there are
    assert ended.returncode == 0 and "4 of 13 trials to run" in ended.stdout
    assert "as if 4 of the 8 images were labelled: a fold trains on about 2 of them" in ended.stdout
    after, grown = trained(home), report(home)
    assert {path: after[path] for path in before} == before
    assert len(after) - len(before) == 2 * 2 * 2  # two folds of two masks at two budgets
    labelled = grown["labelled_images"]
    assert [point["trained"] for point in labelled["curves"][0]["points"]] == [[2.0, 2.0], [4.0, 4.0]]
    assert all(grown[key] == table[key] for key in ("trials", "best_mask", "verdict", "comparison"))
    assert "nothing to train" in run(home, "--set", "search.images=[4]").stdout


def test_one_more_mask_trains_that_mask_only(run: Run, home: Path) -> None:
    before = trained(home)
    ended = run(home, "--set", "search.masks=['1-5','6-9','1']")
    assert ended.returncode == 0 and "2 of 11 trials to run" in ended.stdout
    after = trained(home)
    assert {path: after[path] for path in before} == before
    assert len(after) - len(before) == 2 * 2  # two budgets of two folds


def test_a_larger_budget_continues_to_the_bits_of_one_straight_run(run: Run, home: Path, fresh: Path) -> None:
    before = trained(home)
    assert run(home, "--set", "search.epochs=[1,2,3]").returncode == 0
    after = trained(home)
    assert {path: after[path] for path in before} == before
    assert run(fresh, "--set", "search.epochs=[3]").returncode == 0
    grown, straight = (
        {
            (trial["mask"], trial["start"]): [trial[metric]["folds"] for metric in ("dice", "pixel_error", "ari")]
            for trial in report(place)["trials"]
            if trial["epochs"] == 3
        }
        for place in (home, fresh)
    )
    assert grown == straight and len(straight) == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["train.batch=3"], "train.batch 4 -> 3."),
        (["folds=3", "pretrain.epochs=2"], "folds 2 -> 3, other starting weights (pretrain.epochs 1 -> 2)."),
        (["data.seed=5"], "other images (data.seed 0 -> 5)."),
    ],
)
def test_a_name_stands_for_one_data_set_and_one_set_of_settings(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str], said: str
) -> None:
    def reached(*_: object) -> None:
        pytest.fail("pre-training was reached, though the clash is known before")

    monkeypatch.setattr("trainer.training.pretraining.starting_weights", reached)
    before = runs(home), trained(home), numbers(report(home))
    ended = run(home, *(word for setting in changed for word in ("--set", setting)))
    assert ended.returncode == 2
    assert "A sweep's name stands for one data set" in ended.stderr and "--name" in ended.stderr
    assert f"'s' was recorded with others: {said}" in ended.stderr
    assert (runs(home), trained(home), numbers(report(home))) == before


def test_other_weights_are_told_before_and_after_they_are_made(run: Run, home: Path) -> None:
    ended = run(home, "--set", "pretrain.seed=1")
    assert ended.returncode == 2
    assert "recorded with other pre-training (pretrain.seed 0 -> 1)" in ended.stdout
    assert "'s' was recorded with others: other starting weights (pretrain.seed 0 -> 1)." in ended.stderr


def test_mlflow_lost_and_ledger_kept_trains_nothing(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("mlflow.db*", "artifacts"))
    before = trained(copy)
    assert started(copy).wait(300) == 0
    assert trained(copy) == before and set(runs(copy)) == {"FINISHED"}
    assert by_candidate(copy).items() <= by_candidate(home).items() and len(by_candidate(copy)) == 9


def test_mlflow_lost_gives_a_search_back_without_training(run: Run, fresh: Path, tmp_path: Path) -> None:
    search = ["search.space=subsets", "search.strategy=random", "search.trials=8", "search.epochs=[1]"]
    sets = [word for setting in search for word in ("--set", setting)]
    whole, copy = fresh, tmp_path / "copy"
    run(whole, *sets)
    shutil.copytree(whole, copy, ignore=shutil.ignore_patterns("mlflow.db*", "artifacts"))
    before = trained(copy)
    run(copy, *sets)
    assert len(by_candidate(whole)) == 8 and by_candidate(copy) == by_candidate(whole) and trained(copy) == before


def test_a_diverging_rate_fails_its_trials_and_the_sweep_goes_on(run: Run, fresh: Path) -> None:
    rates = ["--set", "search.learning_rate=[1e-3,1e3]", "--set", "search.epochs=[4]"]
    ended = run(fresh, *rates)
    failed = [trial["name"] for trial in report(fresh)["failed"]]
    assert ended.returncode == 3 and f"{len(failed)} trials have no score" in ended.stderr
    assert "A smaller learning rate may help" in ended.stdout
    assert failed and all("lr 1000" in name for name in failed)
    assert len(report(fresh)["trials"]) == 9 - len(failed)
    assert "nothing to train" in run(fresh, *rates).stdout
    assert f"{len(failed)} of 9 trials to run" in run(fresh, *rates, "--retry-failed").stdout
    assert runs(fresh) == {"FINISHED": 9 - len(failed) + 2, "FAILED": len(failed)}


def test_a_search_tries_its_failures_again_only_on_request(run: Run, fresh: Path) -> None:
    search = [
        "search.space=subsets",
        "search.strategy=random",
        "search.trials=8",
        "search.epochs=[4]",
        "search.learning_rate=[1e3]",
    ]
    sets = [word for setting in search for word in ("--set", setting)]
    assert run(fresh, *sets).returncode == 3
    before = runs(fresh)
    proposed = [state.candidate for state in tracker(fresh).trials(tracker(fresh).read_sweep("s").run_id).values()]
    assert before["FAILED"] > 1 and len(proposed) == 8
    assert "nothing to train" in run(fresh, *sets).stdout
    (fresh / "optuna.db").unlink()  # MLflow is the record, of failures too
    assert "nothing to train" in run(fresh, *sets).stdout
    again = run(fresh, *sets, "--retry-failed")
    assert again.returncode == 3 and "nothing to train" not in again.stdout and runs(fresh) == before


def test_what_somebody_else_enqueued_is_refused_once(run: Run, home: Path) -> None:
    before = runs(home)
    study = optuna.load_study(study_name="s", storage=f"sqlite:///{home / 'optuna.db'}")
    study.enqueue_trial({"block_1": True, "epochs": 10**6})
    ended = run(home)
    assert ended.returncode == 2 and "(block_1=True, epochs=1000000) was not put there by thaw" in ended.stderr
    assert "nothing to train" in run(home).stdout and runs(home) == before
