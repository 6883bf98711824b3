"""Pairing never joins an image with another's mask: seeded folders in random habits are read rightly, or refused."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.trainer.data.drawn import touch
from trainer.config import DataConfig
from trainer.data.pairing.sources import find_whole
from trainer.errors import UserError

IMAGE_FOLDERS = (
    "images",
    "Original",
    "img",
    "",
    "train",
    "pics",
    "JPEGImages",
    "us",
    "scans/raw",
    "data/imgs",
    "alpha",
)
MASK_FOLDERS = ("masks", "Ground Truth", "gt", "", "train_masks", "truth", "labels", "annotations", "lesion", "seg/bin")
AROUND_IMAGES = (("", ""), ("img_", ""), ("Test_Image_", ""), ("", "_HC"), ("", "_0000"), ("us", ""), ("", "_training"))
AROUND_MASKS = (
    *(("", ""), ("mask_", ""), ("", "_mask"), ("", "-mask"), ("", "_seg"), ("", "_HC_Annotation"), ("", "_manual1")),
    *(("gt_", ""), ("", "_lesion"), ("mask_", "-l"), ("", "_foo"), ("", " (mask)"), ("m", "")),
)
NAMES = (
    ("1", "2", "3", "4", "5", "6"),
    ("008", "009", "010", "011", "012", "013"),
    ("p1_1", "p1_2", "p2_1", "p2_2", "p3_1", "p3_2"),
    ("benign_1", "benign_2", "benign_3", "malignant_1", "malignant_2", "malignant_3"),
    ("benign/1", "benign/2", "benign/3", "malignant/1", "malignant/2", "malignant/3"),
    ("p1/1", "p1/2", "p2/1", "p2/2", "p3/1", "p3/2"),
    ("x1_9", "x2_8", "x3_7", "x7_3", "x8_2", "x9_1"),
    ("1", "11", "111", "1_1", "11_1", "2"),
)


def some(rng: random.Random, names: Sequence[str], folder: str, around: tuple[str, str]) -> dict[str, str]:
    """The file of each name, a few of them missing now and then."""
    kept = rng.sample(names, len(names) - rng.choice((0, 0, 0, 1, 2)))
    split = {name: name.rpartition("/") for name in sorted(kept)}
    return {name: f"{folder}/{way}/{around[0]}{last}{around[1]}.png" for name, (way, _, last) in split.items()}


@pytest.mark.parametrize("skip_unpaired", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_image_gets_the_mask_of_another(tmp_path: Path, seed: int, skip_unpaired: bool) -> None:
    rng, read = random.Random(seed), 0
    for number in range(12):
        names = rng.choice(NAMES)
        images = some(rng, names, f"{number}/{rng.choice(IMAGE_FOLDERS)}", rng.choice(AROUND_IMAGES))
        masks = some(rng, names, f"{number}/{rng.choice(MASK_FOLDERS)}", rng.choice(AROUND_MASKS))
        if set(images.values()) & set(masks.values()):
            continue
        touch(tmp_path, *images.values(), *masks.values())
        try:
            pairs = find_whole(DataConfig(str(tmp_path / str(number)), skip_unpaired=skip_unpaired)).pairs
        except UserError:
            continue
        right = {(tmp_path / images[name], (tmp_path / masks[name],)) for name in images.keys() & masks.keys()}
        assert {(pair.image, pair.masks) for pair in pairs} <= right
        assert skip_unpaired or len(pairs) == len(images) == len(masks)
        read += 1
    assert read
