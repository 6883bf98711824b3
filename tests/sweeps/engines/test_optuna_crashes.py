"""A trial is given up after three crashes without progress, and only then."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sweeps.engines import optuna_crashes, optuna_queue
from sweeps.engines.optuna_storage import open_study
from sweeps.strategies.history import Claim, Scored
from trainer.candidate import Candidate
from trainer.errors import Preempted, TrialFailed
from trainer.results import Reached
from trainer.stopping import Stop, leave_if

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
CANDIDATE = Candidate("1-5", 4, 1e-3)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    optuna_queue.enqueue(url, "s", [CANDIDATE], 9)
    return url


def crash(study: optuna.Study, *reached: Reached) -> str:
    """A worker is handed the only trial, reaches something, and dies; why the next one will not train, if so."""
    trial = study.ask()
    note = optuna_crashes.noting(trial)
    for one in reached:
        note(one)
    frozen = study.tell(trial, state=TrialState.FAIL)
    optuna_crashes.put_back_crashed(study, frozen)
    (waiting,) = study.get_trials(states=(TrialState.WAITING,))
    return optuna_crashes.given_up(waiting.user_attrs)


FIRST, LATER, STEPS, SECOND = Reached(1, 2), Reached(1, 4), Reached(1, 4, 7), Reached(2, 1)


@pytest.mark.parametrize(
    ("reached", "said"),
    [
        ([(), ()], ""),
        ([(), (), ()], "before anything of it was kept"),
        ([(FIRST,), (), ()], "after 2 epochs of fold 1"),
        ([(FIRST,), (FIRST,), (FIRST,)], "after 2 epochs of fold 1"),
        ([(FIRST,), (FIRST,), (LATER,)], ""),
        ([(FIRST,), (LATER,), (STEPS,), (SECOND,)], ""),
        ([(FIRST,), (FIRST,), (STEPS,), (FIRST, LATER, STEPS), ()], "after 4 epochs and 7 steps of fold 1"),
        ([(SECOND,), (FIRST, LATER), (FIRST,)], "after 1 epochs of fold 2"),  # another machine began from less
    ],
)
def test_three_crashes_without_progress_are_the_end(url: str, reached: list[tuple[Reached, ...]], said: str) -> None:
    study = open_study(url, "s")
    words = [crash(study, *one) for one in reached][-1]
    assert (said in words and "--retry-failed" in words) if said else words == ""


def test_a_trial_that_is_given_up_fails_and_a_new_one_counts_anew(url: str) -> None:
    study, heard = open_study(url, "s"), list[str]()

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        heard.append(claim.given_up)
        if claim.given_up:
            raise TrialFailed(claim.given_up)
        return Scored(0.5)

    for _ in range(3):
        crash(study)
    optuna_queue.drain(url, "s", evaluate, 9)
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["failed"]
    optuna_queue.enqueue(url, "s", [CANDIDATE], 9)  # --retry-failed
    optuna_queue.drain(url, "s", evaluate, 9)
    assert "3 processes that trained it died" in heard[0] and heard[1:] == [""]
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["done"]


def test_what_is_put_back_counts_no_crash_and_is_put_back_once(url: str) -> None:
    study = open_study(url, "s")
    crash(study, FIRST)
    trial = study.ask()
    trial.set_user_attr("worker", "gone")
    for _ in range(2):
        optuna_crashes.put_back(study, study.get_trials()[trial.number])
    (waiting,) = study.get_trials(states=(TrialState.WAITING,))
    assert waiting.user_attrs["crashes"] == [[1, 2, 0]] and waiting.user_attrs["reached"] == [1, 2, 0]
    assert "worker" not in waiting.user_attrs and waiting.user_attrs["key"] == CANDIDATE.key


def test_a_trial_that_thaw_did_not_list_is_not_put_back(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 'optuna.db'}", "s")
    study.enqueue_trial({"x": 1.0})
    optuna_crashes.put_back_crashed(study, study.tell(study.ask(), state=TrialState.FAIL))
    assert not study.get_trials(states=(TrialState.WAITING,))


@pytest.mark.parametrize("late", [False, True])
def test_a_worker_that_is_told_to_stop_gives_its_trial_back_at_once_and_counts_no_crash(url: str, late: bool) -> None:
    told = list[int]()
    stop = Stop(lambda: bool(told))

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        claim.reached(LATER)
        told.append(1)
        if late:  # the thread that ends the process does it, whatever the worker does in this moment
            (action,) = stop.at_last
            action()
        leave_if(stop.asked)
        return Scored(0.5)

    for _ in range(4):
        with pytest.raises(Preempted):
            optuna_queue.drain(url, "s", evaluate, 9, stop=stop)
        told.clear()
    trials = open_study(url, "s").get_trials()
    assert [trial.state for trial in trials] == [TrialState.FAIL] * 4 + [TrialState.WAITING] and not stop.at_last
    assert trials[-1].user_attrs["reached"] == [1, 4, 0] and not optuna_crashes.given_up(trials[-1].user_attrs)


def test_a_worker_that_is_told_to_stop_takes_nothing_new(url: str) -> None:
    with pytest.raises(Preempted):
        optuna_queue.drain(url, "s", lambda candidate, claim: pytest.fail("begun"), 9, stop=Stop(lambda: True))
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["open"]
