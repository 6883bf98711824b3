"""Files that Pillow decodes: PNG, JPEG, TIFF, BMP, GIF, WebP and kin."""

from __future__ import annotations

import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from trainer.data.formats import png_damage, rare_tiff
from trainer.data.formats.decoded import SIDEWAYS, UPRIGHT, Decoded, Header, as_shown
from trainer.data.formats.kinds import PREAMBLE, what_else
from trainer.errors import UserError

# What Pillow's decoders raise on damaged bytes besides OSError.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, OverflowError, MemoryError),
    *(ZeroDivisionError, struct.error, zlib.error, Image.DecompressionBombError),
)
# Modes that NumPy takes as they are: the values in the file.
PLAIN = ("L", "LA", "RGB", "RGBA", "F")
# Modes that Pillow turns into another one without loss for a viewer.
TURNED_INTO = {"La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "PA": "RGBA"}
LOSSY = ("JPEG", "MPO", "WEBP", "JPEG2000")
PHOTOMETRIC = 262  # TIFF's tag for what its values mean
SAMPLE_FORMAT = 339  # TIFF's tag: 1 unsigned, 2 signed, 3 float
MIN_IS_WHITE = 0
SIGNED = 2
FULL_BYTE = 64  # upper bytes that reach no further hold an image of fewer bits, 14 at most
OTHER = "B" if sys.byteorder == "little" else "L"
STATED = {"I;12": 4095}  # samples of 12 bits each, packed: the value that is white
METADATA_CHUNKS = (b"eXIf", b"iTXt", b"zTXt", b"tEXt")
# Grey of 2 and 4 bits, which Pillow stretches to 8: by how much.
STRETCHED = {"L;2": 85, "L;4": 17}
# Pillow keeps the first byte it is told of; the other byte of each sample is that of the other byte order.
OTHER_BYTE = {"16L": "16B", "16B": "16L", "16N": f"16{OTHER}"}


def header(path: Path) -> Header:
    """Mode and sides of one file, without decoding it. Raises `UserError` if it is not an image."""
    if is_rare_tiff(path):
        return rare_tiff.header(path)
    with opened(path) as image:
        width, height = image.size
        if turned_by_us(image) in SIDEWAYS:
            width, height = height, width
        return Header(image.mode, width, height, stated=not is_deep(image) or raw_mode(image) in STATED)


def decode(path: Path) -> Decoded:
    """The first and only frame of a file. Raises `UserError` for a damaged file, several frames and LAB or HSV."""
    if is_rare_tiff(path):
        return rare_tiff.decode(path)
    with opened(path) as image:
        check_undamaged(image)
        check_one_frame(image, path)
        check_mode(image, path)
        raw, deep = raw_mode(image), is_deep(image)  # gone once pixels, or the metadata of a PNG, are read
        inverted = deep and tag(image, PHOTOMETRIC) == MIN_IS_WHITE
        unsigned = image.mode == "I" and image.format == "TIFF" and tag(image, SAMPLE_FORMAT) != SIGNED
        orientation = exif_orientation(image)
        ours = UPRIGHT if image.format == "TIFF" else orientation  # Pillow turns TIFF by itself
        pixels, palette = (two_byte_colours(path), None) if has_two_bytes_per_colour(raw) else pixels_of(image)
        stretch = STRETCHED.get(raw.rstrip("IR"), 1)  # inverted, or the bits of a byte reversed
        pixels = pixels // np.uint8(stretch) if stretch > 1 else pixels
        if unsigned and pixels.min(initial=0) < 0:
            pixels = pixels.view(np.uint32)  # Pillow has signed ones only
        check_kept_bytes(raw, pixels, path)
        white = STATED.get(raw, None if deep else 1 if image.mode == "1" else 255 // stretch)
        return Decoded(
            as_shown(pixels, ours),
            image.mode,
            palette,
            None if white is None else (0, white),
            measured=deep,
            inverted=inverted,
            orientation=orientation,
            lossy=image.format in LOSSY,
        )


def is_rare_tiff(path: Path) -> bool:
    """Whether a file is a TIFF that Pillow does not open."""
    with readable(path):
        if not rare_tiff.is_tiff(path):
            return False
    try:
        with path.open("rb") as file, Image.open(file):
            return False
    except DAMAGED:
        return True


def check_undamaged(image: Image.Image) -> None:
    """Raise `OSError` for damage that Pillow would not notice."""
    if image.format == "TIFF":
        check_covered(image)
    if image.format != "PNG":
        return
    file = image.fp  # type: ignore[attr-defined]
    before = file.tell()
    if found := png_damage.damage(file):
        raise OSError(found)
    file.seek(before)


def check_covered(image: Image.Image) -> None:
    """Raise `OSError` where the strips or tiles of a TIFF end before the image does: Pillow leaves the rest black."""
    extents = {tile.extents for tile in image.tile if tile.extents}  # type: ignore[attr-defined]
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in extents)
    if covered < image.width * image.height:
        raise OSError(f"its strips hold {covered:,} of {image.width * image.height:,} pixels")


def pixels_of(image: Image.Image) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """The values of an image, and its palette where they are numbers of one."""
    image.load()
    if image.mode == "1":
        return np.asarray(image, np.uint8), None
    if image.mode == "P":
        return np.asarray(image), palette_of(image)
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16), None
    mode = TURNED_INTO.get(image.mode)
    return np.asarray(image.convert(mode) if mode else image), None


