"""What keeps the memory of a process flat while it compiles one mask after the other.

TensorFlow and Keras keep some things of every model that was ever compiled. Measured for a U-Net of nine blocks with 2
filters, which has 0.1 MB of weights: 2.7 MB of kernels that made the optimizer's variables, and with the graph of the
training step 7 MB. A search over 511 masks would end with gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam with a rate for each variable, and without the exchange of gradients between devices, of which there is one.

    `factors`: by what each variable's step is multiplied, in the order in which it is built; none: one rate for all. It
    is the step, for Adam ignores how large a gradient is.

    On TensorFlow the exchange is an identity whose gradient is registered under a name of its own at every trace, for
    ever, and with it the whole traced graph.
    """

    def __init__(self, learning_rate: float = 0.001, factors: Sequence[float] = ()) -> None:
        super().__init__(learning_rate)
        self.factors = tuple(factors)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras's own, at the variable's rate."""
        factor = self.factors[self._get_variable_index(variable)] if self.factors else 1.0
        super().update_step(gradient, variable, learning_rate if factor == 1 else learning_rate * factor)

    def begin(self, seed: tuple[int, ...]) -> None:
        """Draw from `seed` what is drawn before a first step: nothing."""

    def held(self) -> Mapping[str, Any]:
        """What it holds that must never change: nothing."""
        return {}

    def broken(self) -> Iterator[str]:
        """The paths of variables that are not what it made: none."""
        yield from ()

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return list(grads_and_vars)


def forget_kernels() -> None:
    """Let the backend forget the kernels of single operations; what is needed again is made again, at no cost.

    Each variable is made by a kernel of its own, since its name is. Models, functions and their numbers stay.
    """
    keras.utils.clear_session(free_memory=False)
