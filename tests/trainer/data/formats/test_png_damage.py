"""PNG files that were copied badly: noticed by their check sums, whatever Pillow makes of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.data.formats import png_damage
from trainer.data.formats.decode import decode
from trainer.errors import UserError

PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "x.png"
    Image.fromarray(PIXELS).save(path)
    return path


def with_pixels(data: bytes, change: bytes) -> bytes:
    """The file with other packed pixels, under a check sum of their own."""
    at = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[at - 4 : at])
    end = at + 4 + length + 4
    return data[: at - 4] + struct.pack(">I", len(change)) + b"IDAT" + change + sum_of(b"IDAT" + change) + data[end:]


def sum_of(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


RAW = b"".join(b"\0" + bytes(row) for row in PIXELS)
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a bit of the pixels": (lambda data: flipped(data, data.index(b"IDAT") + 12), "check sum of its chunk IDAT"),
    "another sum of all": (lambda data: with_pixels(data, flipped(zlib.compress(RAW), -2)), "cannot be unpacked"),
    "pixels cut off": (lambda data: with_pixels(data, zlib.compress(RAW)[:-9]), "cut off"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused(png: Path, name: str) -> None:
    change, said = DAMAGES[name]
    png.write_bytes(change(png.read_bytes()))
    with pytest.raises(UserError, match=f"truncated or damaged .*{said}"):
        decode(png)


def test_what_changes_no_pixel_is_no_damage(png: Path) -> None:
    data = png.read_bytes()
    end = data.index(b"IEND") - 4
    comment = struct.pack(">I", 3) + b"tEXt" + b"a\0b" + b"\0\0\0\0"  # its check sum is wrong
    for changed in (data, data[:end] + comment + data[end:], data[:end], data + b"behind the end"):
        png.write_bytes(changed)
        assert np.array_equal(decode(png).pixels, PIXELS)


def test_no_more_is_unpacked_than_an_image_takes(png: Path) -> None:
    png.write_bytes(with_pixels(png.read_bytes(), zlib.compress(RAW + bytes(5_000_000))))
    with png.open("rb") as file:
        assert png_damage.damage(file) == ""
    assert np.array_equal(decode(png).pixels, PIXELS)
