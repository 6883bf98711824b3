"""Operations are counted as one counts them by hand, and only for the gradients that a mask needs."""

from __future__ import annotations

import pytest

from tests.benchmarks.yardstick.convolution_limit import Convolution, Directions, convolutions_of, flops, needed
from tests.benchmarks.yardstick.task import Task

SMALL = Task({"all": [*range(1, 10)]}, [1], 1e-3, 4, 32, 2, 0.5, "bce", [0, 1], [1, 1])
# Three convolutions one behind the other; 4, 8 and 2 operations for each image.
CHAIN = [Convolution(1, 1, 1, 1, 2), Convolution(2, 1, 1, 2, 2), Convolution(3, 1, 1, 1, 1)]


@pytest.mark.parametrize(
    ("blocks", "total"),
    [
        ((), 4 + 8 + 2),
        ((1,), 2 * 4 + 2 * 8 + 2 * 2),  # the gradient comes back to block 1 through the inputs of both others
        ((2,), 4 + 2 * 8 + 2 * 2),
        ((3,), 4 + 8 + 2 * 2),  # nothing before it trains: no gradient of an input
        ((1, 2, 3), 2 * 4 + 3 * 8 + 3 * 2),  # the gradient of the image is never needed
    ],
)
def test_a_step_needs_the_gradients_behind_the_first_convolution_that_trains(
    blocks: tuple[int, ...], total: int
) -> None:
    assert flops(CHAIN, blocks, batch=1) == total
    assert flops(CHAIN, blocks, batch=5) == 5 * total


def test_directions_of_the_middle_block() -> None:
    assert needed(CHAIN, {2}) == [Directions(False, False), Directions(True, False), Directions(False, True)]


def test_the_network_has_nineteen_convolutions_block_by_block() -> None:
    found = convolutions_of(SMALL)
    assert [one.block for one in found] == [block for block in range(1, 10) for _ in range(2)] + [9]
    assert found[0] == Convolution(1, 32, 3, 1, 2)
    assert found[10] == Convolution(6, 4, 3, 32 + 16, 16)  # the first behind a skip: both inputs joined
    assert found[-1] == Convolution(9, 32, 1, 2, 1)
