"""A training that is stopped or killed at any step and goes on gives the bits of one that was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from tests.trainer.conftest import TINY
from trainer.candidate import Candidate
from trainer.config import TrainConfig
from trainer.errors import Preempted
from trainer.network.unet import unet
from trainer.results import FoldResult, Reached
from trainer.training.fit import FoldData, Trainer
from trainer.training.keeping import KEEP_SECONDS
from trainer.training.ledger import Entry, State

Entries = Callable[[str], Entry]
CANDIDATE = Candidate("6-9", 2, 1e-2)  # three steps an epoch: ten images, four a batch
# The head alone in the first epoch, then factors, whose draw and bases a state goes on from.
IN_PHASES = replace(CANDIDATE, train=(("head_epochs", 1), ("schedule", "head-first"), ("tune", "lora")))
NAMES = ["at once", "in phases"]
POSITIONS = ((0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0))


class Killed(BaseException):
    """Stands for the end of the process."""


class World:
    """What a trainer asks: it is stopped after `asks` questions; its clock ticks `tick` seconds at each look."""

    def __init__(self) -> None:
        self.asks, self.tick, self.now = 10**9, 0.0, 0.0

    def stop_asked(self) -> bool:
        self.asks -= 1
        return self.asks < 0

    def clock(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def trainer(world: World) -> Trainer:
    network = unet(TINY, seed=1)
    starts = {"pretrained": network.get_weights()}
    return Trainer(network, starts, TrainConfig(batch=4), stop_asked=world.stop_asked, clock=world.clock)


def bits(result: FoldResult) -> tuple[object, ...]:
    weights = {name: array.tobytes() for name, array in sorted(result.weights.items())}
    return result.epochs, result.losses, result.scores, result.predictions.tobytes(), weights


def trained(trainer: Trainer, entry: Entry, fold: FoldData, candidate: Candidate = CANDIDATE) -> list[FoldResult]:
    return list(trainer.fold_results(candidate, fold, (1,), entry))


def attempts(
    trainer: Trainer, entry: Entry, fold: FoldData, candidate: Candidate, reached: list[Reached]
) -> Iterator[list[FoldResult]]:
    """Each attempt dies as soon as something new is kept; the last one has nothing left to keep."""

    def die(kept: Reached) -> None:
        reached.append(kept)
        raise Killed

    for _ in count():
        try:
            yield list(trainer.fold_results(candidate, fold, (1,), entry, die))
            return
        except Killed:
            continue


@pytest.mark.parametrize("candidate", [CANDIDATE, IN_PHASES], ids=NAMES)
def test_stopped_at_any_point_it_leaves_and_goes_on_to_the_same_bits(
    world: World, trainer: Trainer, entry: Entries, fold: FoldData, candidate: Candidate
) -> None:
    straight, positions = trained(trainer, entry("straight"), fold, candidate), set()
    for asks in count():
        place = entry(f"stopped {asks}")
        world.asks = asks
        try:
            trained(trainer, place, fold, candidate)
            break
        except Preempted:
            world.asks = 10**9
        state = place.state()
        positions.add(state.position if state else (0, 0))
        again = trained(trainer, place, fold, candidate)
        assert [bits(result) for result in again] == [bits(result) for result in straight]
    world.asks = 10**9
    assert positions == {(0, 0), *POSITIONS}


@pytest.mark.parametrize("candidate", [CANDIDATE, pytest.param(IN_PHASES, marks=pytest.mark.slow)], ids=NAMES)
def test_killed_after_every_step_it_reaches_the_same_bits(
    world: World, trainer: Trainer, entry: Entries, fold: FoldData, candidate: Candidate
) -> None:
    straight, reached = trained(trainer, entry("whole"), fold, candidate), list[Reached]()
    world.tick = KEEP_SECONDS
    (last,) = attempts(trainer, entry("killed"), fold, candidate, reached)
    world.tick = 0.0
    assert [bits(result) for result in last] == [bits(result) for result in straight]
    assert reached == sorted(reached) and set(reached) == {Reached(1, *position) for position in POSITIONS}


def test_a_state_beyond_the_asked_epochs_does_not_help_them(
    world: World, trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    shorter = Candidate("6-9", 1, 1e-2)
    straight = trained(trainer, entry("short"), fold, shorter)
    place, world.asks = entry("beyond"), 4
    with pytest.raises(Preempted):
        list(trainer.fold_results(CANDIDATE, fold, (), place))
    world.asks, state = 10**9, place.state()
    assert state is not None and state.position > (1, 0) and state.steps
    assert [bits(result) for result in trained(trainer, place, fold, shorter)] == [bits(result) for result in straight]


def test_the_seconds_before_a_stop_count(world: World, trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    place, world.asks = entry("seconds"), 4
    with pytest.raises(Preempted):
        trained(trainer, place, fold)
    world.asks, state = 10**9, place.state()
    assert state is not None and state.seconds > 0
    place.keep_state(State(2, (0.1,) * 2, state.variables, seconds=1000.0))
    assert trained(trainer, place, fold)[-1].seconds > 1000


def test_who_waits_for_another_training_can_be_stopped(
    world: World, trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    with entry("taken").lease():
        world.asks = 3
        with pytest.raises(Preempted):
            trained(trainer, entry("taken"), fold)
    world.asks = 10**9
    assert np.isfinite(trained(trainer, entry("taken"), fold)[-1].losses).all()
