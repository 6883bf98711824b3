"""thaw's objective in a study that a user wrote: the same numbers, the same record, hooks, and clear refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from sweeps.objective_api import Objective, Scores, check_candidate, open_objective
from sweeps.planning.resolve import resolve
from sweeps.spec.load import load_spec
from tests.small import SMALL
from tracking.store.writer import Tracker
from tracking.summary.sweep import summarise
from trainer.candidate import Candidate
from trainer.errors import UserError

SETS = [
    "search.space=subsets",
    "search.max_blocks=3",
    "search.epochs=[1,2]",
    "search.learning_rate=[1e-4,1e-2]",
    "search.train.batch=[2,4]",
    "train.batch=4",
]
RESOLVED = resolve(load_spec("smoke", sets=SETS), [10] * 9)
RIGHT = Candidate("1-3", 2, 1e-3)


@pytest.mark.parametrize(
    ("asked", "scored"),
    [
        (RIGHT, RIGHT),
        (Candidate("deep-1", 1, 1e-2), Candidate("9", 1, 1e-2)),
        (Candidate("all", 2, 1e-4), Candidate("all", 2, 1e-4)),  # too many blocks, but a baseline
        (Candidate("none", 2, 1e-3), Candidate("none", 0, 1e-4)),
        (replace(RIGHT, train=(("batch", 4),)), RIGHT),  # the sweep's own value
        (replace(RIGHT, train=(("batch", 2),)), replace(RIGHT, train=(("batch", 2),))),
    ],
)
def test_a_candidate_is_scored_as_the_sweep_writes_it(asked: Candidate, scored: Candidate) -> None:
    assert check_candidate(asked, RESOLVED) == scored


def test_another_seed_is_written_the_same_way() -> None:
    seeded = resolve(load_spec("smoke", sets=[*SETS, "search.seeds=[1,2]"]), [10] * 9)
    asked = [Candidate(mask, 2, 1e-3, seed=2) for mask in ("shallow-2", "1-2", "1,2")]
    assert {check_candidate(candidate, seeded) for candidate in asked} == {Candidate("1-2", 2, 1e-3, seed=2)}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (replace(RIGHT, mask="1-4"), r"mask 1-4 is none of the \d+ masks"),
        (replace(RIGHT, mask="1-12"), "block 12, which does not exist"),
        (replace(RIGHT, epochs=3), r"epochs must be one of \[1, 2\], not 3"),
        (replace(RIGHT, learning_rate=0.1), "learning_rate must be 0.0001 to 0.01, not 0.1"),
        (replace(RIGHT, seed=5), r"seed must be one of \[0\], not 5"),
        (replace(RIGHT, start="scratch"), "start and split must be"),
        (replace(RIGHT, train=(("batch", 3),)), r"batch must be one of \[2, 4\] \(search.train\), not 3"),
        (replace(RIGHT, epochs=3, train=(("loss", "dice"),)), "epochs .*; loss must be one of"),
    ],
)
def test_what_is_not_in_the_space_is_refused_before_anything_is_trained(asked: Candidate, words: str) -> None:
    def score(*_: object) -> Scores:
        pytest.fail("it was scored")

    with pytest.raises(UserError, match=words):
        Objective("s", RESOLVED, score)(asked)


def test_threads_take_turns() -> None:
    inside_now: list[int] = []

    def score(candidate: Candidate, *_: object) -> Scores:
        inside_now.append(1)
        assert len(inside_now) == 1
        inside_now.pop()
        return Scores(0.5, {}, 1)

    objective = Objective("s", RESOLVED, score)
    threads = [threading.Thread(target=objective, args=(RIGHT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not objective.turn.locked()


@pytest.mark.slow
def test_a_study_of_the_users_own_gets_the_numbers_of_thaw_run(
    smoke_home: Path, tmp_path: Path, thaw: Callable[..., object]
) -> None:
    def store(home: Path) -> Tracker:
        return Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")

    with open_objective("smoke", name="mine", home=tmp_path, sets=SMALL) as score:

        def objective(trial: optuna.Trial) -> float:
            mask = trial.suggest_categorical("mask", ["1-5", "6-9"])
            scores = score(Candidate(mask, 2, 1e-3), report=trial.report)
            return scores.dice

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GridSampler({"mask": ["1-5", "6-9"]}))
        study.optimize(objective, n_trials=2)
        again = score(Candidate("1-5", 2, 1e-3), should_prune=pytest.fail)
        assert again.trainings == 0 and len(again.images) == 8
        pruned = score(Candidate("1-5", 1, 1e-3), should_prune=lambda: True)
        assert (pruned.pruned_after, pruned.images) == (1, {})
    expected = {trial.info.candidate: trial.folds["dice"] for trial in store(smoke_home).read_sweep().finished}
    record = store(tmp_path).read_sweep("mine")
    dice_of = {trial.info.candidate: trial.folds["dice"] for trial in record.finished}
    assert len(dice_of) == 2 and dice_of.items() <= expected.items()
    assert {trial.params["mask"]: list(trial.intermediate_values) for trial in study.trials} == {
        "1-5": [1, 2],
        "6-9": [1, 2],
    }
    dropped = summarise(record).dropped
    assert dropped is not None
    assert "pruned by the study that asked for it (after 1 of 2 folds)" in dropped.trials[0].reason
    assert record.status == "FINISHED"


def test_a_study_of_ones_own_is_the_search_so_it_has_no_outer_parts(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="here the study that asks is the search"),
        open_objective("smoke", sets=["outer=2"], home=tmp_path),
    ):
        pass
