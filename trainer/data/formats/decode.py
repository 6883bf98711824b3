"""Any image or mask file in, its pixels out."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats import dicom, jsrt, nifti, pictures
from trainer.data.formats.decoded import Decoded, Header, Slice
from trainer.data.formats.kinds import kind_of


def header(path: Path, slice: Slice | None = None) -> Header:
    """Mode and sides of one image, without decoding it. Raises `UserError` if the file is not an image.

    `slice`: which one of a file with several (`trainer.data.layouts.Pair`).
    """
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
    kind = kind_of(path)
    if kind == "raw":
        with pictures.readable(path):
            return Decoded(jsrt.read_raw(path), "12-bit raw", limits=(0, 1))
    if kind == "dicom":
        return dicom.decode(path, slice)
    return nifti.decode(path, slice) if kind == "nifti" else pictures.decode(path)
