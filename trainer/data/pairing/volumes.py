"""Files of several images: each slice of a volume and each frame of a DICOM file is a case, of one patient together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from trainer.data.formats import dicom, nifti
from trainer.data.formats.decoded import Slice
from trainer.data.formats.kinds import kind_of
from trainer.data.listing.folder import count
from trainer.data.pairing.pairs import Pair
from trainer.errors import UserError

THICKEST = -1
PLANES = ("sagittal (axis 0)", "coronal (axis 1)", "axial (axis 2)")
FRAMES = 2  # the axis that frames count as


def sliced(pairs: Sequence[Pair], axis: int = THICKEST) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """The cases in these files, and notes: slices of each volume, frames of each DICOM file, all others as they are.

    `axis`: along which volumes are cut, by default the one along which their slices lie furthest apart. A case's
    patient is the file's `PatientID`, or the volume, where nothing else named one. Raises `UserError` for a volume
    whose label does not agree with it.
    """
    kinds = {pair.image: kind_of(pair.image) for pair in pairs}
    if not {"dicom", "nifti"} & set(kinds.values()):
        return tuple(pairs), ()
    cases: list[Pair] = []
    planes: Counter[str] = Counter()
    for pair in pairs:
        slices: Iterable[Slice] = ()
        if kinds[pair.image] == "nifti":
            slices = slices_of(pair, axis)
            planes.update([PLANES[one.axis] for one in slices][:1])
        elif kinds[pair.image] == "dicom":
            pair = replace(pair, patient=pair.patient or dicom.patient_of(pair.image))
            slices = frames_of(pair)
        cases += [part_of(pair, one) for one in slices] or [pair]
    notes = [f"{number} volumes cut into {plane} slices" for plane, number in sorted(planes.items())]
    patients = {case.patient for case in cases}
    if "" in patients and len(patients) > 1:  # those that say nothing stand for themselves
        nameless = tuple(case for case in cases if not case.patient)
        notes.append(f"{count(nameless, 'image')} without a patient in its file: each taken for one of its own")
        cases = [replace(case, patient=case.patient or case.name) for case in cases]
    if len(patients) == 1 and "" not in patients and len(pairs) > 1:
        notes.append("all files name the same patient: taken for anonymised, and not used to keep patients in one fold")
        cases = [replace(case, patient="") for case in cases]
    return tuple(cases), tuple(notes)


def part_of(pair: Pair, slice: Slice) -> Pair:
    """One slice of a pair of files, numbered from 1 in its name."""
    return replace(
        pair, name=f"{pair.name}/slice {slice.number + 1:03d}", slice=slice, patient=pair.patient or pair.name
    )


def slices_in(path: Path, axis: int = THICKEST) -> list[Slice]:
    """The slices of a volume, or the frames of a DICOM file; none for a file that is a single image."""
    kind, at, number = kind_of(path), FRAMES, 1
    if kind == "nifti":
        volume = nifti.read_volume(path)
        at = volume.thickest if axis == THICKEST or 1 in volume.values.shape else axis
        number = volume.values.shape[at]
    elif kind == "dicom":
        number = dicom.frame_count(path)
    return [Slice(index, at) for index in range(number)] if number > 1 else []


def slices_of(pair: Pair, axis: int) -> list[Slice]:
    """The slices of a volume that all its labels agree with."""
    for mask in pair.masks:
        if kind_of(mask) == "nifti":
            nifti.check_agreement(pair.image, mask)
    slices = slices_in(pair.image, axis)
    check_masks(pair, len(slices), "nifti")
    return slices


def frames_of(pair: Pair) -> list[Slice]:
    """The frames of a DICOM file whose masks have as many."""
    frames = slices_in(pair.image)
    check_masks(pair, len(frames), "dicom")
    for mask in pair.masks:
        if frames and (found := dicom.frame_count(mask)) != len(frames):
            raise UserError(
                f"A mask has a frame for each of its image, but {pair.image} has {len(frames)} and {mask} has {found}."
            )
    return frames


def check_masks(pair: Pair, number: int, kind: str) -> None:
    """Raise `UserError` where a file of several images has a mask of another kind, which has one."""
    other: Path | None = next((mask for mask in pair.masks if number > 1 and kind_of(mask) != kind), None)
    if other is not None:
        raise UserError(
            f"{pair.image} holds {number} images, so its mask must be a file of the same kind that holds as many, but "
            f"{other} is none. Save the mask in the image's format, or each image as a file of its own."
        )
