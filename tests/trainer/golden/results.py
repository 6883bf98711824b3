"""What one version of the arithmetic covers, as plain numbers, and how two of them are compared.

Kinds: `exact` values are equal on every processor; `close` ones carry the rounding of a few operations, `trained` ones
that of a few training steps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = dict[str, list[float]]

# Relative and absolute. With other kernels (oneDNN off, or held to SSE4.1), one thread, or NumPy without AVX, no number
# changed by more than a tenth of this (test_arithmetic.py has changes that do).
TOLERANCES = {"exact": (0.0, 0.0), "close": (1e-5, 1e-6), "trained": (1e-4, 1e-7)}


@dataclass
class Golden:
    """Values by name: `exact` as JSON holds them, `close` and `trained` as lists of numbers."""

    exact: dict[str, Any] = field(default_factory=dict)
    close: Numbers = field(default_factory=dict)
    trained: Numbers = field(default_factory=dict)


def differences(expected: Mapping[str, Any], golden: Golden) -> list[str]:
    """One line for every value that is not as expected within its kind's tolerance."""
    lines = []
    for kind, (relative, absolute) in TOLERANCES.items():
        before, now = expected[kind], json.loads(json.dumps(getattr(golden, kind)))
        lines += [f"'{name}' is not in both" for name in sorted(before.keys() ^ now.keys())]
        lines += [
            f"'{name}': expected {before[name]}, but got {now[name]}"
            for name in sorted(before.keys() & now.keys())
            if before[name] != now[name] and not (absolute and is_close(before[name], now[name], relative, absolute))
        ]
    return lines


def with_new(expected: Mapping[str, Any], golden: Golden) -> dict[str, Any]:
    """The expected values, and those of `golden` whose names are new: what nobody had asked before."""
    return {kind: getattr(golden, kind) | dict(expected[kind]) for kind in TOLERANCES}


def is_close(before: Sequence[float], now: Sequence[float], relative: float, absolute: float) -> bool:
    """Whether two lists agree, number by number."""
    return len(before) == len(now) and np.allclose(now, before, rtol=relative, atol=absolute)


def bits(masks: NDArray[np.uint8]) -> str:
    """Digest of masks of 0 and 1: 16 hex digits."""
    return hashlib.sha256(f"{masks.shape}".encode() + np.packbits(masks).tobytes()).hexdigest()[:16]


def summary(images: NDArray[np.float32]) -> list[float]:
    """Of each image (n, size, size) the mean, the spread, and five pixels."""
    size = images.shape[1]
    places = [size + 1, size * size // 3, size * size // 2 + 3, size * size - size, size * size - 2]
    probed = images.reshape(len(images), -1)[:, places]
    return floats(np.column_stack([images.mean(axis=(1, 2)), images.std(axis=(1, 2)), probed]).ravel())


def norm(array: NDArray[Any]) -> float:
    """Root of the mean square."""
    return rounded(float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))))


def floats(array: NDArray[Any]) -> list[float]:
    """Plain numbers."""
    return [rounded(float(value)) for value in array]


def rounded(value: float) -> float:
    """To nine digits, which tell apart any two float32 numbers."""
    return float(f"{value:.9g}")
