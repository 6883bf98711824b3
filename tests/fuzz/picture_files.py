"""Image files of every common format with their parts mangled: PNG's chunks, JPEG's segments, TIFF's tags, headers."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from tests.fuzz.mutating import NUMBERS, bytes_changed, number_put, pick

SIDES = (1, 2, 3, 31, 32, 33, 64, 255, 4000, 50_000, 65_535, 2**31 - 1, 2**31, 2**32 - 1)
ORIENTATION, EXIF_HEADER = 0x0112, b"Exif\0\0"
FORMATS: dict[str, tuple[tuple[str, str], ...]] = {  # suffix: modes with the compression that TIFF takes
    ".png": tuple((mode, "") for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")),
    ".jpg": tuple((mode, "") for mode in ("L", "RGB", "CMYK")),
    ".tif": (
        *((mode, way) for mode in ("L", "RGB", "RGBA", "I;16", "F") for way in ("raw", "tiff_lzw")),
        *(("1", "group4"), ("P", "packbits"), ("LA", "raw"), ("CMYK", "tiff_adobe_deflate"), ("L", "jpeg")),
    ),
    ".gif": (("L", ""), ("P", "")),
    ".bmp": tuple((mode, "") for mode in ("1", "L", "P", "RGB")),
}
Change = Callable[[Generator, bytes], tuple[bytes, str]]


def written(pixels: Any, suffix: str, mode: str, way: str = "", **options: Any) -> bytes:
    """uint8 pixels (height, width) as a file of a format and mode."""
    image = in_mode(pixels, mode)
    if way:
        options["compression"] = way
    if suffix == ".jpg":
        options["quality"] = 90
    buffer = io.BytesIO()
    image.save(buffer, {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".gif": "GIF", ".bmp": "BMP"}[suffix], **options)
    return buffer.getvalue()


def in_mode(pixels: Any, mode: str) -> Image.Image:
    """Grey pixels in a mode of Pillow's, opaque where it has opacity."""
    if mode == "I;16":
        return Image.fromarray(pixels.astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(pixels.astype(np.float32) / 255)
    return Image.fromarray(pixels).convert(mode)


def picture_changed(rng: Generator, data: bytes, suffix: str) -> tuple[bytes, str]:
    """A file with its structure mangled as its format has it, or simply its bytes."""
    change = CHANGES.get(suffix)
    if change is None or rng.random() < 0.3:
        return bytes_changed(rng, data)
    try:
        return change(rng, data)
    except (struct.error, IndexError, ValueError):
        return bytes_changed(rng, data)


# PNG -----------------------------------------------------------------------------------------------------------------


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each chunk."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The file of these chunks, with check sums that are right."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def png_is_whole(data: bytes) -> bool:
    """Whether the check sums of a PNG's chunks that decide what is seen are right, and its pixels are all there."""
    at, packed = 8, b""
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 8 + length
        decides = kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
        if decides and data[end : end + 4] != struct.pack(">I", zlib.crc32(data[at + 4 : end])):
            return False
        packed += data[at + 8 : end] if kind == b"IDAT" else b""
        if kind == b"IEND":
            break
        at = end + 4
    pixels = zlib.decompressobj()
    try:
        pixels.decompress(packed, 2**24)
    except zlib.error:
        return False
    return pixels.eof


def png_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    chunks = png_chunks(data)
    at, other = int(rng.integers(len(chunks))), int(rng.integers(len(chunks)))
    kind, content = chunks[at]
    idat = next(number for number, (name, _) in enumerate(chunks) if name == b"IDAT")
    name = kind.decode("latin-1")
    match int(rng.integers(12)):
        case 0:
            return png_of(chunks[:at] + chunks[at + 1 :]), f"chunk {name} taken out"
        case 1:
            return png_of(chunks[: at + 1] + chunks[at:]), f"chunk {name} twice"
        case 2:
            chunks[at], chunks[other] = chunks[other], chunks[at]
            return png_of(chunks), f"chunks {at} and {other} swapped"
        case 3:
            return png_header(rng, chunks)
        case 4:
            chunks[at] = (kind, bytes_changed(rng, content)[0])
            return png_of(chunks), f"content of chunk {name}, with its check sum"
        case 5:
            raw = bytearray(zlib.decompress(chunks[idat][1]))
            raw[int(rng.integers(len(raw)))] ^= 1 << int(rng.integers(8))
            chunks[idat] = (b"IDAT", zlib.compress(bytes(raw)))
            return png_of(chunks), "a bit of the pixels or of a filter's number"
        case 6:
            whole = chunks[idat][1]
            cut = int(rng.integers(len(whole) + 1))
            parts = [(b"IDAT", whole[:cut]), (b"IDAT", whole[cut:])]
            if rng.random() < 0.3:
                parts.insert(1, (b"tEXt", b"between\0them"))
            return png_of(chunks[:idat] + parts + chunks[idat + 1 :]), "pixels in two chunks"
        case 7:
            chunks[idat] = (b"IDAT", chunks[idat][1][: int(rng.integers(len(chunks[idat][1])))])
            return png_of(chunks), "pixels cut off, with their check sum"
        case 8:
            extra = pick(rng, extra_chunks(rng))
            chunks.insert(int(rng.integers(1, len(chunks) + 1)), extra)
            return png_of(chunks), f"a chunk {extra[0].decode('latin-1')} of {len(extra[1])} bytes put in"
        case 9:
            renamed = pick(rng, (b"IDAT", b"PLTE", b"tRNS", b"IHDR", b"IEND", b"abcd", b"\0\0\0\0", b"eXIf", b"acTL"))
            chunks[at] = (renamed, content)
            return png_of(chunks), f"chunk {name} renamed {renamed!r}"
        case 10:
            return png_of(chunks) + png_of(chunks), "another image behind it"
        case _:
            start = 8 + sum(12 + len(content) for _, content in chunks[:at])
            where = start + int(rng.integers(12 + len(content)))
            return number_put(rng, data, where)[0], f"a number put into chunk {name}, its check sum left"


def png_header(rng: Generator, chunks: list[tuple[bytes, bytes]]) -> tuple[bytes, str]:
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
    number = int(rng.integers(7))
    fields[number] = pick(rng, SIDES if number < 2 else (0, 1, 2, 3, 4, 6, 8, 16, 255))
    chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *fields))
    named = ("width", "height", "depth", "colour type", "compression", "filter", "interlacing")[number]
    return png_of(chunks), f"{named} {fields[number]}"


