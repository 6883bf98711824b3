from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from tests.trainer.data.png_files import png_of
from trainer.data.formats.decode import decode, header
from trainer.data.formats.decoded import as_shown, as_stored
from trainer.data.images import read_grey
from trainer.errors import UserError

UPRIGHT = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
ORIENTATION = 274


def turned(path: Path, orientation: int, mode: str = "L") -> Path:
    """A file whose stored pixels every viewer turns into `UPRIGHT`."""
    image = Image.fromarray(as_stored(UPRIGHT, orientation)).convert(mode)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_an_image_is_turned_as_viewers_show_it(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"x{suffix}"
    if suffix == ".webp":
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        Image.fromarray(as_stored(UPRIGHT, orientation)).save(path, exif=exif, lossless=True)
    else:
        turned(path, orientation)
    decoded = decode(path)
    pixels = decoded.pixels if decoded.pixels.ndim == 2 else decoded.pixels[..., 0]
    np.testing.assert_array_equal(pixels, UPRIGHT)
    assert (header(path).width, header(path).height, decoded.orientation) == (4, 3, orientation)
    with Image.open(path) as raw:
        raw.load()
        raw_pixels = np.asarray(raw.convert("L"))
    if suffix != ".tif":  # Pillow itself turns those
        np.testing.assert_array_equal(as_stored(UPRIGHT, decoded.orientation), raw_pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pillow_agrees_on_every_orientation(orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image = Image.fromarray(UPRIGHT)
    expected = image.transpose(turns[orientation]) if orientation in turns else image
    np.testing.assert_array_equal(as_shown(UPRIGHT, orientation), np.asarray(expected))
    np.testing.assert_array_equal(as_stored(as_shown(UPRIGHT, orientation), orientation), UPRIGHT)


@pytest.mark.parametrize("orientation", [0, 9])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(UPRIGHT).save(tmp_path / "x.png", exif=exif)
    np.testing.assert_array_equal(decode(tmp_path / "x.png").pixels, UPRIGHT)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
def test_min_is_white_is_turned(tmp_path: Path, dtype: type, compression: str | None) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    values = UPRIGHT > 100 if dtype is np.bool_ else UPRIGHT.astype(dtype)
    Image.fromarray(values).save(tmp_path / "x.tif", tiffinfo=tags, compression=compression)
    decoded = decode(tmp_path / "x.tif")
    # Pillow turns 1 and 8 bits when it writes, too; 16 bits are stored as they are, and shown with 65535 as black.
    expected = 65535 - values if dtype is np.uint16 else values
    np.testing.assert_array_equal(decoded.labels, expected)


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("photometric", ["png", "minisblack", "miniswhite"])
def test_greys_of_2_and_4_bits_are_those_in_the_file(tmp_path: Path, photometric: str, bits: int) -> None:
    top = 2**bits - 1
    values = np.random.default_rng(bits).integers(0, top + 1, (5, 8)).astype(np.uint8)
    path = tmp_path / ("x.png" if photometric == "png" else "x.tif")
    stored = top - values if photometric == "miniswhite" else values
    path.write_bytes(png_of(stored, bits) if photometric == "png" else short_tiff_of(stored, bits, photometric))
    decoded = decode(path)
    np.testing.assert_array_equal(decoded.labels, values)
    np.testing.assert_array_equal(read_grey(path), (values * (255 // top)).astype(np.float32) / np.float32(255))


def short_tiff_of(values: NDArray[np.uint8], bits: int, photometric: str) -> bytes:
    """A TIFF of greys of 2 or 4 bits, which Pillow does not write."""
    packed = np.packbits((values[..., None] >> np.arange(bits - 1, -1, -1) & 1).reshape(len(values), -1), axis=1)
    white = int(photometric == "minisblack")
    height, width = values.shape
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, white), (273, 8), (277, 1), (278, height)]
    tags.append((279, packed.size))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + packed.size) + packed.tobytes() + ifd


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_of_16_bits_keep_all_of_them(tmp_path: Path, suffix: str, channels: int) -> None:
    values = np.random.default_rng(channels).integers(0, 65536, (5, 7, channels)).astype(np.uint16)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(png_of(values) if suffix == ".png" else tiff_of(values))
    decoded = decode(path)
    assert decoded.limits is None
    np.testing.assert_array_equal(decoded.pixels, values)


def tiff_of(values: NDArray[np.uint16]) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, photometric="rgb", extrasamples=[2] * (values.shape[2] - 3))
    return file.getvalue()


@pytest.mark.parametrize(("top", "refused"), [(4095, True), (65535, False)])
def test_grey_and_opacity_of_16_bits_is_refused_where_the_upper_8_are_empty(
    tmp_path: Path, top: int, refused: bool
) -> None:
    values = np.linspace(0, top, 70).reshape(5, 7, 2).astype(np.uint16)
    (tmp_path / "x.png").write_bytes(png_of(values))
    if not refused:
        np.testing.assert_array_equal(decode(tmp_path / "x.png").pixels[..., [0, 3]], values >> 8)
        return
    with pytest.raises(UserError, match=r"only the upper 8 bits.*x\.png has nearly nothing"):
        decode(tmp_path / "x.png")
