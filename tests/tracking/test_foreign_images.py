"""Images of the record: only PNG of bounded size is decoded."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from tracking.foreign_images import is_png, open_png


def png(width: int, height: int) -> bytes:
    """A PNG whose head claims a size, with hardly any pixels behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def other(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(60_000, 60_000), "no PNG image|at most 33,554,432 are decoded"),
        (png(8_000, 8_000), "has 8,000 x 8,000 pixels, and at most"),
        (other("TIFF"), "no PNG image"),
        (other("GIF"), "no PNG image"),
        (b"<svg onload='alert(1)'/>", "no PNG image"),
        (b"", "no PNG image"),
    ],
)
def test_anything_else_is_refused_before_it_is_decoded(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_png(content)
    assert not is_png(content)


def test_a_png_opens() -> None:
    assert open_png(other("PNG")).size == (4, 4) and is_png(other("PNG"))
