"""One image in every coding that people have: read as the same grey, or refused in words, alone as in its set."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from trainer.config import DataConfig
from trainer.data.formats.decoded import as_stored
from trainer.data.images import read_grey
from trainer.data.intensity import IntensityRule, Limits, decide, rule_of
from trainer.errors import UserError

RAMP = np.linspace(0, 1, 12 * 16).reshape(12, 16)  # what every coding shows
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)
Write = Callable[[NDArray[np.float64], Path], object]


def pillow(mode: str = "L", suffix_options: dict[str, Any] | None = None) -> Write:
    def write(grey: NDArray[np.float64], path: Path) -> None:
        Image.fromarray(bits(grey, 8)).convert(mode).save(path, **(suffix_options or {}))

    return write


def bits(grey: NDArray[np.float64], depth: int, kind: str = "") -> NDArray[Any]:
    """Grey in [0, 1] as whole numbers of so many bits."""
    return np.asarray(np.round(grey * (2**depth - 1))).astype(kind or ("u1" if depth == 8 else "u2"))


def values(make: Callable[[NDArray[np.float64]], NDArray[Any]], **options: Any) -> Write:
    """A TIFF of any values."""
    return lambda grey, path: tifffile.imwrite(path, make(grey), **{"photometric": "minisblack"} | options)


def png16(depth: int) -> Write:
    return lambda grey, path: Image.fromarray(bits(grey, depth, "u2")).save(path)


def png_of(pixels: NDArray[np.uint16]) -> bytes:
    """A PNG of several channels of 16 bits, which Pillow does not write."""
    height, width, channels = pixels.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def rgb16(depth: int, channels: int = 3) -> Write:
    def write(grey: NDArray[np.float64], path: Path) -> None:
        path.write_bytes(png_of(np.repeat(bits(grey, depth, "u2")[..., None], channels, axis=2)))

    return write


def packed12(grey: NDArray[np.float64], path: Path) -> None:
    """A TIFF of 12 bits per sample, two samples in three bytes."""
    left, right = bits(grey, 12)[:, ::2].astype(int), bits(grey, 12)[:, 1::2].astype(int)
    packed = np.stack([left >> 4, (left & 15) << 4 | right >> 8, right & 255], axis=2).astype(np.uint8).tobytes()
    tags = [(256, 16), (257, 12), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 12), (279, len(packed))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    ifd = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + ifd)


def min_is_white(dtype: str, **options: Any) -> Write:
    def write(grey: NDArray[np.float64], path: Path) -> None:
        depth = np.iinfo(dtype).bits
        tifffile.imwrite(path, bits(1 - grey, depth, dtype), photometric="miniswhite", **options)

    return write


def one_bit_min_is_white(grey: NDArray[np.float64], path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    Image.fromarray(grey > 0.5).save(path, tiffinfo=tags)


def turned(orientation: int) -> Write:
    def write(grey: NDArray[np.float64], path: Path) -> None:
        exif = Image.Exif()
        exif[274] = orientation
        Image.fromarray(as_stored(bits(grey, 8), orientation)).save(path, exif=exif)

    return write


def palette(grey: NDArray[np.float64], path: Path) -> None:
    """Numbers in the order opposite to their brightness, so that who reads numbers reads a negative."""
    image = Image.fromarray(255 - bits(grey, 8)).convert("P")
    image.putpalette([255 - index // 3 for index in range(768)])
    image.putdata(list((255 - bits(grey, 8)).ravel()))
    image.save(path)


def lab(grey: NDArray[np.float64], path: Path) -> None:
    channels = np.repeat(bits(grey, 8)[..., None], 3, axis=2)
    tifffile.imwrite(path, channels, photometric="cielab")


def pages(grey: NDArray[np.float64], path: Path) -> None:
    tifffile.imwrite(path, np.stack([bits(grey, 8)] * 2), photometric="minisblack")


def animation(grey: NDArray[np.float64], path: Path) -> None:
    frames = [Image.fromarray(bits(each, 8)) for each in (grey, 1 - grey)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def cut(write: Write) -> Write:
    def write_and_cut(grey: NDArray[np.float64], path: Path) -> None:
        write(grey, path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    return write_and_cut


def analyze(grey: NDArray[np.float64], path: Path) -> None:
    path.write_bytes(bits(grey, 8).tobytes())
    path.with_suffix(".hdr").write_bytes(struct.pack("<i", 348) + bytes(344))


@dataclass(frozen=True)
class Coding:
    """How an image is written; how far its grey may be off; what the rule says of it; or why it is refused."""

    name: str
    suffix: str
    write: Write
    tolerance: float = 1 / 255
    says: str = ""
    refused: str = ""
    truth: Callable[[NDArray[np.float64]], NDArray[Any]] = lambda grey: grey


CODINGS = (
    Coding("8 bit PNG", ".png", pillow()),
    Coding("RGB PNG", ".png", pillow("RGB")),
    Coding("grey with opacity", ".png", pillow("LA")),
    Coding("RGB with opacity", ".png", pillow("RGBA")),
    Coding("palette", ".png", palette),
    Coding("palette TIFF", ".tif", palette),
    Coding("one bit", ".png", pillow("1"), 0, truth=lambda grey: dithered(grey)),
    Coding("JPEG", ".jpg", pillow(), 0.1),
    Coding("CMYK JPEG", ".jpg", pillow("CMYK"), 0.1),
    Coding("CMYK TIFF", ".tif", pillow("CMYK"), 0.01),
    Coding("YCbCr TIFF", ".tif", pillow("YCbCr"), 0.01),
    Coding("WebP", ".webp", pillow("L", {"lossless": True}), 0.01),
    Coding("JPEG 2000", ".jp2", pillow(), 0.02),
    Coding("portable greymap", ".pgm", pillow()),
    Coding("16 bit PNG", ".png", png16(16)),
    Coding("14 bits in a 16-bit PNG", ".png", png16(14), says="read as 14 bits"),
    Coding("12 bits in a 16-bit PNG", ".png", png16(12), says="read as 12 bits, 0 is black and 4095 is white"),
    Coding("10 bits in a 16-bit PNG", ".png", png16(10), says="read as 10 bits"),
    Coding("8 bits in a 16-bit PNG", ".png", png16(8), says="read as 8 bits"),
    Coding("16 bit TIFF, low byte first", ".tif", values(lambda grey: bits(grey, 16), byteorder="<")),
    Coding("16 bit TIFF, high byte first", ".tif", values(lambda grey: bits(grey, 16), byteorder=">")),
    Coding("12 bits, high byte first", ".tif", values(lambda grey: bits(grey, 12), byteorder=">"), says="12 bits"),
    Coding("12 bits, packed", ".tif", packed12),
    Coding("16 bit RGB PNG", ".png", rgb16(16)),
    Coding("12 bits in a 16-bit RGB PNG", ".png", rgb16(12), says="read as 12 bits"),
    Coding("12 bits in a 16-bit RGBA PNG", ".png", rgb16(12, 4), says="read as 12 bits"),
    Coding("12 bits in 16-bit grey with opacity", ".png", rgb16(12, 2), refused="only the upper 8 bits are read"),
    Coding("32-bit integers of 16 bits", ".tif", values(lambda grey: bits(grey, 16, "i4"))),
    Coding("32-bit integers of 12 bits", ".tif", values(lambda grey: bits(grey, 12, "i4")), says="read as 12 bits"),
    Coding(
        "32-bit integers",
        ".tif",
        values(lambda grey: bits(grey, 24, "i4")),
        refused=r"at most 16 bits.*data\.range=\[0, 1\.",
    ),
    Coding("signed 16 bits of CT", ".tif", values(lambda grey: (grey * 4095 - 1024).astype("i2")), says="Hounsfield"),
    Coding("signed 16 bits", ".tif", values(lambda grey: (grey * 300 - 150).astype("i2")), refused="values below 0"),
    Coding("signed 8 bits", ".tif", values(lambda grey: (grey * 255 - 128).astype("i1")), refused="signed"),
    Coding("floats to 1", ".tif", values(lambda grey: grey.astype("f4"))),
    Coding("floats a little beyond 1", ".tif", values(lambda grey: (grey * 1.0005).astype("f4"))),
    Coding("floats to 255", ".tif", values(lambda grey: (grey * 255).astype("f4")), says="255 is white"),
    Coding("whole floats to 4095", ".tif", values(lambda grey: bits(grey, 12, "f4")), says="read as 12 bits"),
    Coding("floats to 7", ".tif", values(lambda grey: (grey * 7).astype("f4")), refused=r"hold 0 to [57].*data\.range"),
    Coding("floats from -1", ".tif", values(lambda grey: (grey * 2 - 1).astype("f4")), refused="values below 0"),
    Coding("not a number", ".tif", values(lambda grey: np.where(grey > 0.7, np.nan, grey).astype("f4")), refused="NaN"),
    Coding(
        "infinite", ".tif", values(lambda grey: np.where(grey > 0.7, np.inf, grey).astype("f4")), refused="infinite"
    ),
    Coding("64-bit floats", ".tif", values(lambda grey: grey), tolerance=1e-6),
    Coding("16-bit floats", ".tif", values(lambda grey: grey.astype("f2")), tolerance=1e-3),
    Coding(
        "truncated floats of 64 bits", ".tif", cut(values(lambda grey: grey, compression="zlib")), refused="or damaged"
    ),
    Coding("MinIsWhite, 1 bit", ".tif", one_bit_min_is_white, 0, truth=lambda grey: grey > 0.5),
    Coding("MinIsWhite, 8 bits", ".tif", min_is_white("u1")),
    Coding("MinIsWhite, 8 bits, packed", ".tif", min_is_white("u1", compression="zlib")),
    Coding("MinIsWhite, 16 bits", ".tif", min_is_white("u2", byteorder="<")),
    Coding("MinIsWhite, 16 bits, high byte first", ".tif", min_is_white("u2", byteorder=">")),
    *(Coding(f"orientation {number}", ".png", turned(number)) for number in range(2, 9)),
    Coding("orientation 6, TIFF", ".tif", turned(6)),
    Coding("LAB", ".tif", lab, refused="colour mode LAB"),
    Coding("pages", ".tif", pages, refused="holds 2"),
    Coding("animation", ".gif", animation, refused="holds 2"),
    Coding("truncated PNG", ".png", cut(png16(16)), refused="truncated or damaged"),
    Coding("truncated JPEG", ".jpg", cut(pillow()), refused="truncated or damaged"),
    Coding("truncated TIFF", ".tif", cut(pillow()), refused="truncated or damaged|does not"),
)


def dithered(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(Image.fromarray(bits(grey, 8)).convert("1"), np.float64)


def written(coding: Coding, folder: Path) -> tuple[list[Path], list[NDArray[np.float64]]]:
    """Three images: the ramp, its lower three quarters, and its upper half with one black pixel."""
    bright = 0.5 + RAMP / 2
    bright[0, 0] = 0
    greys = [RAMP, RAMP * 0.75, bright]
    paths = [folder / f"x{number}{coding.suffix}" for number in range(3)]
    for path, grey in zip(paths, greys, strict=True):
        coding.write(grey, path)
    return paths, greys


def read(paths: list[Path]) -> tuple[IntensityRule, list[NDArray[np.float32]]]:
    rule = decide(((path, None) for path in paths), DataConfig())
    assert rule_of(rule.table()) == rule
    return rule, [read_grey(path, None, rule) for path in paths]


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_a_coding_is_read_right_or_refused_as_a_set_and_in_part(tmp_path: Path, coding: Coding) -> None:
    paths, greys = written(coding, tmp_path)
    for part in (slice(None), slice(0, 1), slice(1, 2), slice(2, 3)):
        if coding.refused:
            with pytest.raises(UserError, match=coding.refused):
                read(paths[part])
            continue
        rule, read_greys = read(paths[part])
        assert coding.says in " ".join(rule.notes)
        assert bool(rule.notes) == bool(coding.says)
        assert rule.is_plain == (not coding.says)
        for grey, image in zip(greys[part], read_greys, strict=True):
            assert image.dtype == np.float32
            np.testing.assert_allclose(image, coding.truth(grey), atol=coding.tolerance + 1e-6)


def test_where_a_part_would_be_read_otherwise_the_set_says_how_to_hold_it(tmp_path: Path) -> None:
    for number, top in enumerate((4095, 700)):
        Image.fromarray(np.round(RAMP * top).astype(np.uint16)).save(tmp_path / f"x{number}.png")
    whole, _ = read([tmp_path / "x0.png", tmp_path / "x1.png"])
    (advice,) = (note for note in whole.notes if "by themselves" in note)
    assert "1 of 2 images" in advice and "data.range=[0, 4095]" in advice
    part = decide([(tmp_path / "x1.png", None)], DataConfig(range=(0, 4095)))
    for rule in (whole, part):
        np.testing.assert_allclose(read_grey(tmp_path / "x1.png", None, rule), RAMP * 700 / 4095, atol=1e-3)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (DataConfig(intensity="file"), RAMP * 2000 / 65535),
        (DataConfig(intensity="image"), RAMP),
        (DataConfig(range=(0, 1000)), np.clip(RAMP * 2, 0, 1)),
        (DataConfig(range=(-2000, 2000)), RAMP / 2 + 0.5),
    ],
)
def test_the_rule_that_is_asked_for(tmp_path: Path, config: DataConfig, expected: NDArray[np.float64]) -> None:
    Image.fromarray(np.round(RAMP * 2000).astype(np.uint16)).save(tmp_path / "x.png")
    rule = decide([(tmp_path / "x.png", None)], config)
    np.testing.assert_allclose(read_grey(tmp_path / "x.png", None, rule), expected, atol=1e-3)


def test_what_a_network_was_trained_with_stands(tmp_path: Path) -> None:
    """And what its set did not hold is decided from the images given."""
    Image.fromarray(np.round(RAMP * 700).astype(np.uint16)).save(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "y.tif", (RAMP * 255).astype(np.float32), photometric="minisblack")
    known = IntensityRule(integers=Limits(0, 4095))
    rule = decide([(tmp_path / "x.png", None), (tmp_path / "y.tif", None)], DataConfig(), known)
    assert (rule.integers, rule.floats) == (Limits(0, 4095), Limits(0, 255))


def test_floats_of_two_scales_in_one_set_are_refused(tmp_path: Path) -> None:
    for number, top in enumerate((1, 255)):
        tifffile.imwrite(tmp_path / f"{number}.tif", (RAMP * top).astype(np.float32), photometric="minisblack")
    with pytest.raises(UserError, match=r"hold 0 to 255.*data\.range"):
        decide([(tmp_path / f"{number}.tif", None) for number in range(2)], DataConfig())


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\0\0\0\x18ftypheic", r"it is HEIC"),
        (b"\x93NUMPY\x01\0", r"it is a NumPy array"),
        (bytes(128) + b"DICM", r"it is DICOM \(name it \.dcm\)"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path, start: bytes, words: str) -> None:
    (tmp_path / "x.png").write_bytes(start + bytes(200))
    with pytest.raises(UserError, match=words):
        read([tmp_path / "x.png"])
