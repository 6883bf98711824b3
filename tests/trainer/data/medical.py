"""Files of scanners for tests, written with the libraries of the extra `medical`."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.component import needs_extra

needs_medical = needs_extra("medical", "pydicom", "nibabel")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def dicom_file(path: Path, pixels: NDArray[Any] | None, **tags: Any) -> None:
    """A DICOM file of grey frames, (rows, columns) or (frames, rows, columns), or of colours (rows, columns, 3).

    `tags` by keyword; besides, `compress`: the name of a transfer syntax, `encapsulated`: such a
    name and the compressed bytes, `big_endian`, `private`: a value that lies in
    a private tag, `ultrasound_cm`: row and column in cm in an ultrasound region, `per_frame_spacing`, `voi_table`.
    """
    pydicom = importlib.import_module("pydicom")
    dataset = pydicom.Dataset()
    special = {
        name: tags.pop(name, None)
        for name in (
            "compress",
            "encapsulated",
            "big_endian",
            "private",
            "ultrasound_cm",
            "per_frame_spacing",
            "voi_table",
        )
    }
    syntax = pydicom.uid.ExplicitVRBigEndian if special["big_endian"] else pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = tags.pop("SOPClassUID", SECONDARY_CAPTURE)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    if pixels is not None:
        put_pixels(dataset, pixels, bool(special["big_endian"]))
    for name, value in tags.items():
        setattr(dataset, name, value)
    if special["private"]:
        dataset.private_block(0x0099, "CLINIC", create=True).add_new(1, "LO", special["private"])
    if special["ultrasound_cm"]:
        region = pydicom.Dataset()
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaY, region.PhysicalDeltaX = special["ultrasound_cm"]
        dataset.SequenceOfUltrasoundRegions = [region]
    if special["voi_table"]:
        table, given = pydicom.Dataset(), special["voi_table"]
        table.add_new(0x00283002, "US", [len(given["entries"]), given["first"], given["bits"]])
        table.add_new(0x00283006, "US", given["entries"])
        dataset.VOILUTSequence = [table]
    if special["per_frame_spacing"]:
        measures, groups = pydicom.Dataset(), pydicom.Dataset()
        measures.PixelSpacing = special["per_frame_spacing"]
        groups.PixelMeasuresSequence = [measures]
        dataset.PerFrameFunctionalGroupsSequence = [groups]
    if special["encapsulated"]:
        name, stream = special["encapsulated"]
        dataset.file_meta.TransferSyntaxUID = getattr(pydicom.uid, name)
        dataset.PixelData = importlib.import_module("pydicom.encaps").encapsulate([stream])
        dataset["PixelData"].VR = "OB"
    if special["compress"]:
        dataset.compress(getattr(pydicom.uid, special["compress"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # big-endian files are retired, and still in archives
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def put_pixels(dataset: Any, pixels: NDArray[Any], big_endian: bool) -> None:
    """The pixels, and what says how they lie."""
    colours = pixels.ndim == 3 and pixels.shape[2] == 3
    rows, columns = pixels.shape[:2] if colours else pixels.shape[-2:]
    bits = 8 * pixels.dtype.itemsize
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 3 if colours else 1
    dataset.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    dataset.add_new(
        "PixelData",
        "OB" if bits == 8 else "OW",
        pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<")).tobytes(),
    )


def nifti_file(
    path: Path, values: NDArray[Any], spacing: tuple[float, float, float] = (1, 1, 1), axes: str = "RAS"
) -> None:
    """A volume (x, y, z); `axes`: the directions in which its three axes lead, such as `LPS`."""
    nibabel = importlib.import_module("nibabel")
    directions = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(axes):
        world, sign = directions[letter]
        affine[world, axis] = sign * spacing[axis]
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