def palette_of(image: Image.Image) -> NDArray[np.uint8]:
    """The colours of a palette, uint8 (256, 4), black beyond its end; (256, 3) where none is transparent."""
    numbers = Image.new("P", (256, 1))
    numbers.putdata(range(256))
    palette = image.getpalette() or []
    numbers.putpalette([*palette, *[0] * (768 - len(palette))])
    if "transparency" not in image.info:
        return np.asarray(np.asarray(numbers.convert("RGB"), np.uint8)[0])
    numbers.info["transparency"] = image.info["transparency"]
    return np.asarray(np.asarray(numbers.convert("RGBA"), np.uint8)[0])


def is_deep(image: Image.Image) -> bool:
    """Whether samples have more than 8 bits, so that the format does not say how many of them are used."""
    return image.mode.startswith(("I", "F")) or has_two_bytes_per_colour(raw_mode(image))


def raw_mode(image: Image.Image) -> str:
    """How Pillow's decoder is told that samples lie in the file, such as `RGB;16B`; "" where it has no such name."""
    tiles = getattr(image, "tile", None) or []
    args = tiles[0].args if tiles else ""
    mode = args[0] if isinstance(args, tuple) and args else args
    return mode if isinstance(mode, str) else ""


def has_two_bytes_per_colour(raw: str) -> bool:
    """Whether this is an image in colours of 16 bits each, of which Pillow would drop the lower 8."""
    channels, _, layout = raw.partition(";")
    return channels in ("RGB", "RGBA", "RGBX") and layout in OTHER_BYTE


def two_byte_colours(path: Path) -> NDArray[np.uint16]:
    """All 16 bits of an image in colours, uint16 (height, width, channels): decoded once for each byte."""
    with opened(path) as upper, opened(path) as lower:
        lower.tile = [tile._replace(args=other_byte(tile.args)) for tile in lower.tile]  # type: ignore[attr-defined]
        return np.asarray(np.asarray(upper, np.uint16) << 8 | np.asarray(lower, np.uint16), np.uint16)


def other_byte(args: Any) -> Any:
    """The decoder's arguments with the byte that Pillow would drop in place of the one that it keeps."""
    if isinstance(args, tuple):
        return (other_byte(args[0]), *args[1:])
    channels, _, layout = args.partition(";")
    return f"{channels};{OTHER_BYTE[layout]}"


