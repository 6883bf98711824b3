"""Small folders for tests of which files belong together: empty files by name, or images and masks drawn once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image


def touch(root: Path, *names: str) -> Path:
    """Empty files: most of pairing goes by names, and no image is opened."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


class Drawn:
    """Writes images (speckle) and masks (a white square) by linking to files drawn once, one of each number."""

    def __init__(self, store: Path, numbers: int = 8) -> None:
        self.store, self.numbers = store, numbers
        for number in range(numbers):
            speckle = np.random.default_rng([7, number]).integers(0, 255, (6, 6), np.uint8)
            Image.fromarray(speckle).resize((32, 32), Image.Resampling.BICUBIC).save(store / f"image{number}.png")
            square = np.zeros((32, 32), np.uint8)
            square[8 : 16 + number, 8:20] = 255
            Image.fromarray(square).save(store / f"mask{number}.png")

    def put(self, root: Path, images: list[str], masks: list[str]) -> Path:
        """The names in `images` become images, those in `masks` masks of the same numbers."""
        for kind, names in (("image", images), ("mask", masks)):
            for number, name in enumerate(names):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(self.store / f"{kind}{number % self.numbers}.png", root / name)
        return root
