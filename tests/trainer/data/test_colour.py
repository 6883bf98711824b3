"""Images in colour: one rule for all channels, from every kind of file, and right in all that is done with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.trainer.data.png_files import png_of
from tests.trainer.hues import write_hues
from trainer.channels import as_grey
from trainer.config import AugmentConfig, DataConfig
from trainer.data.augmentation import augmented
from trainer.data.cases import load_cases
from trainer.data.images import read_image, read_spaced
from trainer.data.intensity import IntensityRule, decide
from trainer.data.near_duplicates import near_duplicate_groups

# Flat quarters: what a palette, CMYK and an anti-aliased resize keep exactly.
QUARTERS = np.array([[[255, 0, 0], [0, 51, 204]], [[102, 102, 102], [0, 255, 255]]], np.uint8)
COLOURS = QUARTERS.repeat(8, axis=0).repeat(8, axis=1)
OPAQUE_LEFT = np.where(np.arange(16) < 8, 255, 0).astype(np.uint8)[None, :, None].repeat(16, axis=0)
Write = Callable[[Path], object]


def pillow(mode: str) -> Write:
    return lambda path: Image.fromarray(COLOURS).convert(mode).save(path)


def of_16_bits(white: int, opacity: bool = False) -> Write:
    pixels = (COLOURS.astype(np.float64) / 255 * white).round().astype(np.uint16)
    pixels = np.concatenate([pixels, OPAQUE_LEFT.astype(np.uint16) * 257], axis=2) if opacity else pixels
    return lambda path: path.write_bytes(png_of(pixels))


def with_opacity(path: Path) -> None:
    Image.fromarray(np.concatenate([COLOURS, OPAQUE_LEFT], axis=2)).save(path)


@pytest.mark.parametrize(
    ("suffix", "write", "tolerance"),
    [
        (".png", pillow("RGB"), 1e-6),
        (".png", with_opacity, 1e-6),
        (".png", lambda path: Image.fromarray(COLOURS).quantize(8).save(path), 1e-6),
        (".gif", pillow("RGB"), 1e-6),
        (".tif", pillow("CMYK"), 1e-6),
        (".jpg", lambda path: Image.fromarray(COLOURS).save(path, quality=100, subsampling=0), 0.02),
        (".png", of_16_bits(65535), 1e-4),
        (".png", of_16_bits(4095), 1e-3),
        (".png", of_16_bits(4095, opacity=True), 1e-3),
    ],
)
@pytest.mark.parametrize("size", [16, 2])
def test_every_kind_of_file(suffix: str, write: Write, tolerance: float, size: int, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    write(path)
    rule = decide([(path, None)], DataConfig())
    image, _ = read_spaced(path, size, None, rule, colour=True)
    assert image.shape == (size, size, 3) and image.dtype == np.float32
    if size == 16:
        np.testing.assert_allclose(image, COLOURS / 255, atol=tolerance)
    else:
        np.testing.assert_allclose(image.mean(axis=(0, 1)), COLOURS.mean(axis=(0, 1)) / 255, atol=0.01 + tolerance)


@pytest.mark.parametrize(
    ("suffix", "pixels"),
    [
        (".png", COLOURS[..., 1]),
        (".png", COLOURS[..., 1].astype(np.uint16) * 257),
        (".tif", COLOURS[..., 1].astype(np.float32) / 255),
        (".png", COLOURS[..., 1] > 100),
    ],
)
def test_a_grey_file_has_three_equal_channels(suffix: str, pixels: NDArray[np.generic], tmp_path: Path) -> None:
    Image.fromarray(pixels).save(tmp_path / f"x{suffix}")
    image, _ = read_spaced(tmp_path / f"x{suffix}", 6, colour=True)
    np.testing.assert_array_equal(image, np.stack([read_image(tmp_path / f"x{suffix}", 6)] * 3, axis=2))


def test_an_image_is_stretched_as_one_and_keeps_its_hues(tmp_path: Path) -> None:
    """Channel by channel, a dim blue would become as bright as any red."""
    Image.fromarray(np.array([[[200, 0, 0], [100, 50, 0]]], np.uint8)).save(tmp_path / "x.png")
    image, _ = read_spaced(tmp_path / "x.png", 2, None, IntensityRule("image"), colour=True)
    np.testing.assert_allclose(image[0], np.array([[1, 0, 0], [0.5, 0.25, 0]]), atol=1e-6)


def test_cases_in_colour(tmp_path: Path) -> None:
    folder = write_hues(tmp_path / "data", 4)
    Image.open(folder / "images/0.png").convert("L").save(folder / "images/0.png")
    grey, colour = (load_cases(DataConfig(str(folder), colour=each), 32, tmp_path / "c") for each in (False, True))
    assert (grey.images.shape, colour.images.shape, colour.masks.shape) == ((4, 32, 32), (4, 32, 32, 3), (4, 32, 32))
    assert "Images: read in colour; 1 of 4 are grey and have three equal channels." in colour.readings
    assert not any("colour" in sentence for sentence in grey.readings) and grey.digest != colour.digest
    np.testing.assert_allclose(as_grey(colour.images), grey.images, atol=1 / 255)
    np.testing.assert_array_equal(
        load_cases(DataConfig(str(folder), colour=True), 32, tmp_path / "c").images, colour.images
    )


def test_all_channels_are_warped_by_the_map_of_the_mask() -> None:
    rng = np.random.default_rng(0)
    images, masks, names = (
        rng.random((3, 16, 16, 3), np.float32),
        rng.integers(0, 2, (3, 16, 16), np.uint8),
        list("abc"),
    )
    config = AugmentConfig(total=9)
    x, y = augmented(images, masks, names, np.arange(3), config, seed=1)
    assert x.shape == (9, 16, 16, 3)
    for channel in range(3):
        alone, same = augmented(images[..., channel], masks, names, np.arange(3), config, seed=1)
        np.testing.assert_array_equal(x[..., channel], alone)
        np.testing.assert_array_equal(y, same)


def test_near_duplicates_are_found_by_luminance() -> None:
    images = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    images[2] = as_grey(images[:1])[0][..., None]  # the same image, saved in grey
    assert near_duplicate_groups(images).tolist() == near_duplicate_groups(as_grey(images)).tolist() == [0, 1, 0]
