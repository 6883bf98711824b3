"""Where masks are cut, and which are not cut at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.data.masks.two_levels import upper_of_two
from trainer.data.masks.values import MaskValues

Pixels = tuple[int, int, int]


def mask(levels: dict[int, Pixels] | dict[float, Pixels], *, lossy: bool = False) -> MaskValues:
    """Values with how many pixels hold them, how many of these are flat, and how many sloped."""
    counts, flat, sloped = (np.array([numbers[i] for numbers in levels.values()], np.int64) for i in range(3))
    return MaskValues(Path("m.png"), "grey", np.array(list(levels)), counts, flat, sloped, lossy)


BLACK, WHITE, EDGE = (900, 800, 0), (100, 60, 0), (10, 0, 10)
SOFT = {0: BLACK, 60: EDGE, 180: EDGE, 255: WHITE}


@pytest.mark.parametrize(
    ("masks", "at"),
    [
        ([mask(SOFT)], 127.5),
        ([mask({0: BLACK, 60: EDGE, 90: EDGE, 253: WHITE})], 127.5),  # a white that is nearly reached is meant
        ([mask({0: BLACK, 40: EDGE, 60: EDGE, 100: WHITE})], 50),
        ([mask({0.0: BLACK, 0.4: EDGE, 0.6: EDGE, 1.0: WHITE})], 0.5),
        ([mask({0: BLACK, 9000: EDGE, 30000: EDGE, 65535: WHITE})], 32767.5),
        ([mask({0: BLACK, 100: EDGE, 255: WHITE})], None),  # one value and no other: the label of a rim
        ([mask({0: BLACK, 100: EDGE, 255: WHITE}), mask(SOFT)], 127.5),
        ([mask({0: BLACK, 3: EDGE, 7: EDGE})], None),  # labels, however soft they look
        ([mask({0: BLACK, 128: (40, 30, 0), 255: WHITE})], None),  # areas between the levels
        ([mask({0: BLACK, 128: (40, 0, 0), 255: WHITE})], None),  # thin lines that lie on no slope
        ([mask({0: BLACK, 20: (40, 30, 0), 255: WHITE})], None),  # areas of a faint label
        ([mask({0: BLACK, 20: (40, 30, 0), 255: WHITE}, lossy=True)], 127.5),  # noise has areas, too
        ([mask({200: BLACK, 230: EDGE, 255: WHITE})], None),  # no black
        ([mask(SOFT), mask({0: BLACK, 90: (50, 30, 0)})], None),  # alone, the second would have an object
        ([mask(SOFT), mask({0: BLACK, 90: (5, 0, 5)})], 127.5),  # a small object gone grey
        ([mask({0: BLACK, 128: WHITE, 255: (30, 0, 30)}, lossy=True)], None),  # a small cup in a disc
        ([mask({0: BLACK, 128: WHITE, 150: (30, 0, 30)}, lossy=True)], 64),  # noise a little beyond the level
        ([mask({0: BLACK, 204: WHITE, 214: (40, 30, 0)})], None),  # numbered cells
        ([mask({0: BLACK, 3: (40, 30, 0), 255: WHITE})], 127.5),  # JPEG's noise, saved anew without loss
        ([mask({0: BLACK, 200: (5, 0, 0)})], 127.5),  # no areas, but beyond half of white
        ([mask({0: BLACK, 90: (5, 0, 0)})], None),
    ],
)
def test_the_cut(masks: list[MaskValues], at: float | None) -> None:
    upper = upper_of_two(masks)
    assert (upper and upper / 2) == at
