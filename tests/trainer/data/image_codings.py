"""How people write images: sixty codings of the same grey ramp, and what is to come of each.

`python -m tests.trainer.data.image_codings` writes them all, reads them, and prints what thaw says of each.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from tests.trainer.data.png_files import png_of
from trainer.config import DataConfig
from trainer.data.formats.decoded import as_stored
from trainer.data.images import read_grey
from trainer.data.intensity import IntensityRule, decide
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
    Coding("signed 16 bits, all", ".tif", values(lambda grey: (grey * 64000 - 32000).astype("i2")), refused="CT lies"),
    Coding(
        "32 bits without a sign",
        ".tif",
        values(lambda grey: (grey * (2**32 - 1)).astype("u4")),
        refused=r"at most 16 bits.*e\+09",
    ),
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
    return rule, [read_grey(path, None, rule) for path in paths]


def said(paths: list[Path]) -> str:
    """What thaw says of a set: the notes of its rule, or why it is refused."""
    try:
        rule, _ = read(paths)
    except UserError as error:
        return f"refused: {str(error).replace(str(paths[0].parent), '')}"
    return "read: " + ("; ".join(rule.notes) or "by the type of the file")


def main() -> None:
    """Print the table: each coding as a set of three, and each of its images alone."""
    print("| coding | what thaw says | each image alone |\n| --- | --- | --- |")
    for coding in CODINGS:
        with TemporaryDirectory() as folder:
            paths, _ = written(coding, Path(folder))
            alone = sorted({said([path]).partition(":")[0] for path in paths})
            print(f"| {coding.name} | {said(paths)[:220]} | {', '.join(alone)} |")


if __name__ == "__main__":
    main()
