"""Drawn images: speckle with one dark ellipse, and its mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

HEIGHT, WIDTH = 72, 96
TISSUE, LESION = (0.53, 0.08), (0.17, 0.03)  # mean and SD of the grey value outside and inside


def draw(number: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """`number` images and masks of {0, 255}, both uint8 (number, 72, 96); the ellipse covers 5 to 12 % of an image."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    images, masks = np.empty((2, number, HEIGHT, WIDTH), np.uint8)
    for index in range(number):
        y, x = rng.uniform(0.35, 0.65, 2) * (HEIGHT, WIDTH)
        a, b, angle = *rng.uniform(9, 17, 2), rng.uniform(0, np.pi)
        u = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        v = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
        inside = (u / a) ** 2 + (v / b) ** 2 <= 1
        noise = gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 1)
        noise /= noise.std()
        grey = np.where(inside, LESION[0] + LESION[1] * noise, TISSUE[0] + TISSUE[1] * noise)
        images[index], masks[index] = (255 * grey.clip(0, 1)).round(), 255 * inside
    return images, masks


def working(pixels: NDArray[np.uint8], size: int, resample: Image.Resampling) -> NDArray[np.float32]:
    """Images or masks as (n, size, size) in [0, 1]."""
    resized = [Image.fromarray((one / 255).astype(np.float32)).resize((size, size), resample) for one in pixels]
    return np.stack([np.asarray(one) for one in resized]).clip(0, 1)


def at(size: int, number: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Grey images (n, size, size) in [0, 1] and their masks, squeezed to the square as thaw does it."""
    images, masks = draw(number, seed)
    return working(images, size, Image.Resampling.BILINEAR), working(masks, size, Image.Resampling.NEAREST) > 0.5


def write(folder: Path, number: int, seed: int) -> Path:
    """The images and masks as PNG in `folder/images` and `folder/masks`; returns `folder`."""
    for name, pixels in zip(("images", "masks"), draw(number, seed), strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index, one in enumerate(pixels):
            Image.fromarray(one).save(folder / name / f"p{index}.png")
    return folder


def dice(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """The mean Dice of boolean masks (n, H, W)."""
    both = (truth & found).sum(axis=(1, 2))
    return float(np.mean(2 * both / (truth.sum(axis=(1, 2)) + found.sum(axis=(1, 2)))))
