"""DICOM in the forms that scanners and archives write, made with pydicom."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.trainer.data.medical import dicom_file, needs_medical
from trainer.config import DataConfig
from trainer.data.formats.decode import decode, header
from trainer.data.formats.decoded import Slice
from trainer.data.formats.dicom import patient_of
from trainer.data.formats.kinds import is_nameless_dicom
from trainer.data.images import read_grey
from trainer.data.intensity import decide
from trainer.errors import UserError

pytestmark = needs_medical
RAMP = np.linspace(0, 1, 12 * 16).reshape(12, 16)  # what every form shows


def stored(depth: int, dtype: str = "u2", offset: float = 0) -> NDArray[Any]:
    return np.asarray(np.round(RAMP * (2**depth - 1) + offset)).astype(dtype)


FORMS: dict[str, Callable[[Path], object]] = {
    "8 bit": lambda path: dicom_file(path, stored(8, "u1")),
    "12 bit": lambda path: dicom_file(path, stored(12), BitsStored=12, HighBit=11),
    "12 of 16 bits": lambda path: dicom_file(path, stored(12)),
    "MONOCHROME1": lambda path: dicom_file(
        path, 4095 - stored(12), BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1"
    ),
    "MONOCHROME1 of 16 bits": lambda path: dicom_file(path, 4095 - stored(12), PhotometricInterpretation="MONOCHROME1"),
    "signed with rescale": lambda path: dicom_file(
        path, stored(12, "i2", -2048), RescaleSlope=1, RescaleIntercept=1024, Modality="CT"
    ),
    "CT with a window": lambda path: dicom_file(
        path,
        (RAMP * 400 + 860).astype("u2"),
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=36.5,
        WindowWidth=401,
    ),
    "several windows": lambda path: dicom_file(
        path, (RAMP * 400).astype("u2"), WindowCenter=[200.5, 40], WindowWidth=[401, 80]
    ),
    "exact window": lambda path: dicom_file(
        path, (RAMP * 400).astype("u2"), WindowCenter=200, WindowWidth=400, VOILUTFunction="LINEAR_EXACT"
    ),
    "a window of no width": lambda path: dicom_file(path, stored(12), WindowCenter=0, WindowWidth=0),
    "negative slope": lambda path: dicom_file(
        path, 4095 - stored(12), BitsStored=12, HighBit=11, RescaleSlope=-1, RescaleIntercept=4095
    ),
    "RLE": lambda path: dicom_file(path, stored(12), BitsStored=12, HighBit=11, compress="RLELossless"),
    "private tags": lambda path: dicom_file(path, stored(8, "u1"), private="Erika Mustermann"),
    "high byte first": lambda path: dicom_file(path, stored(12), big_endian=True),
    "colours": lambda path: dicom_file(path, np.repeat(stored(8, "u1")[..., None], 3, axis=2)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_shown_as_viewers_do(tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.dcm"
    FORMS[form](path)
    rule = decide([(path, None)], DataConfig())
    np.testing.assert_allclose(read_grey(path, None, rule), RAMP, atol=1 / 255)
    assert (header(path).width, header(path).height) == (16, 12)
    assert bool(rule.notes) == ("16 bits" in form or form in ("a window of no width", "high byte first"))


def jpeg(path: Path, syntax: str) -> None:
    file = io.BytesIO()
    Image.fromarray(stored(8, "u1")).save(file, "JPEG", quality=95)
    dicom_file(path, stored(8, "u1"), encapsulated=(syntax, file.getvalue()))


def test_jpeg_is_read_as_far_as_pillow_does_and_else_named(tmp_path: Path) -> None:
    jpeg(tmp_path / "x.dcm", "JPEGBaseline8Bit")
    np.testing.assert_allclose(read_grey(tmp_path / "x.dcm"), RAMP, atol=0.03)
    jpeg(tmp_path / "y.dcm", "JPEGLSLossless")
    with pytest.raises(UserError, match=r"y\.dcm is JPEG-LS.*Decompress it"):
        decode(tmp_path / "y.dcm")


def test_the_list_of_a_medium_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert not is_nameless_dicom(tmp_path / "DICOMDIR")


def test_a_range_that_is_asked_for_replaces_the_window(tmp_path: Path) -> None:
    dicom_file(tmp_path / "x.dcm", (RAMP * 400).astype("u2"), WindowCenter=100, WindowWidth=50)
    rule = decide([(tmp_path / "x.dcm", None)], DataConfig(range=(0, 400)))
    np.testing.assert_allclose(read_grey(tmp_path / "x.dcm", None, rule), RAMP, atol=1 / 255)


def test_a_sigmoid_window(tmp_path: Path) -> None:
    values = (RAMP * 400).astype("u2")
    dicom_file(tmp_path / "x.dcm", values, WindowCenter=200, WindowWidth=100, VOILUTFunction="SIGMOID")
    expected = 1 / (1 + np.exp(-4 * (values - 200.0) / 100))
    for config in (DataConfig(), DataConfig(range=(0, 400))):  # a curve is no range
        rule = decide([(tmp_path / "x.dcm", None)], config)
        np.testing.assert_allclose(read_grey(tmp_path / "x.dcm", None, rule), expected, atol=1e-5)


def test_a_table_for_viewing(tmp_path: Path) -> None:
    """A VOI LUT of 256 entries of 8 bits that turns the image into its negative."""
    table = {"first": 0, "bits": 8, "entries": list(range(255, -1, -1))}
    dicom_file(tmp_path / "x.dcm", stored(8, "u1"), voi_table=table)
    np.testing.assert_allclose(read_grey(tmp_path / "x.dcm"), 1 - RAMP, atol=1 / 255)


def test_frames_are_slices(tmp_path: Path) -> None:
    frames = np.stack([stored(8, "u1"), 255 - stored(8, "u1")])
    dicom_file(tmp_path / "x.dcm", frames, NumberOfFrames=2)
    np.testing.assert_array_equal(decode(tmp_path / "x.dcm", Slice(1)).pixels, frames[1])
    with pytest.raises(UserError, match="holds 2 frames"):
        decode(tmp_path / "x.dcm")
    with pytest.raises(UserError, match="has 2 frames, but frame 3"):
        decode(tmp_path / "x.dcm", Slice(2))


@pytest.mark.parametrize(
    ("tags", "spacing"),
    [
        ({}, None),
        ({"PixelSpacing": [0.5, 0.25]}, (0.5, 0.25)),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1)),
        ({"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [0.2, 0.1]}, (0.5, 0.25)),
        ({"ultrasound_cm": (0.02, 0.01)}, (0.2, 0.1)),
        ({"per_frame_spacing": [0.7, 0.6]}, (0.7, 0.6)),
    ],
)
def test_spacing_is_row_by_column_in_mm(
    tmp_path: Path, tags: dict[str, Any], spacing: tuple[float, float] | None
) -> None:
    dicom_file(tmp_path / "x.dcm", stored(8, "u1"), **tags)
    assert decode(tmp_path / "x.dcm").spacing == (spacing and pytest.approx(spacing))


def test_a_file_without_suffix_is_known_by_its_bytes(tmp_path: Path) -> None:
    for name in ("IM000001", "1.2.840.10008.5"):
        dicom_file(tmp_path / name, stored(8, "u1"), PatientID="p7")
        np.testing.assert_array_equal(decode(tmp_path / name).pixels, stored(8, "u1"))
        assert patient_of(tmp_path / name) == "p7"


def not_dicom(path: Path) -> None:
    path.write_bytes(b"hello")


def cut(path: Path) -> None:
    dicom_file(path, stored(12))
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (not_dicom, "has the letters DICM"),
        (cut, "truncated or damaged"),
        (lambda path: dicom_file(path, None), r"An image has pixels, but .*x\.dcm .* has none"),
        (
            lambda path: dicom_file(path, stored(8, "u1"), SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4"),
            "is a DICOM Segmentation",
        ),
        (lambda path: None, "was listed but is gone"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, write: Callable[[Path], object], words: str) -> None:
    write(tmp_path / "x.dcm")
    with pytest.raises(UserError, match=words):
        decode(tmp_path / "x.dcm")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dicom_file(tmp_path / "x.dcm", stored(8, "u1"))

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"needs pydicom.*make setup EXTRAS=medical"):
        header(tmp_path / "x.dcm")
