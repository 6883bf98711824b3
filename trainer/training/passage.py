"""One fold's training on its way through its phases: what trains now, what is proved, and what a state holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from numpy.typing import NDArray

from trainer.network.blocks import seed_states
from trainer.training.changing import changing_weights, values
from trainer.training.compiled import Compiled, CompiledSteps
from trainer.training.ledger import State
from trainer.training.phases import Course, Phase
from trainer.training.proof import Before, before, prove

EARLIER = "earlier/"  # how the names of weights begin as an earlier phase left them


class Passage:
    """A training of `model`, whose weights and seeds are those of the start. `rate` is the learning rate; `seed` draws
    what an optimizer draws, the same for every phase.
    """

    def __init__(
        self, model: keras.Model, compiled: CompiledSteps, course: Course, rate: float, seed: tuple[int, ...]
    ) -> None:
        self._model, self._compiled, self._course = model, compiled, course
        self._rate, self._seed = rate, seed
        self._earlier: dict[str, NDArray[Any]] = {}
        self._number = 0
        self._now: Compiled | None = None
        self._before = Before({}, {})

    @property
    def _phase(self) -> Phase:
        return self._course.phases[self._number]

    @property
    def traces(self) -> int:
        """Of all its phases."""
        return sum(self._compiled.traces(phase) for phase in self._course.phases if phase.mask.blocks)

    @property
    def now(self) -> Compiled:
        """What trains in the present phase."""
        assert self._now is not None, "nothing trains under an empty mask"
        return self._now

    def begin(self, state: State) -> None:
        """Ready for the next step after `state`, which may be that of nothing trained."""
        kept = {name: value for name, value in state.variables.items() if name.startswith(EARLIER)}
        self._number = self._course.phase_at(*state.position)
        self._earlier = {name.removeprefix(EARLIER): value for name, value in kept.items()}
        weights = self.weights()
        for name, value in self._earlier.items():
            weights[name].assign(value)
        self._enter()
        for name, variable in self._variables().items() if state.variables else ():
            variable.assign(state.variables[name])

    def go_on(self, epochs: int) -> None:
        """To the phase of the epoch that follows `epochs` ones: the former is proved, and the optimizer starts anew."""
        number = self._course.phase_at(epochs, 1)
        if number != self._number:
            self.prove()
            self._earlier = values(self.weights())
            self._number = number
            self._enter()

    def settle(self) -> None:
        """Wait for what runs."""
        if self._now:
            self._now.steps.settle()

    def prove(self) -> None:
        """That nothing moved in this phase but what it trains (`trainer.training.proof`)."""
        prove(self._model, self._phase, self._now.optimizer if self._now else None, self._before)

    def weights(self) -> dict[str, Any]:
        """The weights that this phase and those before it change (`changing_weights`)."""
        found: dict[str, Any] = {}
        for phase in self._course.phases[: self._number + 1]:
            found |= changing_weights(self._model, phase)
        return found

    def variables(self) -> Mapping[str, NDArray[Any]]:
        """The values that a state holds: all that can still change, and what earlier phases made."""
        return values(self._variables()) | {f"{EARLIER}{name}": value for name, value in self._earlier.items()}

    def _enter(self) -> None:
        if self._phase.mask.blocks:
            self._now = self._compiled.of(self._phase)
            self._now.begin(self._rate, self._seed)
        self._before = before(self._model, self._phase, self._now.optimizer if self._now else None)

    def _variables(self) -> dict[str, Any]:
        """By names that are stable across processes."""
        moving = {f"weight/{name}": weight for name, weight in self.weights().items()}
        moving |= {f"seed/{number}": variable for number, variable in enumerate(seed_states(self._model))}
        optimizer = self._now.variables() if self._now else {}
        return moving | {f"optimizer/{number}": variable for number, variable in optimizer.items()}
