"""KerasTuner's engine: it stays in the space, repeats nothing, goes on after a kill, tells failures from bugs."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tensorflow.errors import ResourceExhaustedError

from sweeps.engines import optuna_queue
from sweeps.engines.keras_tuner_engine import tune
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.history import Claim, Evaluate, PastTrial, Scored
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.errors import TrialFailed, UserError
from trainer.masks import parse

TRIALS = 8
SEARCH = Search(space="subsets", max_blocks=3, epochs=(1, 2), trials=TRIALS, engine="keras-tuner")
STRATEGIES = ("random", "grid", "bayesian")
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def space(search: Search = SEARCH, blocks: int = 5) -> Space:
    return space_of(search, [1] * blocks, Settings())


def with_strategy(search: Search, strategy: str) -> Search:
    return replace(search, strategy=strategy)  # type: ignore[arg-type]  # one of STRATEGIES


def dice(candidate: Candidate) -> float:
    """A made-up score: the more blocks the better, a tenth for each."""
    return 0.1 * len(candidate.mask) + 0.01 * candidate.epochs


def into(tried: list[Candidate]) -> Evaluate:
    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        tried.append(candidate)
        claim.report(0.5, 1)
        return Scored(dice(candidate), trainings=5, seconds=1.5, parameters=7)

    return evaluate


def tuned(
    folder: Path,
    strategy: str,
    known: Sequence[PastTrial] = (),
    evaluate: Evaluate | None = None,
    search: Search = SEARCH,
    seed: int = 0,
    deadline: float = math.inf,
    blocks: int = 5,
) -> list[PastTrial]:
    """What the search told of, in order."""
    trials: list[PastTrial] = []
    chosen, score = with_strategy(search, strategy), evaluate or into([])
    inside, folder_of_tuner = space(chosen, blocks), folder / "keras-tuner"
    tune(chosen, inside, known, score, folder_of_tuner, seed=seed, deadline=deadline, tell=trials.append)
    return trials


def tried(trials: Sequence[PastTrial]) -> list[Candidate]:
    return [trial.candidate for trial in trials]


@every_strategy
def test_it_stays_in_the_space_repeats_nothing_and_stops_at_its_budget(tmp_path: Path, strategy: str) -> None:
    known = [
        PastTrial(Candidate("all", 2, 1e-3, "scratch"), "done", 0.2),
        PastTrial(Candidate("1-3", 2, 1e-3), "done", 0.6),
    ]
    handed: list[Candidate] = []
    trials = tuned(tmp_path, strategy, known, into(handed))
    assert handed == tried(trials) and len(handed) == TRIALS - len(known)  # the baselines count
    assert len({*handed, *(trial.candidate for trial in known)}) == TRIALS
    assert all(trial in space() for trial in handed)
    assert trials[0] == PastTrial(handed[0], "done", dice(handed[0]), 5, 1.5, 7)


@every_strategy
def test_without_a_budget_the_whole_space_is_tried_once(tmp_path: Path, strategy: str) -> None:
    small = Search(space="orders", max_blocks=3)
    trials = tuned(tmp_path, strategy, search=small)
    assert sorted(trial.key for trial in tried(trials)) == sorted(trial.key for trial in space(small).candidates())


@every_strategy
def test_a_space_of_one_candidate(tmp_path: Path, strategy: str) -> None:
    assert len(tuned(tmp_path, strategy, search=Search(space="masks", masks=("1-3",)))) == 1


@every_strategy
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_search_zero_too(tmp_path: Path, strategy: str, seed: int) -> None:
    assert tuned(tmp_path / "a", strategy, seed=seed) == tuned(tmp_path / "b", strategy, seed=seed)


@pytest.mark.parametrize("strategy", ["random", "bayesian"])
def test_another_seed_gives_another_search(tmp_path: Path, strategy: str) -> None:
    assert tuned(tmp_path, strategy, seed=0) != tuned(tmp_path, strategy, seed=1)


def test_the_grid_goes_mask_by_mask_the_largest_epoch_count_first(tmp_path: Path) -> None:
    search = Search(space="masks", masks=("3-5", "1-2"), epochs=(1, 2, 4))
    expected = [("3-5", 4), ("3-5", 2), ("3-5", 1), ("1-2", 4), ("1-2", 2), ("1-2", 1)]
    assert [(trial.mask, trial.epochs) for trial in tried(tuned(tmp_path, "grid", search=search))] == expected


@every_strategy
def test_failures_are_failures_however_many(tmp_path: Path, strategy: str) -> None:
    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        raise TrialFailed("no")

    trials = tuned(tmp_path, strategy, evaluate=evaluate)
    assert len(trials) == TRIALS and {(trial.status, trial.score) for trial in trials} == {("failed", None)}


def test_no_score_is_a_failure_and_a_dropped_candidate_is_dropped(tmp_path: Path) -> None:
    results = iter([Scored(math.nan), Scored(0.3, 2, 1.0, 7, dropped_after=2)])
    trials = tuned(tmp_path, "grid", evaluate=lambda trial, report: next(results), search=replace(SEARCH, trials=2))
    assert [(trial.status, trial.score) for trial in trials] == [("failed", None), ("dropped", 0.3)]


@every_strategy
@pytest.mark.parametrize("bug", [KeyError("typo"), UserError("the disk is full")])
def test_anything_else_stops_the_search_as_itself(tmp_path: Path, strategy: str, bug: Exception) -> None:
    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        raise bug

    with pytest.raises(type(bug)) as stopped:
        tuned(tmp_path, strategy, evaluate=evaluate)
    assert stopped.value is bug


def test_a_bug_while_it_is_told_stops_too(tmp_path: Path) -> None:
    def tell(trial: PastTrial) -> None:
        raise UserError("the study cannot be reached")

    with pytest.raises(UserError, match="cannot be reached"):
        tune(SEARCH, space(), (), into([]), tmp_path / "k", seed=0, tell=tell)


@pytest.mark.parametrize("error", [ResourceExhaustedError(None, None, "No space left"), OSError(28, "No space left")])
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def full(path: str, mode: str) -> None:
        if mode == "w":
            raise error

    monkeypatch.setattr("keras_tuner.src.backend.io.File", full)
    with pytest.raises(UserError, match=r"Cannot write .*keras-tuner: .*No space left"):
        tuned(tmp_path, "random")


@pytest.mark.parametrize(("trials", "trainings"), [(0, 12), (3, 0)])
def test_either_budget_stops_it(tmp_path: Path, trials: int, trainings: int) -> None:
    search = replace(SEARCH, trials=trials, trainings=trainings)
    assert len(tuned(tmp_path, "random", search=search)) == 3  # five trainings each


def test_nothing_is_begun_after_the_deadline(tmp_path: Path) -> None:
    assert tuned(tmp_path, "random", deadline=time.time() - 1) == []


@every_strategy
@pytest.mark.parametrize("damage", ["kept", "removed", "cut", "a file", "not json"])
def test_it_goes_on_whatever_became_of_its_folder(tmp_path: Path, strategy: str, damage: str) -> None:
    first = tuned(tmp_path, strategy, search=replace(SEARCH, trials=5))
    folder = tmp_path / "keras-tuner"
    files = sorted(folder.rglob("*.json"))
    assert len(files) == 5 + 2  # a file per trial, the oracle's, the tuner's
    if damage in ("removed", "a file"):
        for path in files:
            path.unlink()
        for inner in sorted(folder.rglob("*"), reverse=True):
            inner.rmdir()
        folder.rmdir()
    if damage == "a file":
        folder.write_text("")
    if damage in ("cut", "not json"):
        for path in files:
            path.write_bytes(path.read_bytes()[:10] if damage == "cut" else b"\x00[")
    rest = tuned(tmp_path, strategy, known=first)
    assert len({*tried(first), *tried(rest)}) == len(first) + len(rest) == TRIALS
    if strategy != "bayesian":  # what it proposes depends on what it heard first; the others go on as if never stopped
        assert [*first, *rest] == tuned(tmp_path / "whole", strategy)


def die_at_the_fourth(folder: Path, strategy: str) -> None:
    """A search that tells the study, as a worker's does, and is killed in the middle of its fourth trial."""
    handed: list[Candidate] = []

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        handed.append(candidate)
        if len(handed) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return Scored(dice(candidate), trainings=5)

    chosen = with_strategy(SEARCH, strategy)
    tune(chosen, space(), (), evaluate, folder / "keras-tuner", seed=0, tell=lambda trial: tell(folder, trial))