def extra_chunks(rng: Generator) -> list[tuple[bytes, bytes]]:
    bomb = zlib.compress(b"\0" * 20_000_000)
    return [
        (b"eXIf", exif(int(rng.integers(0, 10)))),
        (b"eXIf", rng.bytes(30)),
        (b"zTXt", b"bomb\0\0" + bomb),
        (b"iCCP", b"bomb\0\0" + bomb),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>"),
        (b"tRNS", rng.bytes(int(pick(rng, (0, 1, 2, 6, 256))))),
        (b"PLTE", rng.bytes(int(pick(rng, (0, 3, 4, 768, 900))))),
        (b"acTL", struct.pack(">II", int(pick(rng, (0, 1, 2, 2**31))), 0)),
        (b"gAMA", struct.pack(">I", int(pick(rng, (0, 1, 45455, 2**32 - 1))))),
        (b"sBIT", rng.bytes(3)),
        (b"pHYs", struct.pack(">IIB", 0, 2**32 - 1, 1)),
        (b"IEND", b""),
        (b"IDAT", rng.bytes(20)),
        (b"fdAT", rng.bytes(20)),
    ]


def exif(orientation: int) -> bytes:
    """EXIF with an orientation."""
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags.tobytes().removeprefix(EXIF_HEADER)


# JPEG ----------------------------------------------------------------------------------------------------------------


def jpeg_parts(data: bytes) -> list[bytes]:
    """The segments up to the beginning of the pixels, each with its mark; last the pixels."""
    parts, at = [data[:2]], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        parts.append(data[at:end])
        at = end
    return [*parts, data[at:]]


