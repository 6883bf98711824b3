"""Volumes of NIfTI and Analyze (`.nii`, `.nii.gz`, `.img` beside `.hdr`), cut into slices as radiologists look at them.

A volume is turned by its header first, to the axes left to right, back to front and feet to head. A slice is shown with
the head or the front upwards and the patient's right on the left. Cox et al., NIfTI-1 Data Format, 2004.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.formats.decoded import Decoded, Header, Slice
from trainer.data.formats.extra import load_library
from trainer.errors import UserError

MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
SLACK = 0.1  # of a voxel: how far image and label may lie apart


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume along anatomical axes: `values` (x, y, z), `spacing` in mm along each or None, `affine` (4, 4)."""

    values: NDArray[Any]
    spacing: tuple[float, float, float] | None
    affine: NDArray[np.float64]
    stated: bool

    @property
    def thickest(self) -> int:
        """The axis along which slices lie furthest apart; the last one of equal ones, so that slices are axial."""
        spacing = self.spacing or (1, 1, 1)
        wide = [axis for axis in range(3) if self.values.shape[axis] == 1]
        return wide[0] if len(wide) == 1 else max(range(3), key=lambda axis: (round(spacing[axis], 3), axis))

    @property
    def size(self) -> str:
        """As people write it: `512x512x30`."""
        return "x".join(map(str, self.values.shape))


def header(path: Path, slice: Slice | None) -> Header:
    """Sides and number type of a slice. Raises `UserError` for damage, and where `slice` must be given and is not."""
    volume = read_volume(path)
    plane = plane_of(volume, slice, path)
    return Header(f"{volume.values.dtype} volume", plane.shape[1], plane.shape[0], stated=volume.stated)


def decode(path: Path, slice: Slice | None) -> Decoded:
    """A slice, (height, width) of the file's number type, floats where the header scales its values."""
    volume = read_volume(path)
    at = slice or Slice(0, volume.thickest)
    columns, rows = (axis for axis in range(3) if axis != at.axis)
    spacing = volume.spacing and (volume.spacing[rows], volume.spacing[columns])
    plane = np.ascontiguousarray(plane_of(volume, slice, path))
    limits = (0, 255) if volume.stated else None
    return Decoded(plane, f"{plane.dtype} volume", limits=limits, measured=True, spacing=spacing)


def plane_of(volume: Volume, slice: Slice | None, path: Path) -> NDArray[Any]:
    """The pixels of a slice as it is shown: rows from the head or the front, columns from the patient's right."""
    at = slice or Slice(0, volume.thickest)
    count = volume.values.shape[at.axis]
    if slice is None and count > 1:
        raise UserError(f"A file must hold one image here, but {path} is a volume of {volume.size}: {count} slices.")
    if not at.number < count:
        raise UserError(f"{path} has {count} slices along axis {at.axis}, but slice {at.number + 1} was asked for.")
    return np.asarray(np.take(volume.values, at.number, at.axis).T[::-1, ::-1])


def check_agreement(image: Path, label: Path) -> None:
    """Raise `UserError` unless both volumes have the same voxels at the same places."""
    one, other = read_volume(image), read_volume(label)
    if one.values.shape != other.values.shape:
        raise UserError(
            f"A label volume has the voxels of its image, but {image} is {one.size} and {label} is {other.size}. "
            "Resample the label to the image's grid, by nearest neighbour."
        )
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * [*one.values.shape, 1]
    apart = np.abs((one.affine - other.affine) @ corners.T).max()
    voxel = min(one.spacing or (1.0,))
    if apart > SLACK * voxel:
        raise UserError(
            f"A label volume lies where its image lies, but {image} and {label} are up to {apart:.3g} mm apart by "
            "their headers (affine). Resample the label to the image's grid, or mend its header."
        )


def read_volume(path: Path) -> Volume:
    """The volume of a file; the last ones are kept, because their slices are read one after the other."""
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise UserError(f"{path} was listed but is gone. Put it back, or run the command again.") from error
    return _read_volume(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=3)  # an image, its label, and one more label
def _read_volume(path: Path, changed: int, size: int) -> Volume:
    nibabel = load_library("nibabel", path, "NIfTI or Analyze")
    nibabel.imageglobals.logger.setLevel(logging.CRITICAL)  # what it would print is said in the error
    try:
        image = nibabel.load(path)
        check_grey(image, path)
        image = nibabel.as_closest_canonical(with_three_axes(nibabel.funcs.squeeze_image(image), nibabel))
        values = np.asanyarray(image.dataobj)
    except (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        nibabel.wrapstruct.WrapStructError,
        nibabel.orientations.OrientationError,
        *(OSError, EOFError, ValueError, KeyError, IndexError, TypeError, OverflowError, MemoryError, zlib.error),
    ) as error:
        raise UserError(
            f"A NIfTI or Analyze file (x.img beside x.hdr) must be whole and its header valid, but {path} cannot be "
            f"read ({error}). Copy or download it again, or move it and its mask out of the folder."
        ) from error
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what becomes infinite is refused with the image
            values = values.astype(np.float32)
    values = values.reshape(*values.shape, *(1,) * (3 - values.ndim))
    stated = values.dtype == np.uint8
    return Volume(values, spacing_of(image), np.asarray(image.affine, np.float64), stated)


def with_three_axes(image: Any, nibabel: Any) -> Any:
    """An image of two axes as a volume of one slice: only such can be turned by their header."""
    missing = 3 - len(image.shape)
    if missing <= 0:
        return image
    values = np.asanyarray(image.dataobj)
    header = image.header.copy()
    return nibabel.Nifti1Image(values.reshape(*values.shape, *(1,) * missing), image.affine, header)


def check_grey(image: Any, path: Path) -> None:
    """Raise `UserError` for colours, complex numbers, and more than one value per voxel."""
    extra = [side for side in image.shape[3:] if side != 1]
    if extra:
        raise UserError(
            f"A volume has three axes, but {path} is {'x'.join(map(str, image.shape))}. Save each channel or point in "
            "time as a file of its own."
        )
    if 0 in image.shape:
        raise UserError(
            f"A volume has voxels, but {path} is {'x'.join(map(str, image.shape))}. Replace it by the real file."
        )
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        raise UserError(f"A volume holds one number per voxel, but {path} holds {kind}. Save it as grey values.")


def spacing_of(image: Any) -> tuple[float, float, float] | None:
    """Millimetres along the three axes; None where the header has none, or ones without a unit."""
    zooms = [float(side) for side in image.header.get_zooms()[:3]]
    zooms += [1.0] * (3 - len(zooms))
    try:
        units = getattr(image.header, "get_xyzt_units", lambda: ("mm", "sec"))()[0]
    except KeyError:  # a number that stands for no unit
        return None
    if not all(0 < side < np.inf for side in zooms) or (units == "unknown" and set(zooms) == {1.0}):
        return None
    x, y, z = (side * MM.get(units, 1.0) for side in zooms)
    return x, y, z
