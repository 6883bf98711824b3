"""Any image or mask file in, its pixels out: which module decodes a file, by its name."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats import jsrt, pictures
from trainer.data.formats.decoded import Decoded, Header, Slice


def header(path: Path, slice: Slice | None = None) -> Header:
    """Mode and sides of one image, without decoding it. Raises `UserError` if the file is not an image.

    `slice`: which one of a file with several (`trainer.data.layouts.Pair`).
    """
    if is_raw(path):
        with pictures.readable(path):
            jsrt.check_length(path)
        return Header("12-bit raw", jsrt.SIDE, jsrt.SIDE)
    return pictures.header(path)


def decode(path: Path, slice: Slice | None = None) -> Decoded:
    """The pixels of one image or mask, turned as viewers show them. Raises `UserError` naming the file."""
    if is_raw(path):
        with pictures.readable(path):
            return Decoded(jsrt.read_raw(path), "12-bit raw", limits=(0, 1))
    return pictures.decode(path)


def is_raw(path: Path) -> bool:
    """Whether this is one of JSRT's raw files. Its name decides, because the file has no header."""
    return path.suffix.lower() == jsrt.SUFFIX
