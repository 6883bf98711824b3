"""Several masks beside a patient's one image: several lesions, or the same drawn by several people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data.pairing.sources import find
from trainer.errors import UserError


def patients(folder: Path, *masks: str) -> Path:
    """Three patients, each with `img.png` and masks of these names; `{}` stands for the patient's number."""
    rng = np.random.default_rng(0)
    for patient in range(3):
        root = folder / f"p{patient}"
        root.mkdir()
        Image.fromarray(rng.integers(0, 255, (24, 24), np.uint8)).save(root / "img.png")
        for place, name in enumerate(masks):
            mask = np.zeros((24, 24), np.uint8)
            mask[4 + place : 12 + patient, 5:15] = 255
            Image.fromarray(mask).save(root / f"{name.format(patient)}.png")
    return folder


@pytest.mark.parametrize("masks", [("lesion1", "lesion2"), ("mask_1", "mask_2"), ("{}f3a9", "{}b07c")])
def test_numbers_count_lesions(tmp_path: Path, masks: tuple[str, str]) -> None:
    pairs = find(DataConfig(str(patients(tmp_path, *masks)))).pairs
    assert [(pair.patient, len(pair.masks)) for pair in pairs] == [("p0", 2), ("p1", 2), ("p2", 2)]


@pytest.mark.parametrize("masks", [("reader1", "reader2"), ("obs1", "obs2"), ("liver", "kidney"), ("disc", "cup")])
def test_people_and_organs_are_two_readings(tmp_path: Path, masks: tuple[str, str]) -> None:
    with pytest.raises(UserError, match=r"Two readings .* are possible"):
        find(DataConfig(str(patients(tmp_path, *masks))))


def test_a_link_back_into_the_set_is_no_further_image(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
        for number in range(2):
            mask = np.zeros((24, 24), np.uint8)
            mask[4:12, 5 : 12 + number] = 255
            Image.fromarray(mask).save(tmp_path / name / f"{number}.png")
    (tmp_path / "images" / "back").symlink_to("..", target_is_directory=True)
    found = find(DataConfig(str(tmp_path)))
    assert len(found.pairs) == 2 and not found.without_mask


@pytest.mark.parametrize(
    ("image", "mask"),
    [("p{}/img", "p{}/lesion"), ("A/{}", "B/{}"), ("{}", "{}_seg"), ("us/{}", "lesion/{}")],
)
@pytest.mark.parametrize("gone", ["image", "mask"])
def test_a_missing_file_is_named_in_every_habit(tmp_path: Path, image: str, mask: str, gone: str) -> None:
    rng = np.random.default_rng(0)
    for number in range(4):
        drawn = np.zeros((24, 24), np.uint8)
        drawn[4:12, 5 : 12 + number] = 255
        for kind, name, pixels in (
            ("image", image, rng.integers(0, 255, (24, 24), np.uint8)),
            ("mask", mask, drawn),
        ):
            path = tmp_path / f"{name.format(number)}.png"
            path.parent.mkdir(exist_ok=True)
            if (number, kind) != (2, gone):
                Image.fromarray(pixels).save(path)
    found = find(DataConfig(str(tmp_path)))
    left = found.without_image if gone == "image" else found.without_mask
    assert len(found.pairs) == 3 and not found.duplicates
    assert [path.relative_to(tmp_path).as_posix() for path in left] == [
        f"{(mask if gone == 'image' else image).format(2)}.png"
    ]
