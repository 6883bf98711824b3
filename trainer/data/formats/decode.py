"""Any image or mask file in, its pixels out."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats import dicom, jsrt, nifti, pictures
from trainer.data.formats.decoded import Decoded, Header, Slice
from trainer.data.formats.kinds import kind_of
from trainer.errors import UserError


def header(path: Path, slice: Slice | None = None) -> Header:
    """Mode and sides of one image, without decoding it. Raises `UserError` if the file is not an image.

    `slice`: which one of a file with several (`trainer.data.pairing.pairs.Pair`).
    """
    stated = header_of(path, slice)
    if not (stated.width > 0 and stated.height > 0):
        raise without_pixels(path, stated.size)
    return stated


def header_of(path: Path, slice: Slice | None) -> Header:
    """What the file itself says, sides of 0 included."""
    kind = kind_of(path)
    if kind == "raw":
        with pictures.readable(path):
            jsrt.check_length(path)
        return Header("12-bit raw", jsrt.SIDE, jsrt.SIDE)
    if kind == "dicom":
        return dicom.header(path, slice)
    return nifti.header(path, slice) if kind == "nifti" else pictures.header(path)


def decode(path: Path, slice: Slice | None = None) -> Decoded:
    """The pixels of one image or mask, turned as viewers show them. Raises `UserError` naming the file."""
    decoded = decoded_by_kind(path, slice)
    if not decoded.pixels.size:
        raise without_pixels(path, "x".join(map(str, decoded.pixels.shape)))
    return decoded


def decoded_by_kind(path: Path, slice: Slice | None) -> Decoded:
    """What the module for files of this kind makes of one."""
    kind = kind_of(path)
    if kind == "raw":
        with pictures.readable(path):
            return Decoded(jsrt.read_raw(path), "12-bit raw", limits=(0, 1))
    if kind == "dicom":
        return dicom.decode(path, slice)
    return nifti.decode(path, slice) if kind == "nifti" else pictures.decode(path)


def without_pixels(path: Path, size: str) -> UserError:
    """The error for an image with a side of 0."""
    return UserError(
        f"An image has pixels, but {path} is {size}: it is damaged. Copy or download it again, or move it and its mask "
        "out of the folder."
    )
