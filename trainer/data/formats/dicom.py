"""DICOM files, shown as a viewer shows them: modality LUT, window, MONOCHROME1 (PS3.3 C.11, PS3.5), frame by frame.

Nothing but pixels, spacing and `PatientID` is read from a header, and that only joins the images of a patient.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.formats.decoded import Decoded, Header, Slice
from trainer.data.formats.extra import load_library
from trainer.errors import UserError

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
HOUNSFIELD = (-1024.0, 3071.0)  # 12 bits of CT: air is -1000, dense bone is below 3071
CENTIMETRE = 3  # unit of an ultrasound region
# What pydicom and its decoders raise on damaged or unknown contents. It reads an element when it is asked for, so any
# line with `dataset` may raise them: AttributeError for one that is missing, TypeError for one that is empty.
DAMAGED = (
    *(OSError, EOFError, ValueError, AttributeError, KeyError, IndexError, TypeError),
    *(RuntimeError, OverflowError, MemoryError, AssertionError, struct.error, zlib.error),
)


def header(path: Path, slice: Slice | None) -> Header:
    """Sides and kind of a frame. Raises `UserError` for a file without pixels."""
    with readable(path):
        dataset = read(path)
        check_frame(dataset, slice, path)
        bits = int(dataset.get("BitsStored", 0))
        mode = f"DICOM {bits}-bit {dataset.get('PhotometricInterpretation', '')}"
        stated = dataset.PhotometricInterpretation not in GREY or limits_of(dataset, frame_of(slice)) is not None
        return Header(mode, int(dataset.Columns), int(dataset.Rows), stated)


def decode(path: Path, slice: Slice | None) -> Decoded:
    """One frame. Grey values are those after the modality LUT, and `limits` are the window, where there is one."""
    with readable(path):
        dataset = read(path)
        check_frame(dataset, slice, path)
        frame = frame_of(slice)
        photometric, spacing = str(dataset.PhotometricInterpretation), spacing_of(dataset, frame)
        pixels = pixels_of(path, dataset, frame)
        mode = f"DICOM {int(dataset.BitsStored)}-bit {photometric}"
        if photometric not in GREY:
            return Decoded(colours_of(pixels, dataset, path), mode, limits=(0, 255), spacing=spacing)
        values, limits = shown_values(pixels, dataset, frame, path)
        measured, inverted = not is_curved(dataset, frame), photometric == "MONOCHROME1"
        return Decoded(values, mode, limits=limits, measured=measured, inverted=inverted, spacing=spacing)


def frame_count(path: Path) -> int:
    """How many frames a file has."""
    with readable(path):
        return int(read(path).get("NumberOfFrames") or 1)


def patient_of(path: Path) -> str:
    """The `PatientID`, which joins a patient's images and is kept nowhere; "" where there is none."""
    with readable(path):
        return str(read(path).get("PatientID") or "").strip()


def frame_of(slice: Slice | None) -> int:
    """The frame that a slice is, from 0."""
    return slice.number if slice else 0


