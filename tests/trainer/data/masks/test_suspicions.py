"""What is odd is said once, and only where it is odd."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trainer.config import DataConfig
from trainer.data.masks.reading import all_files, merge, scan
from trainer.data.masks.rule import decide_masks
from trainer.data.masks.suspicions import suspicions
from trainer.data.pairing.pairs import Pair

Draw = Callable[[int], NDArray[np.bool_]]
SIDE, CASES = 64, 6


def disc(number: int, radius: float = 14.0) -> NDArray[np.bool_]:
    """A disc, elsewhere in each mask."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray((rows - 20 - 3 * number) ** 2 + (columns - 40 + 2 * number) ** 2 < radius**2)


def ring(number: int) -> NDArray[np.bool_]:
    return disc(number) & ~disc(number, 13)


def heart(number: int) -> NDArray[np.bool_]:
    """A thick wall around a small chamber: a hole that is meant."""
    return disc(number) & ~disc(number, 7)


def vessels(number: int) -> NDArray[np.bool_]:
    """A net of thin lines with many small holes."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(((rows + number) % 8 == 0) | ((columns + 2 * number) % 8 == 0))


def box(number: int) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[10 + number : 40, 12 : 30 + number] = True
    return mask


def frame(number: int) -> NDArray[np.bool_]:
    """Everything but a wide middle."""
    mask = np.ones((SIDE, SIDE), bool)
    mask[6 + number : -6, 6:-6] = False
    return mask


def found(folder: Path, draw: Draw, *, width: int = SIDE, brightest: float = 1.0, **settings: bool) -> list[str]:
    scanned = []
    for number in range(CASES):
        image, mask = folder / f"{number}.png", folder / f"{number}_mask.png"
        shape = (SIDE, SIDE if number else width)
        Image.new("L", shape[::-1], 90).save(image)
        drawn = Image.fromarray(draw(number).astype(np.uint8) * 255).resize(shape[::-1], Image.Resampling.NEAREST)
        drawn.save(mask)
        scanned.append(scan(Pair(str(number), image, (mask,), ""), SIDE))
    rule = decide_masks(all_files(scanned), DataConfig(**settings))  # type: ignore[arg-type]
    masks = np.stack([merge(masks, rule).pixels for masks in scanned])
    return list(suspicions(scanned, rule, masks, brightest))


@pytest.mark.parametrize(
    ("draw", "settings", "words"),
    [
        (disc, {}, []),
        (heart, {}, []),
        (vessels, {}, []),
        (lambda number: ~disc(number), {}, ["most of the image .*data.invert=true"]),
        (lambda number: ~disc(number), {"invert": True}, []),
        (disc, {"invert": True}, ["most of the image .*leave out data.invert"]),
        (lambda number: disc(number) ^ (number in (1, 4)), {}, ["2 of 6 masks cover more than 60%"]),
        (frame, {}, ["image's border in 100% of the masks"]),
        (ring, {}, ["6 of 6 masks looked at are hollow.*data.fill=true"]),
        (ring, {"fill": True}, []),
        (lambda _: disc(0), {}, ["all 6 masks are the same"]),
        (box, {}, ["6 of 6 masks are one rectangle"]),
        (disc, {"brightest": 0.06}, ["brightest pixel of all images is 0.060 of 1"]),
        (disc, {"width": 200}, ["very different shapes"]),
        (disc, {"width": 300}, ["very different sizes", "very different shapes"]),
    ],
)
def test_only_what_is_odd_is_said(tmp_path: Path, draw: Draw, settings: dict[str, bool], words: list[str]) -> None:
    sentences = found(tmp_path, draw, **settings)
    assert len(sentences) == len(words), sentences
    for sentence, pattern in zip(sentences, words, strict=True):
        assert sentence.startswith("Look at this: ")
        assert re.search(pattern, sentence), sentence


def test_nothing_marked_is_not_odd_here(tmp_path: Path) -> None:
    assert found(tmp_path, lambda _: np.zeros((SIDE, SIDE), bool)) == []
