from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.data.formats.decoded import as_stored
from trainer.data.images import read_grey, read_image
from trainer.errors import UserError

RAMP = np.linspace(0, 255, 12 * 16).reshape(12, 16).round().astype(np.uint8)


def saved(path: Path, mode: str) -> Path:
    """The ramp in `path`, in one of the modes that files come in."""
    picture = Image.fromarray(RAMP)
    if mode == "I;16":
        picture = Image.fromarray(RAMP.astype(np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(RAMP.astype(np.float32) / 255)
    elif mode == "P":
        picture = picture.convert("RGB").quantize(256)
    elif mode != "L":
        picture = picture.convert(mode)
    picture.save(path)
    return path


@pytest.mark.parametrize(
    ("suffix", "mode", "tolerance"),
    [
        (".png", "L", 1e-6),
        (".png", "RGB", 1e-6),
        (".png", "RGBA", 1e-6),
        (".png", "LA", 1e-6),
        (".png", "P", 0.01),
        (".png", "I;16", 1e-6),
        (".tif", "I;16", 1e-6),
        (".tiff", "F", 1e-6),
        (".bmp", "L", 1e-6),
        (".gif", "L", 1e-6),
        (".jpg", "L", 0.05),
        (".jpeg", "RGB", 0.05),
        (".jpg", "CMYK", 0.05),
    ],
)
def test_every_format_and_mode_gives_the_same_grey(tmp_path: Path, suffix: str, mode: str, tolerance: float) -> None:
    grey = read_grey(saved(tmp_path / f"x{suffix}", mode))
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, RAMP / 255, atol=tolerance)


def test_one_bit_is_zero_or_one(tmp_path: Path) -> None:
    Image.fromarray(RAMP > 127).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_grey(tmp_path / "x.png"), (RAMP > 127).astype(np.float32))


def test_images_shrink_by_averaging(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    Image.fromarray(stripes).save(tmp_path / "x.png")
    small = read_image(tmp_path / "x.png", 8)
    assert small.shape == (8, 8)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, 0.5, atol=0.03)  # without anti-aliasing it would be 0 or 1


def truncated(path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900])


def animated(path: Path) -> None:
    first, second = Image.new("L", (8, 8), 0), Image.new("L", (8, 8), 255)
    first.save(path, "GIF", save_all=True, append_images=[second])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (truncated, r"must be whole, but .*x\.png is truncated or damaged .* again"),
        (lambda path: path.write_text("hello"), r"must hold an image, but .*x\.png does not.*text 'hello'.*Replace"),
        (lambda path: path.write_bytes(b""), r"must hold an image, but .*x\.png does not.*empty"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0"), r"x\.png"),
        (animated, r"must hold one image, but .*x\.png holds 2"),
        (lambda path: None, r"x\.png was listed but is gone"),
    ],
)
def test_broken_files_are_named_with_the_remedy(tmp_path: Path, spoil: object, words: str) -> None:
    assert callable(spoil)
    spoil(tmp_path / "x.png")
    with pytest.raises(UserError, match=words):
        read_grey(tmp_path / "x.png")


def test_float_pictures_must_lie_between_0_and_1(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 7, np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(UserError, match=r"must lie in 0\.\.1 .*x\.tif holds 7\.\.7"):
        read_grey(tmp_path / "x.tif")


@pytest.mark.parametrize("ink", [0, 255])
def test_a_mask_drawn_in_the_transparency_alone_is_read_from_there(tmp_path: Path, ink: int) -> None:
    colour = np.full((*RAMP.shape, 3), ink, np.uint8)
    Image.fromarray(np.dstack([colour, RAMP])).save(tmp_path / "alpha.png")
    assert np.array_equal(read_grey(tmp_path / "alpha.png"), RAMP.astype(np.float32) / 255)


@pytest.mark.parametrize("of_image", [1, 3, 6])
@pytest.mark.parametrize("of_mask", [1, 8])
def test_image_and_mask_are_each_turned_by_their_own_orientation(tmp_path: Path, of_image: int, of_mask: int) -> None:
    """The mask as a picture: wherever it is bright as shown, it is marked."""
    shown = np.zeros((20, 30), np.uint8)
    shown[2:9, 3:20] = 255
    for folder, orientation in (("images", of_image), ("masks", of_mask)):
        (tmp_path / "set" / folder).mkdir(parents=True)
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(as_stored(shown, orientation)).save(tmp_path / f"set/{folder}/x.png", exif=exif)
    cases = load_cases(DataConfig(str(tmp_path / "set")), 60, tmp_path / "cache")
    assert ((cases.images > 0.5) == (cases.masks == 1)).mean() > 0.97