def check_frame(dataset: Any, slice: Slice | None, path: Path) -> None:
    """Raise `UserError` for a frame that the file does not have, and for several where one is meant."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if slice is None and frames > 1:
        raise UserError(f"A file must hold one image here, but {path} holds {frames} frames.")
    if not frame_of(slice) < frames:
        raise UserError(f"{path} has {frames} frames, but frame {frame_of(slice) + 1} was asked for.")


def shown_values(
    pixels: NDArray[Any], dataset: Any, frame: int, path: Path
) -> tuple[NDArray[Any], tuple[float, float] | None]:
    """Values after the modality LUT, and their limits if the file says which."""
    library = load_library("pydicom.pixels", path, "DICOM")
    rescale = functional(dataset, frame, "PixelValueTransformationSequence") or dataset
    values = pixels
    if "ModalityLUTSequence" in dataset:
        values = library.apply_modality_lut(pixels, dataset)
    elif is_rescaled(rescale):
        values = pixels.astype(np.float32) * np.float32(rescale.RescaleSlope) + np.float32(rescale.RescaleIntercept)
    if "VOILUTSequence" in dataset:
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        table = library.apply_voi(values.astype(np.int64), dataset)
        return table, (0, 2**bits - 1)
    window = window_of(dataset, frame)
    if window and window[2] == "SIGMOID":
        centre, width, _ = window
        return (1 / (1 + np.exp(-4 * (values - centre) / width))).astype(np.float32), (0, 1)
    return values, limits_of(dataset, frame)


def limits_of(dataset: Any, frame: int) -> tuple[float, float] | None:
    """The values that are black and white: a table's or a window's, CT's, or all that its bits can hold.

    None where 16 bits or signed ones do not say what is used of them.
    """
    if "VOILUTSequence" in dataset:
        return 0, 2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    window = window_of(dataset, frame)
    if window:
        centre, width, function = window
        if function == "SIGMOID":
            return 0, 1
        # PS3.3 C.11.2.1.2.1: the linear function shifts by half a value, LINEAR_EXACT does not.
        shift, span = (0.0, width) if function == "LINEAR_EXACT" else (0.5, width - 1)
        return centre - shift - span / 2, centre - shift + span / 2
    if dataset.get("Modality") == "CT":
        return HOUNSFIELD
    bits = int(dataset.get("BitsStored", 16))
    if bits >= 16 or int(dataset.get("PixelRepresentation", 0)) or "ModalityLUTSequence" in dataset:
        return None
    rescale = functional(dataset, frame, "PixelValueTransformationSequence") or dataset
    if not is_rescaled(rescale):
        return 0, 2**bits - 1
    ends = (value * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept) for value in (0, 2**bits - 1))
    low, high = sorted(ends)
    return low, high


def is_curved(dataset: Any, frame: int) -> bool:
    """Whether a table or a sigmoid turns the values into light, so that no other range of them can be shown."""
    window = window_of(dataset, frame)
    return "VOILUTSequence" in dataset or (window is not None and window[2] == "SIGMOID")


def is_rescaled(dataset: Any) -> bool:
    """Whether stored values are turned into others by a slope and an intercept."""
    return "RescaleSlope" in dataset and (float(dataset.RescaleSlope), float(dataset.RescaleIntercept)) != (1, 0)


def window_of(dataset: Any, frame: int) -> tuple[float, float, str] | None:
    """Centre, width and function of the first window; None where there is none that has a width."""
    window = functional(dataset, frame, "FrameVOILUTSequence") or dataset
    centre, width = first(window.get("WindowCenter")), first(window.get("WindowWidth"))
    function = str(window.get("VOILUTFunction") or "LINEAR")
    if centre is None or width is None or not width > (1 if function == "LINEAR" else 0):
        return None
    return centre, width, function


def first(value: Any) -> float | None:
    """The first of a DICOM value that may be several, none or empty."""
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return float(values[0]) if values and values[0] not in (None, "") else None


def functional(dataset: Any, frame: int, sequence: str) -> Any | None:
    """What a multi-frame file says of one frame, or of all (PS3.3 C.7.6.16); None where it says nothing."""
    for groups, number in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = dataset.get(groups)
        if items and number < len(items) and items[number].get(sequence):
            return items[number].get(sequence)[0]
    return None


def spacing_of(dataset: Any, frame: int) -> tuple[float, float] | None:
    """Millimetres from row to row and from column to column; None where the file says nothing."""
    measures = functional(dataset, frame, "PixelMeasuresSequence")
    for source, keyword in (
        (measures, "PixelSpacing"),
        (dataset, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
    ):
        value = source.get(keyword) if source is not None else None
        if value and len(value) == 2 and all(float(side) > 0 for side in value):
            return float(value[0]), float(value[1])
    regions = dataset.get("SequenceOfUltrasoundRegions") or []
    spacings = {
        (10 * abs(float(region.PhysicalDeltaY)), 10 * abs(float(region.PhysicalDeltaX)))
        for region in regions
        if region.get("PhysicalUnitsXDirection") == region.get("PhysicalUnitsYDirection") == CENTIMETRE
    }
    return spacings.pop() if len(spacings) == 1 else None


def pixels_of(path: Path, dataset: Any, frame: int) -> NDArray[Any]:
    """The stored values of one frame, (rows, columns) or (rows, columns, 3), colours as RGB."""
    library = load_library("pydicom.pixels", path, "DICOM")
    check_pixels(dataset)
    try:
        pixels = library.pixel_array(dataset, index=frame)
    except RuntimeError as error:  # NotImplementedError is one
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise UserError(
            f"DICOM is read uncompressed, as RLE and as JPEG that Pillow decodes, but {path} is {syntax}, or damaged. "
            "Decompress it, with gdcmconv --raw or dcmdjpeg for instance."
        ) from error
    return np.asarray(pixels)


def check_pixels(dataset: Any) -> None:
    """Raise `ValueError` for channels that its colours do not have, and for more pixels than the header says."""
    samples, photometric = int(dataset.SamplesPerPixel), str(dataset.PhotometricInterpretation)
    if samples != (3 if photometric in COLOURS else 1):
        raise ValueError(f"{photometric} of {samples} values per pixel")
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return
    frame = int(dataset.Rows) * int(dataset.Columns) * samples * int(dataset.BitsAllocated) // 8
    frames = int(dataset.get("NumberOfFrames") or 1)
    if len(dataset.PixelData) >= frame * (frames + 1):  # less than a whole frame is padding
        raise ValueError("more pixels than its header says")


def colours_of(pixels: NDArray[Any], dataset: Any, path: Path) -> NDArray[np.uint8]:
    """Colours as 8 bits each."""
    bits = int(dataset.BitsStored)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = load_library("pydicom.pixels", path, "DICOM").apply_color_lut(pixels, dataset)
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
    elif dataset.PhotometricInterpretation not in COLOURS:
        raise UserError(
            f"DICOM images are grey, RGB, YBR or of a palette, but {path} is {dataset.PhotometricInterpretation}. "
            "Save it as RGB."
        )
    return np.asarray(np.round(pixels / (2**bits - 1) * 255), np.uint8)


@lru_cache(maxsize=3)  # an image and its masks, whose frames are read one after the other
def _read(path: Path, changed: int, size: int) -> Any:
    pydicom = load_library("pydicom", path, "DICOM")
    try:
        return pydicom.dcmread(path)
    except pydicom.errors.BytesLengthException as error:
        raise ValueError("a value of the wrong length") from error
    except pydicom.errors.InvalidDicomError as error:
        raise UserError(
            f"A DICOM file has the letters DICM after 128 bytes, but {path} does not. Replace it by the real file, "
            "or move it out of the folder."
        ) from error


def read(path: Path) -> Any:
    """pydicom's dataset of a file that has pixels. Raises `UserError` for any other."""
    stat = path.stat()
    dataset = _read(path, stat.st_mtime_ns, stat.st_size)
    if dataset.get("SOPClassUID") == SEGMENTATION:
        raise UserError(
            f"A mask is an image, but {path} is a DICOM Segmentation, whose frames name segments of other files. "
            "Export it as NIfTI or as one image per slice."
        )
    if "PixelData" not in dataset:
        kind = getattr(dataset.get("SOPClassUID"), "name", "") or "of an unknown class"
        raise UserError(f"An image has pixels, but the DICOM file {path} ({kind}) has none. Move it out of the folder.")
    return dataset


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn damage into a `UserError`; pydicom's warnings, which may quote a header, are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except FileNotFoundError as error:
            raise UserError(f"{path} was listed but is gone. Put it back, or run the command again.") from error
        except PermissionError as error:
            raise UserError(
                f"Every image file must be readable, but {path} may not be read. Allow it (chmod)."
            ) from error
        except DAMAGED as error:
            raise UserError(
                f"Every DICOM file must be whole, but {path} is truncated or damaged ({type(error).__name__}). Copy or "
                "download it again, or move it and its mask out of the folder."
            ) from None
