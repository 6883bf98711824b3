"""What kind of file it is, by its name and its first bytes: which module decodes it, or what it is instead."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainer.data.formats import jsrt

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
NIFTI_SUFFIXES = (".nii", ".nii.gz")
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".pgm", ".ppm", ".pnm"),
    *(".avif", ".heic", ".heif"),
)
SUFFIXES = (*PICTURE_SUFFIXES, jsrt.SUFFIX, *DICOM_SUFFIXES, *NIFTI_SUFFIXES)
ANALYZE_HEADER = ".hdr"
DIRECTORY = "DICOMDIR"  # lists the files of a medium, and is written like them
PREAMBLE = 128  # bytes before DICOM's signature

Kind = Literal["picture", "raw", "dicom", "nifti"]

# The beginnings of files that people have in such folders, each with what it is.
BEGINNINGS = (
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftyphevc", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (8, b"WEBP", "WebP"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (PREAMBLE, b"DICM", "DICOM (name it .dcm)"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "HDF5 or MATLAB"),
    (0, b"MATLAB", "MATLAB"),
    (0, b"NRRD", "NRRD"),
    (0, b"ObjectType", "MetaImage"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "packed by gzip"),
    (0, b"<svg", "SVG"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"version https://git-lfs", "a Git LFS pointer instead of the file itself (git lfs pull)"),
)


def kind_of(path: Path) -> Kind:
    """Which module decodes a file. Files without a suffix are DICOM where their bytes say so."""
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES):
        return "nifti"
    if name.endswith(jsrt.SUFFIX):
        return "nifti" if headers_beside(path) else "raw"
    if name.endswith(DICOM_SUFFIXES) or is_nameless_dicom(path):
        return "dicom"
    return "picture"


def headers_beside(path: Path) -> list[Path]:
    """The x.hdr beside x.img: an Analyze or NIfTI pair, and not one of JSRT's raw files."""
    if path.suffix.lower() != jsrt.SUFFIX:
        return []
    beside = (path.with_suffix(suffix) for suffix in (ANALYZE_HEADER, ANALYZE_HEADER.upper()))
    return [header for header in beside if header.exists()][:1]


def is_analyze_header(path: Path) -> bool:
    """Whether this is the x.hdr of an x.img beside it."""
    return path.suffix.lower() == ANALYZE_HEADER and any(
        path.with_suffix(suffix).exists() for suffix in (jsrt.SUFFIX, jsrt.SUFFIX.upper())
    )


def is_nameless_dicom(path: Path) -> bool:
    """Whether a file whose name tells no kind (`IM000001`, `1.2.840.10008.5`) begins as DICOM does."""
    if path.suffix[1:].isalpha() or path.name.upper() == DIRECTORY:
        return False
    try:
        with path.open("rb") as file:
            return file.read(PREAMBLE + 4)[PREAMBLE:] == b"DICM"
    except OSError:
        return False


def what_else(start: bytes) -> str:
    """What a file is that begins so and is no image that is read; "" where that is unknown.

    >>> what_else(b"\\0\\0\\0\\x18ftypheic")
    'HEIC'
    """
    return next((name for offset, mark, name in BEGINNINGS if start[offset : offset + len(mark)] == mark), "")
