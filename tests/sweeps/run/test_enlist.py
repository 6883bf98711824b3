"""The study's list against the record: what is missing, what was lost, whether anything is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.engines import optuna_queue
from sweeps.environment.home import open_home
from sweeps.locks import contract
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.run import enlist as module
from sweeps.run.enlist import enlist, may_propose, missing_candidates, past_trials
from sweeps.spec.load import load_spec
from sweeps.strategies.history import Claim, PastTrial, Scored
from sweeps.strategies.list_windows import next_of_list
from tracking.record import TrialState
from trainer.candidate import Candidate

ONE, TWO, THREE = (Candidate(mask, 2, 1e-3) for mask in ("1", "2", "3"))
SEARCH = ["search.space=subsets", "search.strategy=random", "search.trials=9", "search.epochs=[2]"]
RATE = ["search.learning_rate=[1e-3]"]


def resolved(*sets: str) -> ResolvedSweep:
    return resolve(load_spec("smoke", sets=[*sets, *RATE]), [1] * 9)


def states(*trials: tuple[Candidate, str]) -> dict[str, TrialState]:
    return {
        candidate.key: TrialState("r", status, 0.5 if status == "FINISHED" else None, candidate)
        for candidate, status in trials
    }


def opened(folder: Path, sweep: ResolvedSweep) -> OpenSweep:
    tracker: Any = SimpleNamespace()
    return OpenSweep(open_home(folder), Plan("s", sweep, "digest", (), "", "", "", "run"), tracker)


def waiting(sweep: OpenSweep) -> list[Candidate]:
    trials = optuna_queue.history(sweep.home.storage_url, "s")
    return [trial.candidate for trial in trials if trial.status == "open"]


@pytest.mark.parametrize(("retry_failed", "left"), [(False, [THREE]), (True, [TWO, THREE])])
def test_what_has_no_score_is_missing_and_failures_only_on_request(
    retry_failed: bool, left: Sequence[Candidate]
) -> None:
    trial_states = states((ONE, "FINISHED"), (TWO, "FAILED"))
    assert missing_candidates([ONE, TWO, THREE], trial_states, retry_failed=retry_failed) == left


def test_what_was_dropped_by_a_search_is_missing_from_a_list() -> None:
    assert missing_candidates([ONE], states((ONE, "DROPPED")), retry_failed=False) == [ONE]


def test_a_list_waits_once_and_then_nothing_is_left(tmp_path: Path) -> None:
    sweep = opened(tmp_path, resolved())
    for _ in range(2):
        assert enlist(sweep, [ONE, TWO], {}, retry_failed=False)
        assert waiting(sweep) == [ONE, TWO]
    sweep = opened(tmp_path / "again", resolved())
    assert not enlist(sweep, [], states((ONE, "FINISHED")), retry_failed=False)


def test_of_a_long_list_a_window_waits_and_all_that_is_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 2)
    sweep = opened(tmp_path, resolved())
    candidates = [Candidate(str(block), 2, 1e-3) for block in range(1, 9)]
    optuna_queue.fill(sweep.home.storage_url, "s", "digest", [PastTrial(candidates[6], "failed")], 9)
    assert enlist(sweep, candidates, {}, retry_failed=False)
    assert set(waiting(sweep)) == {*candidates[:2], candidates[6]}
    seen: list[Candidate] = []

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        seen.append(candidate)
        return Scored(0.5)

    optuna_queue.drain(sweep.home.storage_url, "s", evaluate, 9, next_of_list(candidates, 2))
    assert sorted(seen, key=candidates.index) == candidates and seen[:3] == [*candidates[:2], candidates[6]]


def test_what_was_cut_off_waits_again_unless_workers_are_there(tmp_path: Path) -> None:
    sweep = opened(tmp_path, resolved())
    with sweep.home.locks.present(contract.workers("s")):
        assert not enlist(sweep, [], states((ONE, "RUNNING")), retry_failed=False)
    assert enlist(sweep, [], states((ONE, "RUNNING")), retry_failed=False) and waiting(sweep) == [ONE]


def test_a_search_records_again_what_only_its_study_knows(tmp_path: Path) -> None:
    sweep = opened(tmp_path, resolved(*SEARCH))
    optuna_queue.fill(sweep.home.storage_url, "s", "digest", [PastTrial(ONE, "done", 0.5)], 9)
    assert enlist(sweep, [], {}, retry_failed=False) and waiting(sweep) == [ONE]


@pytest.mark.parametrize(("retry_failed", "left"), [(False, []), (True, [TWO])])
def test_a_search_tries_failures_again_on_request(tmp_path: Path, retry_failed: bool, left: list[Candidate]) -> None:
    sweep = opened(tmp_path, resolved(*SEARCH))
    assert enlist(sweep, [], states((TWO, "FAILED")), retry_failed=retry_failed)  # its budget is not spent
    assert waiting(sweep) == left


def test_the_record_as_past_trials() -> None:
    trials = states((ONE, "FINISHED"), (TWO, "FAILED"), (THREE, "RUNNING"))
    dropped = TrialState("r", "DROPPED", None, replace(ONE, epochs=1), estimate=0.3, folds=2)
    assert [(trial.status, trial.score, trial.trainings) for trial in past_trials([*trials.values(), dropped])] == [
        ("done", 0.5, 0),
        ("failed", None, 0),
        ("dropped", 0.3, 2),
    ]


def test_a_search_ends_with_its_budget_or_its_space() -> None:
    done = [PastTrial(candidate, "done", 0.5) for candidate in (ONE, TWO, THREE)]
    assert may_propose(resolved(*SEARCH), done)
    assert not may_propose(resolved(*SEARCH, "search.trials=3"), done)
    assert not may_propose(resolved(*SEARCH, "search.space=masks", "search.masks=['1','2','3']"), done)
    assert not may_propose(resolved(), [])
