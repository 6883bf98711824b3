"""Damage of PNG files that Pillow does not look for: check sums of chunks, and of the pixels as a whole.

PNG has both so that a file that was copied badly is noticed (ISO/IEC 15948, 5.3 and 10.1). Pillow checks neither for
the chunks with the pixels, and gives what is left of them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER, PIXELS, END = b"IHDR", b"IDAT", b"IEND"
OF_PIXELS = (HEADER, b"PLTE", b"tRNS", PIXELS)  # the chunks that decide what is seen
PIECE = 2**20  # bytes that are unpacked at a time


def damage(file: IO[bytes]) -> str:
    """What is damaged in a PNG, in words; "" for nothing. Chunks that change no pixel are not looked at."""
    most, unpacking, ended = 0, zlib.decompressobj(), False
    for kind, content, whole in chunks(file):
        if not whole:
            return f"the check sum of its chunk {kind.decode('latin-1')} is wrong"
        if kind == HEADER and len(content) >= 8:
            width, height = struct.unpack(">II", content[:8])
            most = 2 * (height + 8) * (8 * width + 2)  # what an image of these sides takes at most, and more
        elif kind == PIXELS and not ended:
            try:
                ended, most = unpacked(unpacking, content, most)
            except zlib.error as error:
                return f"its pixels cannot be unpacked: {error}"
    return "" if ended else "its pixels are cut off"


def unpacked(unpacking: zlib._Decompress, content: bytes, most: int) -> tuple[bool, int]:
    """Unpack one more part of the pixels, to compare their check sum: whether that is done, and how much may follow.

    What is beyond an image's size is left alone, so that a small file cannot be unpacked into gigabytes.
    """
    while content and not unpacking.eof and most > 0:
        most -= len(unpacking.decompress(content, PIECE))
        content = unpacking.unconsumed_tail
    return unpacking.eof or most <= 0, most


def chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes, bool]]:
    """Kind and content of the chunks that decide what is seen, and whether the check sum is right; to the end mark."""
    file.seek(len(SIGNATURE))
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind == END:
            return
        if kind not in OF_PIXELS:
            file.seek(length + 4, 1)
            continue
        content = file.read(length)
        yield kind, content, file.read(4) == struct.pack(">I", zlib.crc32(kind + content))
