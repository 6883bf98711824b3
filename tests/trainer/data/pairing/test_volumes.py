"""Folders of DICOM and NIfTI, read as any other folder is: slices and frames are cases, patients stay together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.trainer.data.medical import dicom_file, needs_medical, nifti_file
from trainer.config import DataConfig
from trainer.data.cases import Cases, load_cases
from trainer.data.survey import survey
from trainer.errors import UserError

pytestmark = needs_medical
BOX = np.zeros((20, 16, 3), np.uint8)  # x, y, z
BOX[4:10, 2:8, :2] = 1  # marked in two of three axial slices


def volume(seed: int) -> NDArray[Any]:
    """A CT of speckle with air around it."""
    noise = np.random.default_rng(seed).normal(40, 30, BOX.shape)
    noise[0] = -1000
    return noise.astype(np.int16)


def volumes(folder: Path, labels: NDArray[Any] = BOX, suffix: str = ".nii.gz") -> Path:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(2):
        nifti_file(folder / f"images/case{number}{suffix}", volume(number), (0.5, 1, 5))
        nifti_file(folder / f"masks/case{number}{suffix}", labels, (0.5, 1, 5))
    return folder


def loaded(folder: Path, tmp_path: Path, **settings: object) -> Cases:
    return load_cases(DataConfig(str(folder), **settings), 16, tmp_path / "cache")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("axis", "number", "spacing"),
    [(-1, 4, (1, 0.625)), (2, 4, (1, 0.625)), (1, 12, (0.9375, 0.625)), (0, 12, (0.9375, 1))],
)
def test_volumes_are_cut_into_slices_with_their_spacing(
    tmp_path: Path, axis: int, number: int, spacing: tuple[float, float]
) -> None:
    cases = loaded(volumes(tmp_path / "set"), tmp_path, axis=axis)
    assert len(cases) == number
    assert cases.patients == 2
    assert cases.names[0] == f"case0/slice {1 if axis in (-1, 2) else 5 if axis == 0 else 3:03d}"
    assert len(np.unique(cases.groups)) == 2
    assert cases.spacing is not None
    np.testing.assert_allclose(cases.spacing, np.tile(spacing, (number, 1)))
    assert "2 volumes cut into" in " ".join(cases.notes)
    assert "Hounsfield" in " ".join(cases.readings)


def test_image_and_label_agree_voxel_for_voxel(tmp_path: Path) -> None:
    """The label as an image: wherever it is bright, it is marked, along every axis."""
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/masks").mkdir()
    for number in range(2):
        nifti_file(tmp_path / f"set/images/c{number}.nii", BOX * 255, axes="LPS")
        nifti_file(tmp_path / f"set/masks/c{number}.nii", BOX, axes="LPS")
    for axis in range(3):
        cases = load_cases(DataConfig(str(tmp_path / "set"), axis=axis), 240, tmp_path / "cache")
        assert ((cases.images > 0.5) == (cases.masks == 1)).mean() > 0.99  # but for the edges, which are interpolated


def test_labels_of_two_classes_need_a_choice(tmp_path: Path) -> None:
    labels = BOX.copy()
    labels[5:7, 3:5] *= 2
    folder = volumes(tmp_path / "set", labels)
    with pytest.raises(UserError, match=r"data\.foreground"):
        loaded(folder, tmp_path)
    one, both = (loaded(folder, tmp_path, foreground=chosen) for chosen in ((2,), (1, 2)))
    assert 0 < one.masks.sum() < both.masks.sum()


def test_an_nnunet_folder(tmp_path: Path) -> None:
    root = tmp_path / "Dataset001_Liver"
    for name in ("imagesTr", "labelsTr"):
        (root / name).mkdir(parents=True)
    labels = BOX.copy()
    labels[5:7, 3:5] *= 2
    for number in range(2):
        nifti_file(root / f"imagesTr/liver_{number:03d}_0000.nii.gz", volume(number), (1, 1, 5))
        nifti_file(root / f"labelsTr/liver_{number:03d}.nii.gz", labels, (1, 1, 5))
    names = {"background": 0, "liver": 1, "tumour": 2}
    (root / "dataset.json").write_text(
        json.dumps({"channel_names": {"0": "CT"}, "labels": names, "numTraining": 2, "file_ending": ".nii.gz"})
    )
    tumour = loaded(root, tmp_path, foreground=("tumour",))
    assert len(tumour) == 4 and tumour.patients == 2
    assert tumour.masks.sum() == loaded(root, tmp_path, foreground=(2,)).masks.sum() > 0


def test_frames_and_patients_of_dicom(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, patient in enumerate(("Mustermann^Erika", "Mustermann^Erika", "Doe^John")):
        frames = rng.integers(0, 255, (2, 16, 20)).astype(np.uint8)
        mask = np.zeros_like(frames)
        mask[:, 3:9, 4:12] = 255
        where = tmp_path / "set"
        dicom_file(
            where / f"images/s{number}.dcm", frames, NumberOfFrames=2, PatientID=patient, PixelSpacing=[0.4, 0.2]
        )
        dicom_file(where / f"masks/s{number}.dcm", mask, NumberOfFrames=2, PatientID=patient)
    cases = loaded(tmp_path / "set", tmp_path)
    assert len(cases) == 6 and cases.patients == 2
    assert cases.groups.tolist() == [0, 0, 0, 0, 1, 1]
    assert cases.spacing is not None
    np.testing.assert_allclose(cases.spacing, np.tile([0.4 * 16 / 16, 0.2 * 20 / 16], (6, 1)))
    assert survey(tmp_path / "set").usable
    everything = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert b"Mustermann" not in everything and b"Doe" not in everything


@pytest.mark.parametrize(
    ("ids", "patients", "note"),
    [
        (("anonymous",) * 3, 0, "taken for anonymised"),
        (("a", "a", ""), 2, "1 image without a patient in its file"),
        (("", "", ""), 0, ""),
    ],
)
def test_patients_that_files_do_not_tell_apart(tmp_path: Path, ids: tuple[str, ...], patients: int, note: str) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for number, patient in enumerate(ids):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 20)).astype(np.uint8)
        dicom_file(tmp_path / f"set/images/s{number}.dcm", pixels, PatientID=patient)
        dicom_file(tmp_path / f"set/masks/s{number}.dcm", np.where(pixels > 128, 255, 0).astype(np.uint8))
    cases = loaded(tmp_path / "set", tmp_path)
    assert cases.patients == patients and note in " ".join(cases.notes)


@pytest.mark.parametrize("kind", ["smaller", "one image"])
def test_a_label_that_does_not_agree_is_refused_and_listed(tmp_path: Path, kind: str) -> None:
    folder = volumes(tmp_path / "set", suffix=".nii")
    mask = folder / "masks/case1.nii"
    nifti_file(mask, BOX[:, :, :2] if kind == "smaller" else BOX[:, :, :1], (0.5, 1, 5))
    with pytest.raises(UserError, match="voxels of its image"):
        loaded(folder, tmp_path)
    (problem,) = [problem for problem in survey(folder).problems if problem.fatal]
    assert problem.file == folder / "images/case1.nii"


def test_dicom_without_suffix_pairs_with_pictures_of_its_name(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 20)).astype(np.uint8)
        name = f"1.2.840.10008.{number}" if number else "IM000001"
        dicom_file(tmp_path / f"set/images/{name}", pixels, PatientID=f"p{number}")
        Image.fromarray(np.where(pixels > 128, 255, 0).astype(np.uint8)).save(tmp_path / f"set/masks/{name}.png")
    assert loaded(tmp_path / "set", tmp_path).patients == 3
