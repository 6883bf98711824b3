from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data.formats.decode import header
from trainer.data.masks.reading import MergedMask, all_files, merge, scan
from trainer.data.masks.rule import MaskRule, decide_masks
from trainer.data.masks.values import check_aspect
from trainer.data.pairing.pairs import Pair
from trainer.errors import UserError
from trainer.results import IGNORED

WHITE = MaskRule("grey", (255.0,))


def image(folder: Path) -> Path:
    Image.new("L", (16, 12), 100).save(folder / "x.png")
    return folder / "x.png"


def mask(path: Path, left: int = 255, right: int = 0, width: int = 16, height: int = 12) -> Path:
    """A mask of one value in its left half and another in its right half."""
    pixels = np.full((height, width), right, np.uint8)
    pixels[:, : width // 2] = left
    Image.fromarray(pixels).save(path)
    return path


def read(folder: Path, *masks: Path, size: int = 8, rule: MaskRule | None = None) -> MergedMask:
    scanned = scan(Pair("x", image(folder), masks, ""), size)
    return merge(scanned, rule or decide_masks(all_files([scanned]), DataConfig()))


def test_masks_of_one_image_are_merged(tmp_path: Path) -> None:
    left, right = mask(tmp_path / "a.png"), mask(tmp_path / "b.png", 0, 255)
    assert read(tmp_path, left).pixels.mean() == 0.5
    both = read(tmp_path, left, right)
    assert (both.pixels.min(), both.pixels.dtype.name, both.resized) == (1, "uint8", False)


def test_same_shape_in_another_size_is_resized_and_told(tmp_path: Path) -> None:
    merged = read(tmp_path, mask(tmp_path / "m.png", width=32, height=24))
    assert (merged.resized, merged.pixels.mean()) == (True, 0.5)


@pytest.mark.parametrize(("value", "what"), [(0, "empty"), (90, "faint"), (255, "")])
def test_a_mask_says_what_is_odd_about_it(tmp_path: Path, value: int, what: str) -> None:
    merged = read(tmp_path, mask(tmp_path / "m.png", value), rule=WHITE)
    assert (merged.empty, merged.faint) == (what in ("empty", "faint"), what == "faint")


def test_an_object_too_small_for_the_size_vanishes_but_is_not_empty(tmp_path: Path) -> None:
    dot = np.zeros((12, 16), np.uint8)
    dot[0, 0] = 255
    Image.fromarray(dot).save(tmp_path / "m.png")
    merged = read(tmp_path, tmp_path / "m.png", size=4)
    assert (merged.vanished, merged.empty) == (True, False)


def test_what_one_mask_ignores_another_may_mark(tmp_path: Path) -> None:
    rule = MaskRule("grey", (1.0,), ignored=(255.0,))
    one, other = mask(tmp_path / "a.png", 255, 0), mask(tmp_path / "b.png", 0, 1)
    alone, both = read(tmp_path, one, rule=rule).pixels, read(tmp_path, one, other, rule=rule).pixels
    assert (alone[0, 0], alone[0, -1]) == (IGNORED, 0)
    assert (both[0, 0], both[0, -1]) == (IGNORED, 1)
    assert (read(tmp_path, mask(tmp_path / "c.png", 1, 1), one, rule=rule).pixels == 1).all()


def test_outlines_are_filled_in_full_size(tmp_path: Path) -> None:
    ring = np.zeros((120, 160), np.uint8)
    ring[30:90, 40:120], ring[31:89, 41:119] = 255, 0  # one pixel thin: at 8 pixels a side little of it is left
    Image.fromarray(ring).save(tmp_path / "m.png")
    rules = WHITE, MaskRule("grey", (255.0,), fill=True)
    thin, full = (read(tmp_path, tmp_path / "m.png", rule=rule).pixels.mean() for rule in rules)
    assert thin < 0.1
    assert full == 0.25


@pytest.mark.parametrize(("width", "height", "fits"), [(160, 121, True), (160, 123, False), (12, 16, False)])
def test_aspect_ratios_agree_within_one_per_cent(tmp_path: Path, width: int, height: int, fits: bool) -> None:
    path = mask(tmp_path / "m.png", width=width, height=height)
    if fits:
        check_aspect(image(tmp_path), header(image(tmp_path)), path, header(path))
        return
    with pytest.raises(UserError, match=rf"same aspect ratio .*x\.png is 16x12 and .*m\.png is {width}x{height}"):
        read(tmp_path, path)


@pytest.mark.parametrize("values", [[-1.0, 1.0], [np.nan, 1.0], [0.0, np.inf]])
def test_values_that_are_no_labels_are_refused(tmp_path: Path, values: list[float]) -> None:
    Image.fromarray(np.array([values * 8] * 12, np.float32)).save(tmp_path / "m.tif")
    with pytest.raises(UserError, match=r"A mask holds (numbers|values from 0 on)"):
        read(tmp_path, tmp_path / "m.tif")
