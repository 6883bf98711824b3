"""What a data set calls its labels, and how a foreground is chosen by these names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trainer.config import DataConfig
from trainer.data.masks.label_names import label_names
from trainer.data.masks.rule import decide_masks
from trainer.data.masks.values import mask_values
from trainer.data.pairing.pairs import Layout, Pair
from trainer.errors import UserError


def layout(folder: Path) -> Layout:
    pair = Pair("a", folder / "imagesTr" / "a.png", (folder / "labelsTr" / "a.png",), "")
    return Layout("nnU-Net", (pair,), ())


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"labels": {"background": 0, "cyst": 1, "tumour": 2}}, {"background": (0,), "cyst": (1,), "tumour": (2,)}),
        ({"labels": {"0": "background", "1": "cyst"}}, {"background": (0,), "cyst": (1,)}),
        ({"labels": {"whole": [1, 2], "odd": ["x"], "none": []}}, {"whole": (1, 2)}),
        ({"labels": ["background"]}, {}),
        ([], {}),
    ],
)
def test_names_in_either_direction(tmp_path: Path, content: object, names: dict[str, tuple[int, ...]]) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    assert label_names(layout(tmp_path)) == names


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=r"dataset\.json must be JSON"):
        label_names(layout(tmp_path))


NAMES = {"background": (0,), "cyst": (1,), "tumour": (2,), "whole": (1, 2), "ignore": (3,)}
LABELS = mask_values(Path("m.png"), "grey", np.repeat(np.array([[0, 1, 2, 3]], np.uint8), 9, axis=0))


@pytest.mark.parametrize(
    ("foreground", "meaning"),
    [
        (("tumour",), [0, 0, 1, 255]),
        (("whole",), [0, 1, 1, 255]),
        (("cyst", 2), [0, 1, 1, 255]),
        (("1",), [0, 1, 0, 255]),
    ],
)
def test_a_foreground_by_name(foreground: tuple[int | str, ...], meaning: list[int]) -> None:
    rule = decide_masks([LABELS], DataConfig(foreground=foreground), NAMES)
    assert rule.meaning(LABELS.values, "grey").tolist() == meaning
    assert "3 is ignored" in rule.sentence


@pytest.mark.parametrize(
    ("foreground", "words"),
    [
        ((), "hold 2 values besides 0: .*1 cyst .*2 tumour .*dataset.json calls them .*whole \\(1, 2\\)"),
        (("lesion",), "got 'lesion', and their values are the names background, cyst"),
        ((7,), "7 never occurs. They hold 0 background"),
    ],
)
def test_what_is_not_chosen_is_refused_with_the_names(foreground: tuple[int | str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        decide_masks([LABELS], DataConfig(foreground=foreground), NAMES)