def exif_orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or a number that does not exist."""
    if image.format == "PNG" and not has_metadata(image):
        return UPRIGHT  # Pillow would decode the pixels to look behind them
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged metadata are no orientation
        try:
            orientation = image.getexif().get(ExifTags.Base.Orientation, UPRIGHT)
        except DAMAGED:
            return UPRIGHT
    return orientation if orientation in range(1, 9) else UPRIGHT


def has_metadata(image: Image.Image) -> bool:
    """Whether a PNG has a chunk that may hold EXIF or XMP, anywhere in the file."""
    file = image.fp  # type: ignore[attr-defined]
    before = file.tell()
    file.seek(len(png_damage.SIGNATURE))
    try:
        while len(start := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", start)
            if kind in METADATA_CHUNKS:
                return True
            file.seek(length + 4, 1)  # its data and its check sum
        return False
    finally:
        file.seek(before)


def turned_by_us(image: Image.Image) -> int:
    """The orientation that Pillow leaves to us: it turns TIFF by itself, when it decodes one."""
    return UPRIGHT if image.format == "TIFF" else exif_orientation(image)


def tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None where there is none."""
    tags = getattr(image, "tag_v2", {})
    value = tags.get(number)
    return value[0] if isinstance(value, tuple) and value else value


def check_one_frame(image: Image.Image, path: Path) -> None:
    """Raise `UserError` for pages or animations."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's MPO repeats its one image as a preview
        raise UserError(f"A file must hold one image, but {path} holds {frames}. Save each as a file of its own.")


def check_mode(image: Image.Image, path: Path) -> None:
    """Raise `UserError` for values that are not light: colour spaces that have no direct grey, signed bytes."""
    if image.mode in ("LAB", "HSV"):
        raise UserError(
            f"Images are grey, RGB, CMYK, YCbCr or of a palette, but {path} is in the colour mode {image.mode}. "
            "Save it as RGB or grey."
        )
    if image.mode == "L" and tag(image, SAMPLE_FORMAT) == 2:
        raise UserError(f"Values of 8 bits are 0 to 255, but {path} has signed ones (-128 to 127). Save it unsigned.")


def check_kept_bytes(raw: str, pixels: NDArray[Any], path: Path) -> None:
    """Raise `UserError` where Pillow keeps 8 of 16 bits, and those are nearly empty because fewer are used."""
    if "16" in raw and pixels.dtype == np.uint8 and pixels.max(initial=0) < FULL_BYTE:
        raise UserError(
            f"Of 16-bit images of the kind {raw} only the upper 8 bits are read, but {path} has nearly "
            f"nothing there (at most {pixels.max(initial=0)} of 255). Save it as 8 or 16 bit grey or RGB."
        )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn a file that may not be read, or is gone, into a `UserError` that names it."""
    try:
        yield
    except PermissionError as error:
        raise UserError(f"Every image file must be readable, but {path} may not be read. Allow it (chmod).") from error
    except FileNotFoundError as error:
        raise UserError(f"{path} was listed but is gone. Put it back, or run the command again.") from error


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Pillow's image of a file. Every kind of damage becomes a `UserError` that names the file."""
    try:
        # From an open file: given a path, Pillow 13 maps an uncompressed TIFF into memory, and where the orientation
        # swaps the sides, it does so with the sides swapped and scrambles the rows.
        with readable(path), path.open("rb") as file, Image.open(file) as image:
            yield image
    except UnidentifiedImageError as error:
        raise UserError(
            f"Every image file must hold an image, but {path} does not, whatever its name says{excerpt(path)}. "
            "Replace it by the real image or move it out of the folder."
        ) from error
    except DAMAGED as error:
        raise UserError(
            f"Every image file must be whole, but {path} is truncated or damaged ({error}). "
            "Copy or download it again, or move it and its mask out of the folder."
        ) from error


def excerpt(path: Path) -> str:
    """What a file that is no image is, in brackets, where its beginning tells; else ""."""
    with path.open("rb") as file:
        start = file.read(PREAMBLE + 4)
    if not start:
        return " (it is empty)"
    if kind := what_else(start):
        return f" (it is {kind})"
    start = start[:40]
    text = start.decode("utf-8", "replace")
    return f" (it begins with the text {text!r})" if text.isprintable() or text.isascii() else ""
