"""Kinds of cases made of DICOM and NIfTI files with their headers mangled; the libraries of the extra are needed."""

from __future__ import annotations

import gzip
import io
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tests.fuzz.judging import Kind, Reading, Trial
from tests.fuzz.mutating import bytes_changed, number_put, pick
from tests.fuzz.pictures import shades

VALUES: tuple[Any, ...] = (
    0,
    1,
    -1,
    8,
    12,
    16,
    17,
    24,
    31,
    33,
    255,
    4096,
    65535,
    "",
    "x",
    None,
    0.5,
    [1, 2],
    [],
    "1\\2",
)
UNWRITTEN = (TypeError, ValueError, AttributeError, OSError)  # what pydicom raises for values that it does not write
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_FULL", "", "monochrome2", "ARGB")
ELEMENTS = (
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
    *("PhotometricInterpretation", "NumberOfFrames", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"),
    *(
        "PixelSpacing",
        "PatientID",
        "VOILUTFunction",
        "Modality",
        "PlanarConfiguration",
        "SOPClassUID",
        "PixelAspectRatio",
    ),
)


def dataset(rng: Generator) -> Any:
    """A plain image of 12 bits in 16, with or without a window and a rescale."""
    pydicom: Any = import_module("pydicom")

    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.Rows = made.Columns = 32
    made.SamplesPerPixel, made.PixelRepresentation = 1, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.PhotometricInterpretation = pick(rng, PHOTOMETRIC[:2])
    made.PatientID, made.PixelSpacing = "P1", [0.5, 0.5]
    if rng.random() < 0.5:
        made.WindowCenter, made.WindowWidth = 2000, 4000
    if rng.random() < 0.5:
        made.RescaleSlope, made.RescaleIntercept = 2, -100
    made.PixelData = (shades(int(rng.integers(9))).astype(np.uint16) * 16).tobytes()
    return made


def saved(made: Any) -> bytes:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def draw_dicom(rng: Generator, folder: Path) -> Trial:
    """A DICOM file with elements, or bytes, mangled: the values after its own rescale and window."""
    path, original = folder / "image.dcm", folder / "original.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = dataset(rng)
        original.write_bytes(saved(made))
        data, what = saved(made), ""
        if rng.random() < 0.65:
            try:
                data, what = elements_changed(rng, made)
            except UNWRITTEN as error:
                data, what = bytes_changed(rng, data)
                what += f", because an element could not be changed ({type(error).__name__})"
        if not what:
            data, what = bytes_changed(rng, data)
    path.write_bytes(data)

    def read() -> Reading:
        from trainer.data.images import read_grey

        return {"grey": read_grey(path)}

    return Trial(f"DICOM: {what}", read, lambda: {"grey": by_pydicom(original)}, lambda: other(by_pydicom, path))


def elements_changed(rng: Generator, made: Any) -> tuple[bytes, str]:
    name = pick(rng, ELEMENTS)
    match int(rng.integers(5)):
        case 0:
            made.__delattr__(name)
            what = f"{name} taken out"
        case 1:
            made.PixelData = pick(rng, (made.PixelData[:-100], b"", made.PixelData * 2, made.PixelData + b"\0" * 8))
            what = f"pixels of {len(made.PixelData)} bytes"
        case 2:
            syntaxes = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90")
            syntax = pick(rng, (*syntaxes, "1.2.840.10008.1.2.1.99", "9.9.9", "x"))
            data = saved(made)
            return data.replace(b"1.2.840.10008.1.2.1\0", syntax.encode().ljust(20, b"\0")[:20]), f"as {syntax}"
        case _:
            value = pick(rng, PHOTOMETRIC if name == "PhotometricInterpretation" else VALUES)
            setattr(made, name, value)
            what = f"{name} made {value!r}"
    return saved(made), what


def by_pydicom(path: Path) -> NDArray[Any] | None:
    """Values after rescale and window (PS3.3 C.11.2.1.2.1), by pydicom's reading and plain arithmetic."""
    pydicom: Any = import_module("pydicom")

    found = pydicom.dcmread(path)
    values = found.pixel_array.astype(float)
    if found.PhotometricInterpretation not in PHOTOMETRIC[:2] or values.ndim != 2:
        return None
    bits, signed = int(found.BitsStored), int(found.get("PixelRepresentation") or 0)
    low, high = 0.0, 2.0**bits - 1
    if "RescaleSlope" in found:
        slope, intercept = float(found.RescaleSlope), float(found.RescaleIntercept)
        values = values * slope + intercept
        low, high = sorted((low * slope + intercept, high * slope + intercept))
    centre, width = one(found.get("WindowCenter")), one(found.get("WindowWidth"))
    function = str(found.get("VOILUTFunction") or "LINEAR")
    if centre is not None and width is not None and width > 1 and function == "LINEAR":
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    elif found.get("Modality") == "CT":
        low, high = -1024, 3071
    elif signed:
        low, high = 0, 65535
        if values.min() < 0:
            return None
    elif bits >= 16:
        low, high = 0, 65535
    grey = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(1 - grey if found.PhotometricInterpretation == "MONOCHROME1" else grey)


def one(value: Any) -> float | None:
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return None if not values or values[0] in (None, "") else float(values[0])


def draw_nifti(rng: Generator, folder: Path) -> Trial:
    """A NIfTI volume of one slice with fields of its header, or bytes, mangled."""
    nibabel: Any = import_module("nibabel")

    kind = pick(rng, (np.uint8, np.int16, np.float32))
    values = shades(int(rng.integers(9)))[:, :24, None].astype(kind) / (255 if kind == np.float32 else 1)
    packed = rng.random() < 0.5
    data = nibabel.Nifti1Image(values.astype(kind), np.eye(4)).to_bytes()
    original = folder / "original.nii"
    original.write_bytes(data)
    if rng.random() < 0.6:
        at = pick(rng, (0, 40, 42, 44, 46, 48, 70, 72, 76, 80, 84, 88, 108, 112, 116, 123, 252, 254, 280, 300, 344))
        data, what = number_put(rng, data, at)
    elif packed:
        what = ""
    else:
        data, what = bytes_changed(rng, data)
    if packed:
        data = gzip.compress(data, mtime=0)
        if not what:
            data, what = bytes_changed(rng, data)
    path = folder / f"image.nii{'.gz' * packed}"
    path.write_bytes(data)

    def read() -> Reading:
        from trainer.data.formats.decode import decode
        from trainer.data.intensity import check_finite

        pixels = decode(path).pixels
        check_finite(pixels, path)
        return {"values": pixels.astype(float)}

    return Trial(
        f"NIfTI {np.dtype(kind)}: {what}",
        read,
        lambda: {"values": by_nibabel(original)},
        lambda: {"values": found["grey"]} if (found := other(by_nibabel, path)) else None,
    )


def by_nibabel(path: Path) -> NDArray[Any] | None:
    """The one slice of a volume, whose axes nibabel turns to right, front and head."""
    nibabel: Any = import_module("nibabel")

    image = nibabel.as_closest_canonical(nibabel.funcs.squeeze_image(nibabel.load(path)))
    values = np.asarray(image.dataobj, float)
    values = values.reshape(*values.shape, *(1,) * (3 - values.ndim))
    flat = [axis for axis in range(3) if values.shape[axis] == 1]
    if values.ndim != 3 or not flat:
        return None
    axis = flat[0] if len(flat) == 1 else flat[-1]
    return np.asarray(np.take(values, 0, axis=axis).T[::-1, ::-1])


def other(read: Any, path: Path) -> Reading | None:
    """What a library reads, None where it cannot. That is no silence: what thaw reads then is counted as FAILED."""
    try:
        grey = read(path)
    except Exception:  # the libraries raise anything
        return None
    return None if grey is None else {"grey": grey}


KINDS = tuple(
    kind
    for library, kind in (
        ("pydicom", Kind("DICOM", 8, draw_dicom, fast=False)),
        ("nibabel", Kind("NIfTI", 5, draw_nifti, fast=False)),
    )
    if find_spec(library)
)
