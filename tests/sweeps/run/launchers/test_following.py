"""Progress from the study: each thing is told once, in the words of workers, and only what is new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeps.engines.optuna_watch import Standing
from sweeps.environment.home import Home
from sweeps.run.launchers import following
from sweeps.run.launchers.following import LOOK_EVERY, Follower
from sweeps.run.messages import Dropped, Failed, FoldsScored, Message, Ready, TrialFinished
from sweeps.strategies.history import PastTrial
from tests.sweeps.boards import Time
from trainer.candidate import Candidate
from trainer.errors import UserError

ONE, TWO = Candidate("1", 2, 1e-3), Candidate("2", 2, 1e-3)
WAITS = Standing(PastTrial(TWO, "open"), 0, None)
BEFORE = Standing(PastTrial(ONE, "done", 0.7), 2, 0.7)


class Study:
    """Stands for the watch of a study: what it holds is set by hand."""

    def __init__(self) -> None:
        self.holds: dict[Candidate, Standing] = {ONE: BEFORE, TWO: WAITS}
        self.away = False

    def look(self) -> tuple[Standing, ...]:
        """What it holds now."""
        if self.away:
            raise UserError("not reachable")
        return tuple(self.holds.values())


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    study = Study()
    monkeypatch.setattr(following, "StudyWatch", lambda url, name: study)
    return study


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def follower(study: Study, told: list[Message], tmp_path: Path) -> Follower:
    return Follower(Home(tmp_path), "s", told.append, Time())


def reached(folds: int, dice: float | None, **trial: Any) -> Standing:
    return Standing(replace(WAITS.trial, **trial), folds, dice)


def test_what_happens_is_told_once_and_what_was_before_never(
    study: Study, follower: Follower, told: list[Message]
) -> None:
    follower.look_now()
    assert told == []
    for standing in (reached(1, 0.5), reached(2, 0.6), reached(2, 0.6, status="done", score=0.6)):
        study.holds[TWO] = standing
        for _ in range(2):
            follower.look_now()
    assert told == [
        Ready(),
        FoldsScored(TWO.training, TWO.name, 1, 2, 0.5),
        FoldsScored(TWO.training, TWO.name, 2, 2, 0.6),
        TrialFinished(TWO.name, 0.6),
    ]


def test_one_that_was_dropped(study: Study, follower: Follower, told: list[Message]) -> None:
    study.holds[TWO] = reached(1, 0.1, status="dropped", score=0.1)
    follower.look_now()
    assert told[1:] == [FoldsScored(TWO.training, TWO.name, 1, 2, 0.1), Dropped(TWO.name, 1)]


@pytest.mark.parametrize("put_back", [True, False])
def test_a_trial_has_failed_when_nobody_put_it_back(
    study: Study, follower: Follower, told: list[Message], put_back: bool
) -> None:
    study.holds[TWO] = reached(0, None, status="failed")
    follower.look_now()
    if put_back:  # with a worker that died
        study.holds[TWO] = WAITS
    for _ in range(3):
        follower.look_now()
    failures = [message for message in told if isinstance(message, Failed)]
    assert failures == ([] if put_back else [Failed(TWO.name, "the report says why")])


def test_it_looks_every_few_seconds_and_a_database_that_is_away_is_asked_again(
    study: Study, told: list[Message], tmp_path: Path
) -> None:
    clock = Time()
    follower = Follower(Home(tmp_path), "s", told.append, clock)
    study.holds[TWO] = reached(2, 0.6, status="done", score=0.6)
    for now, away in ((1.0, True), (1.5, False), (2.0, False)):
        assert told == []
        clock.now, study.away = now * LOOK_EVERY, away
        follower.look()
    assert told[0] == Ready() and told[-1] == TrialFinished(TWO.name, 0.6)
