"""Compiled training steps of one network: that of the last mask, and beside it that of the head alone.

A fold of `head-first` goes through both phases, the next fold again: each is compiled once, and neither takes the
other's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from numpy.typing import NDArray

from trainer.network.blocks import apply_mask
from trainer.network.flat_memory import Adam
from trainer.network.tuning import optimizer_of, tune_within
from trainer.training.losses import loss_named
from trainer.training.phases import Phase
from trainer.training.steps.contract import Steps


@dataclass(frozen=True, eq=False)
class Compiled:
    """The steps of a phase with their optimizer, whose variables are `initial` before any step."""

    phase: Phase
    steps: Steps
    optimizer: Adam
    initial: Sequence[NDArray[Any]]

    def begin(self, rate: float, seed: tuple[int, ...]) -> None:
        """Set every variable of the optimizer as before a first step from the weights that are there now."""
        for variable, value in zip(self.optimizer.variables, self.initial, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate = rate
        self.optimizer.begin(seed)

    def variables(self) -> Mapping[str, Any]:
        """The optimizer's, the rate left out, by their numbers."""
        rate = self.optimizer.learning_rate
        return {
            str(number): variable for number, variable in enumerate(self.optimizer.variables) if variable is not rate
        }


class CompiledSteps:
    """See above; `steps` are those of masks, and `ignoring` says that some pixels of the masks take no part."""

    def __init__(self, model: keras.Model, steps: Steps, *, ignoring: bool) -> None:
        self._model, self._ignoring = model, ignoring
        self._steps = {"": steps}
        self._compiled: dict[str, Compiled] = {}  # by the head that trains alone, "" for masks

    def of(self, phase: Phase) -> Compiled:
        """The steps of a phase, whose flags are set: compiled unless they were the last of their kind."""
        apply_mask(self._model, phase.blocks, phase.mask, adapt=phase.config.batch_norm == "adapt")
        tune_within(self._model, phase.blocks, phase.mask, phase.config.tune)
        known = self._compiled.get(phase.head)
        if known is None or known.phase != phase:
            self._compiled.pop(phase.head, None)
            self._compiled[phase.head] = known = self._compile(phase)
        return known

    def traces(self, phase: Phase) -> int:
        """How often the step of a phase was traced; 0 where it is no longer known."""
        known = self._compiled.get(phase.head)
        return known.steps.traces if known is not None and known.phase == phase else 0

    def _compile(self, phase: Phase) -> Compiled:
        """Compile and build, in this order, after the flags (docs/facts.md, Keras 1)."""
        if phase.head not in self._steps:
            self._steps[phase.head] = self._steps[""].beside()
        steps, optimizer = self._steps[phase.head], optimizer_of(self._model, phase.blocks, phase.config)
        steps.compile(optimizer, loss_named(phase.config.loss, ignoring=self._ignoring))
        initial = [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables]
        return Compiled(phase, steps, optimizer, initial)
