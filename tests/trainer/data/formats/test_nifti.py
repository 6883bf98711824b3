"""Volumes of NIfTI and Analyze, in any orientation."""

from __future__ import annotations

import gzip
import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.data.medical import needs_medical, nifti_file
from trainer.data.formats.decode import decode, header
from trainer.data.formats.decoded import Slice
from trainer.data.formats.nifti import check_agreement, read_volume
from trainer.errors import UserError

pytestmark = needs_medical
# Along R, A, S: 2 x 3 x 4 voxels, each with a number of its own.
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
# Axial: columns from the patient's right (large x) to the left, rows from the front (large y) to the back.
AXIAL = VALUES[::-1, ::-1, 1].T


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "PSR"])
def test_a_slice_is_shown_alike_however_the_file_lies(tmp_path: Path, axes: str, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    columns = ["RL", "AP", "SI"]
    moved = np.transpose(VALUES, [next(n for n, pair in enumerate(columns) if letter in pair) for letter in axes])
    flips = tuple(slice(None, None, -1 if letter in "LPI" else 1) for letter in axes)
    spacing = tuple((5.0, 3.0, 7.0)["RAS".find(letter) if letter in "RAS" else "LPI".find(letter)] for letter in axes)
    nifti_file(path, np.ascontiguousarray(moved[flips]), spacing, axes)  # type: ignore[arg-type]
    decoded = decode(path, Slice(1, 2))
    np.testing.assert_array_equal(decoded.pixels, AXIAL)
    assert decoded.spacing == pytest.approx((3, 5))
    assert (header(path, Slice(1, 2)).width, header(path, Slice(1, 2)).height) == (2, 3)
    assert read_volume(path).thickest == 2


@pytest.mark.parametrize(("axis", "shape", "spacing"), [(0, (4, 3), (7, 3)), (1, (4, 2), (7, 5)), (2, (3, 2), (3, 5))])
def test_three_axes(tmp_path: Path, axis: int, shape: tuple[int, int], spacing: tuple[float, float]) -> None:
    nifti_file(tmp_path / "x.nii", VALUES, (5, 3, 7))
    decoded = decode(tmp_path / "x.nii", Slice(0, axis))
    assert decoded.pixels.shape == shape
    assert decoded.spacing == pytest.approx(spacing)
    head = decoded.pixels[0, 0]  # top left: the highest of both other axes
    assert head == VALUES[tuple(0 if each == axis else -1 for each in range(3))]


def test_bytes_state_their_limits_and_scaled_values_do_not(tmp_path: Path) -> None:
    nifti_file(tmp_path / "x.nii", VALUES.astype(np.uint8))
    assert decode(tmp_path / "x.nii", Slice(0, 2)).limits == (0, 255)
    nifti_file(tmp_path / "y.nii", VALUES / 3)
    assert decode(tmp_path / "y.nii", Slice(0, 2)).limits is None
    assert decode(tmp_path / "y.nii", Slice(0, 2)).pixels.dtype == np.float32


def test_a_volume_of_one_slice_is_an_image(tmp_path: Path) -> None:
    nifti_file(tmp_path / "x.nii", VALUES[:, :, 1:2], (5, 3, 7))
    np.testing.assert_array_equal(decode(tmp_path / "x.nii").pixels, AXIAL)


@pytest.mark.parametrize("kind", ["Nifti1Pair", "Spm99AnalyzeImage"])
def test_an_analyze_pair_is_a_volume(tmp_path: Path, kind: str) -> None:
    nibabel = importlib.import_module("nibabel")
    nibabel.save(getattr(nibabel, kind)(VALUES, np.diag([5, 3, 7, 1])), tmp_path / "x.img")
    np.testing.assert_array_equal(decode(tmp_path / "x.img", Slice(1, 2)).pixels, AXIAL)
    (tmp_path / "x.hdr").write_bytes(bytes(348))
    os.utime(tmp_path / "x.img", (1, 1))
    with pytest.raises(UserError, match=r"x\.img beside x\.hdr.* cannot be read"):
        decode(tmp_path / "x.img", Slice(1, 2))


@pytest.mark.parametrize(
    ("other", "spacing", "words"),
    [
        (VALUES, (5, 3, 7), ""),
        (VALUES[:, :, :3], (5, 3, 7), r"is 2x3x4 and .*is 2x3x3"),
        (VALUES, (5, 3, 6), r"lies where its image lies, .* 4 mm apart"),
    ],
)
def test_a_label_lies_where_its_image_lies(
    tmp_path: Path, other: NDArray[Any], spacing: tuple[float, float, float], words: str
) -> None:
    nifti_file(tmp_path / "x.nii", VALUES, (5, 3, 7))
    nifti_file(tmp_path / "y.nii", other, spacing)
    if not words:
        check_agreement(tmp_path / "x.nii", tmp_path / "y.nii")
        return
    with pytest.raises(UserError, match=words):
        check_agreement(tmp_path / "x.nii", tmp_path / "y.nii")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 3, 4, 5), np.uint8), r"has three axes, but .* is 2x3x4x5"),
        (np.zeros((2, 3, 4), np.complex64), "one number per voxel"),
        (np.zeros((2, 0, 4), np.uint8), r"has voxels, but .* is 2x0x4"),
    ],
)
def test_volumes_that_are_not_read_are_named(tmp_path: Path, values: NDArray[Any], words: str) -> None:
    nifti_file(tmp_path / "x.nii", values)
    with pytest.raises(UserError, match=words):
        decode(tmp_path / "x.nii", Slice(0))


def test_a_volume_where_an_image_is_meant_and_damage_are_named(tmp_path: Path) -> None:
    nifti_file(tmp_path / "x.nii", VALUES)
    with pytest.raises(UserError, match=r"is a volume of 2x3x4: 4 slices"):
        decode(tmp_path / "x.nii")
    with pytest.raises(UserError, match="has 4 slices along axis 2, but slice 9"):
        decode(tmp_path / "x.nii", Slice(8, 2))
    nifti_file(tmp_path / "y.nii.gz", VALUES)
    whole = (tmp_path / "y.nii.gz").read_bytes()
    for number, damaged in enumerate((whole[:100], b"hello", gzip.compress(b"hello"), b"")):
        path = tmp_path / f"d{number}.nii.gz"
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="must be whole and its header valid, but"):
            decode(path, Slice(0))