def segment(mark: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(content) + 2) + content


def jpeg_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    parts = jpeg_parts(data)
    at, other = int(rng.integers(1, len(parts))), int(rng.integers(1, len(parts)))
    sizes = next(number for number, part in enumerate(parts) if part[:2] in (b"\xff\xc0", b"\xff\xc2"))
    mark = parts[at][:2].hex()
    match int(rng.integers(9)):
        case 0:
            return b"".join(parts[:at] + parts[at + 1 :]), f"segment {mark} taken out"
        case 1:
            return b"".join(parts[: at + 1] + parts[at:]), f"segment {mark} twice"
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
            return b"".join(parts), f"segments {at} and {other} swapped"
        case 3:
            frame = bytearray(parts[sizes])
            side = pick(rng, (5, 7))
            frame[side : side + 2] = struct.pack(">H", pick(rng, SIDES) % 65536)
            parts[sizes] = bytes(frame)
            return b"".join(parts), "another side"
        case 4:
            frame = bytearray(parts[sizes])
            frame[int(rng.integers(4, len(frame)))] = int(rng.integers(256))
            parts[sizes] = bytes(frame)
            return b"".join(parts), "a byte of the frame's header"
        case 5:
            content = pick(rng, (exif(int(rng.integers(10))), rng.bytes(30)))
            parts.insert(1, segment(0xE1, EXIF_HEADER + content))
            return b"".join(parts), "EXIF put in"
        case 6:
            parts.insert(1, segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes([int(rng.integers(3))])))
            return b"".join(parts), "another transform of colours"
        case 7:
            pixels = parts[-1]
            parts[-1] = pixels[: int(rng.integers(12, len(pixels)))] + pick(rng, (b"", b"\xff\xd9"))
            return b"".join(parts), "pixels cut off"
        case _:
            parts[at] = bytes_changed(rng, parts[at])[0]
            return b"".join(parts), f"content of segment {mark}"


# TIFF, GIF and BMP ---------------------------------------------------------------------------------------------------


def tiff_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack(order + "I", data[4:8])
    (count,) = struct.unpack(order + "H", data[start : start + 2])
    at = start + 2 + 12 * int(rng.integers(count))
    end = start + 2 + 12 * count
    number, kind, many, value = struct.unpack(order + "HHII", data[at : at + 12])

    def entry(*fields: int) -> bytes:
        return data[:at] + struct.pack(order + "HHII", *fields) + data[at + 12 :]

    match int(rng.integers(8)):
        case 0 | 1:
            changed = pick(rng, (*NUMBERS, *range(10), len(data), value + 1, value * 2)) % 2**32
            return entry(number, kind, many, changed), f"tag {number} made {changed}"
        case 2:
            changed = pick(rng, (0, 1, 2, 3, 4, 5, 6, 9, 11, 12, 13, 16, 99))
            return entry(number, changed, many, value), f"tag {number} of type {changed}"
        case 3:
            changed = pick(rng, NUMBERS) % 2**32
            return entry(number, kind, changed, value), f"tag {number} with {changed} values"
        case 4:
            changed = pick(rng, (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 284, 317, 322, 330, 339, 34665))
            return entry(changed, kind, many, value), f"tag {number} made tag {changed}"
        case 5:
            return data[:at] + data[at + 12 : end] + b"\0" * 12 + data[end:], f"tag {number} taken out, its count left"
        case 6:
            following = pick(rng, (start, 8, len(data), len(data) - 1, 2**32 - 1))
            return data[:end] + struct.pack(order + "I", following) + data[end + 4 :], f"the next page at {following}"
        case _:
            changed = pick(rng, (0, 1, count - 1, count + 1, 65535)) % 65536
            return data[:start] + struct.pack(order + "H", changed) + data[start + 2 :], f"{changed} tags"


def header_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    return number_put(rng, data, int(rng.integers(56)))


CHANGES: dict[str, Change] = {
    ".png": png_changed,
    ".jpg": jpeg_changed,
    ".tif": tiff_changed,
    ".gif": header_changed,
    ".bmp": header_changed,
}
