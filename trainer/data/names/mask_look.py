"""Whether a file looks like a mask, for folders whose names do not say it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.data.formats.decode import decode
from trainer.errors import UserError

SAMPLE = 4
# A mask has few values; one saved as JPEG has many, nearly all of them close to its two extremes.
MOST_VALUES, NEAR, SHARE = 16, 0.08, 0.97


def look_like_masks(paths: Sequence[Path]) -> bool | None:
    """Whether all (True) or none (False) of a few of these files look like masks; None where that cannot be told."""
    chosen = [paths[round(index)] for index in np.linspace(0, len(paths) - 1, min(SAMPLE, len(paths)))] if paths else []
    looks = {looks_like_mask(path) for path in chosen}
    return looks.pop() if len(looks) == 1 else None


def looks_like_mask(path: Path) -> bool | None:
    """Whether the pixels are of few values, or near two of them; None for a file that cannot be read."""
    try:
        pixels = np.asarray(decode(path).pixels)
    except UserError:
        return None
    colours = pixels.reshape(-1, pixels.shape[2]) if pixels.ndim == 3 else pixels.reshape(-1, 1)
    if len(np.unique(colours, axis=0)) <= MOST_VALUES:
        return True
    grey = colours[:, : min(3, colours.shape[1])].mean(axis=1, dtype=np.float64)
    low, high = grey.min(), grey.max()
    near = (grey <= low + NEAR * (high - low)) | (grey >= high - NEAR * (high - low))
    return bool(near.mean() >= SHARE)
