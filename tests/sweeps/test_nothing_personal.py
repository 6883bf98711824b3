"""Nothing that identifies a person reaches the home: a whole sweep on DICOM with names, then every byte is searched."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Thaw
from tests.small import SMALL_OPTIONS
from tests.trainer.data.medical import dicom_file, needs_medical

pytestmark = [pytest.mark.slow, needs_medical]
# In a header, in a private tag, in the name of a file.
PERSONAL = ("Mustermann", "Erika", "ID4711", "19700101", "Privatsatz", "Musterdatei")


def write_set(folder: Path) -> Path:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = rng.integers(0, 200, (40, 48)).astype(np.uint8)
        mask = np.zeros_like(pixels)
        if number < 5:  # the last one is empty, and named in a note where names are kept
            mask[10:25, 10:30] = 255
        name = f"Musterdatei {number}.dcm"
        person = {
            "PatientName": "Mustermann^Erika",
            "PatientID": f"ID4711-{number // 2}",
            "PatientBirthDate": "19700101",
        }
        dicom_file(folder / "images" / name, pixels, private="Privatsatz", PixelSpacing=[0.3, 0.2], **person)
        dicom_file(folder / "masks" / name, mask, **person)
    return folder


def contents(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's name and bytes, what is packed unpacked."""
    for path in home.rglob("*"):
        if path.is_file():
            yield path.relative_to(home).as_posix(), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        yield f"{path.name}/{name}", archive.read(name)


def test_nothing_personal_is_anywhere_in_the_home(thaw: Thaw, tmp_path: Path) -> None:
    data, home = write_set(tmp_path / "set"), tmp_path / "home"
    options = ("--data", data, "--set", "data.names=hide", "--set", 'search.masks=["1"]', "--set", "folds=2")
    done = thaw("run", "smoke", "--home", home, "--workers", 1, *SMALL_OPTIONS, *options)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "3 patients in 5 images" in done.stdout
    assert thaw("report", "--home", home, "--out", home / "page").returncode == 0
    searched = 0
    for name, content in contents(home):
        searched += 1
        for word in PERSONAL:
            for encoding in ("utf-8", "utf-16-le"):
                assert word.encode(encoding) not in content and word not in name, (name, word)
    assert searched > 20
    assert any(b"image 001" in content for _, content in contents(home))
