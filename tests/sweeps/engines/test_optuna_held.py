"""A trial ends in the study once its record is delivered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from sweeps.engines.optuna_held import HeldEnds
from trainer.errors import UserError


class Study:
    """What a study is told; a trial in `lost` has been ended by another worker."""

    def __init__(self, *lost: int) -> None:
        self.lost, self.ended, self.beats = lost, list[tuple[int, TrialState]](), list[int]()

    def end(self, trial: int, state: TrialState, values: Sequence[float] | None) -> None:
        if trial in self.lost:
            raise UpdateFinishedTrialError
        self.ended.append((trial, state))

    def beat(self, trial: int) -> None:
        self.beats.append(trial)

    def held(self) -> HeldEnds:
        return HeldEnds(self.end, self.beat, pause=0.01)


def answers(*values: bool | Exception) -> list[bool | Exception]:
    return list(values)


def asking(left: list[bool | Exception]) -> bool:
    """The next of some answers, the last of them for ever."""
    answer = left.pop(0) if len(left) > 1 else left[0]
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED])
def test_an_end_waits_for_its_record_and_the_worker_answers_for_it_meanwhile(state: TrialState) -> None:
    study, left = Study(), answers(False, False, False, True)
    held = study.held()
    held.hold(7, lambda: asking(left))
    assert held.takes(7, state, [0.5])
    assert study.ended == []
    held.wait_for_all()
    assert study.ended == [(7, state)] and set(study.beats) <= {7}


@pytest.mark.parametrize(
    ("state", "recorded"), [(TrialState.COMPLETE, True), (TrialState.RUNNING, False)], ids=["recorded", "no end"]
)
def test_nothing_else_waits(state: TrialState, recorded: bool) -> None:
    held = Study().held()
    held.hold(7, lambda: recorded)
    assert not held.takes(7, state, None)
    assert not held.takes(8, TrialState.COMPLETE, [0.5])  # nobody asked


def test_a_trial_that_was_taken_over_meanwhile_is_let_go() -> None:
    study, left = Study(7), answers(False, True)
    held = study.held()
    held.hold(7, lambda: asking(left))
    assert held.takes(7, TrialState.COMPLETE, [0.5])
    held.wait_for_all()
    assert study.ended == []


def test_what_keeps_a_record_from_being_delivered_is_raised_in_the_worker() -> None:
    left = answers(False, UserError("MLflow has not answered for an hour"))
    held = Study().held()
    held.hold(7, lambda: asking(left))
    assert held.takes(7, TrialState.COMPLETE, [0.5])
    with pytest.raises(UserError, match="an hour"):
        held.wait_for_all()
    held._held.clear()  # ends the thread
