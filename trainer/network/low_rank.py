"""A low-rank update of kernels (LoRA, Hu et al. 2022): two thin factors train, and the kernel is what they make.

The kernel is W + A B. W, what it was before, stays; A has its sides but the last, and `rank`; B has `rank` and its last
side. As in Keras's `enable_lora`, A is drawn (He, uniform), B is zero and the product is not scaled, so the network is
at first what it was.

Keras's own method cannot be taken back, and gives a layer two weights more. A worker has one network for all masks, so
the next mask, the starting weights and every file would find other weights than before. Here the factors belong to the
optimizer: a step takes the gradient of the kernel as it is, which by the chain rule says those of the factors, moves
these, and sets the kernel to what they make. It is the same arithmetic, and between two steps the network is an
ordinary one of the ordinary shapes: what leaves a training has the update merged into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from trainer.network.flat_memory import Adam

KERNELS = ("kernel", "pointwise_kernel")  # how Keras and nearly everybody call them
# A depthwise filter sees one channel: there is no matrix whose rank could be low. Keras adapts none of them, either.
WITHOUT_MATRIX = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
STREAM = 2  # keeps the draw of the factors apart from any other from the same seed and fold
ROUNDING = 1e-6  # of float32, for each product that is added
SMALLEST = float(np.finfo(np.float32).tiny)  # what is smaller may be taken for 0


def adaptable_kernels(layer: keras.Layer) -> list[Any]:
    """The kernels of convolutions and dense layers in a layer: the layer itself, or those in a layer made of others.

    A kernel with a constraint is none: after each step Keras makes of it what the factors did not.
    """
    return [
        weight
        for inner in layer._flatten_layers()
        if not isinstance(inner, WITHOUT_MATRIX)
        for weight in inner._trainable_variables
        if weight.name in KERNELS and len(weight.shape) > 1 and weight.constraint is None
    ]


def rank_of(shape: Sequence[int], rank: int) -> int:
    """The rank of a kernel's update: at most what a matrix of its last side and of all others can have."""
    return min(rank, math.prod(shape[:-1]), shape[-1])


def factor_parameters(shape: Sequence[int], rank: int) -> int:
    """How many numbers the two factors of a kernel have.

    >>> factor_parameters((3, 3, 64, 128), 4), factor_parameters((1, 1, 8, 1), 4)
    (2816, 9)
    """
    return rank_of(shape, rank) * (math.prod(shape[:-1]) + shape[-1])


@dataclass(frozen=True, eq=False)
class Factors:
    """What a `kernel` is made of: `base` + `down` `up`. No tuple, whose variables Keras would take for the optimizer's,
    the kernel among them.
    """

    kernel: Any
    base: Any
    down: Any
    up: Any


class LowRankAdam(Adam):
    """Adam on the factors of the kernels that it is built on, each of which trains by its factors alone.

    `factors`: by what each kernel's step is multiplied, as `Adam` has it. Before a training, `begin`.
    """

    def __init__(self, rank: int, learning_rate: float = 0.001, factors: Sequence[float] = ()) -> None:
        super().__init__(learning_rate, [factor for factor in factors for _ in ("down", "up")])
        self._rank = rank
        self._parts: tuple[Factors, ...] = ()
        self._index_of_factor: dict[Any, int] = {}

    def build(self, var_list: Sequence[Any]) -> None:
        """Make bases and factors of kernels, and Adam's two moments of each factor.

        Keras knows the optimizer by the kernels, of which there are gradients; Adam's moments are those of the factors.
        """
        if self.built:
            return
        super(keras.optimizers.Adam, self).build(var_list)
        self._parts = tuple(self._factors_of(kernel) for kernel in var_list)
        factors = [factor for parts in self._parts for factor in (parts.down, parts.up)]
        self._momentums, self._velocities = self.add_optimizer_variables(factors, ["momentum", "velocity"])
        self._index_of_factor = {self._var_key(factor): number for number, factor in enumerate(factors)}

    def _factors_of(self, kernel: Any) -> Factors:
        *rows, columns = kernel.shape
        rank = rank_of(kernel.shape, self._rank)
        return Factors(
            kernel,
            self.add_variable_from_reference(kernel, "base"),
            self.add_variable((*rows, rank), dtype=kernel.dtype, name="down"),
            self.add_variable((rank, columns), dtype=kernel.dtype, name="up"),
        )

    def _get_variable_index(self, variable: Any) -> int:
        return self._index_of_factor[self._var_key(variable)]

    def begin(self, seed: tuple[int, ...]) -> None:
        """Take the kernels as they are for bases, and draw their factors anew from `seed`."""
        for number, parts in enumerate(self._parts):
            parts.base.assign(ops.convert_to_numpy(parts.kernel).copy())  # else both would be one buffer on JAX
            limit = math.sqrt(6 / math.prod(parts.kernel.shape[:-1]))
            draw = np.random.default_rng([*seed, number, STREAM]).uniform(-limit, limit, tuple(parts.down.shape))
            parts.down.assign(draw.astype(np.float32))
            parts.up.assign(np.zeros(tuple(parts.up.shape), np.float32))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a kernel's factors by their gradients, and set it to what they then make."""
        parts = self._parts[self._trainable_variables_indices[self._var_key(variable)]]
        columns, rank = parts.kernel.shape[-1], parts.up.shape[0]
        gradient = ops.reshape(ops.cast(gradient, parts.kernel.dtype), (-1, columns))
        of_down = ops.reshape(ops.matmul(gradient, ops.transpose(parts.up)), parts.down.shape)
        of_up = ops.matmul(ops.transpose(ops.reshape(parts.down, (-1, rank))), gradient)
        super().update_step(of_down, parts.down, learning_rate)
        super().update_step(of_up, parts.up, learning_rate)
        self.assign(variable, _merged(parts))

    def broken(self) -> Iterator[str]:
        """The path of each kernel that is not what its base and its factors make, up to rounding."""
        for parts in self._parts:
            found, base, down, up = (
                ops.convert_to_numpy(variable).astype(np.float64)
                for variable in (parts.kernel, parts.base, parts.down, parts.up)
            )
            with np.errstate(all="ignore"):  # numbers of a training that diverged are told elsewhere
                away = np.abs(found - (base + down @ up))
                size = np.abs(base) + np.abs(down) @ np.abs(up)
                if (away > ROUNDING * (1 + len(up)) * size + SMALLEST).any():
                    yield parts.kernel.path

    def held(self) -> Mapping[str, Any]:
        """What each kernel was before, by a name."""
        return {f"base {number}": parts.base for number, parts in enumerate(self._parts)}


def _merged(parts: Factors) -> Any:
    """Base and product; one rank after the other, because an accelerator may round a matrix product to ten bits."""
    kernel = ops.convert_to_tensor(parts.base)
    for number in range(parts.up.shape[0]):
        kernel = kernel + parts.down[..., number : number + 1] * parts.up[number]
    return kernel