def tell(folder: Path, trial: PastTrial) -> None:
    optuna_queue.fill(f"sqlite:///{folder / 'optuna.db'}", "s", "digest", [trial], 5)


@pytest.mark.slow
@every_strategy
def test_a_killed_search_goes_on_from_what_the_study_heard(tmp_path: Path, strategy: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_at_the_fourth, args=(tmp_path, strategy))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    heard = optuna_queue.history(f"sqlite:///{tmp_path / 'optuna.db'}", "s")
    assert len(heard) == 3 and all(trial.trainings == 5 for trial in heard)
    rest = tuned(tmp_path, strategy, known=heard)
    assert len({*tried(heard), *tried(rest)}) == len(heard) + len(rest) == TRIALS


def test_the_gaussian_process_hears_of_every_score_in_the_space_and_nothing_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    known = [
        PastTrial(Candidate("all", 2, 1e-3, "scratch"), "done", 0.2),
        PastTrial(Candidate("1-3", 2, 1e-3), "done", 0.6),
        PastTrial(Candidate("2", 2, 1e-3), "dropped", 0.1),
        PastTrial(Candidate("4", 2, 1e-3), "failed"),
    ]
    tuned(tmp_path / "home", "bayesian", known, search=replace(SEARCH, trials=5))
    folder_of_tuner = [json.loads(path.read_text()) for path in sorted((tmp_path / "home").rglob("trial.json"))]
    assert [trial["score"] for trial in folder_of_tuner[:2]] == [0.6, 0.1] and len(folder_of_tuner) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["home"] and capfd.readouterr().out == ""


@pytest.mark.slow
def test_what_the_gaussian_process_proposes_beats_chance(tmp_path: Path) -> None:
    search = replace(SEARCH, trials=20, epochs=(2,), max_blocks=0)  # 63 sets; 18 at random, before its process is asked

    def each_block_helps(candidate: Candidate, _: Claim) -> Scored:
        return Scored(0.1 * len(parse(candidate.mask, 6).blocks), trainings=5)

    def best(strategy: str, seed: int) -> float:
        trials = tuned(tmp_path, strategy, (), each_block_helps, search, seed, blocks=6)
        return max(trial.score or 0 for trial in trials)

    seeds = (0, 100, 200)
    assert sum(best("bayesian", seed) for seed in seeds) > sum(best("random", seed) for seed in seeds)
