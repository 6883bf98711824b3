"""The sizes of `search.images` on the images that were read."""

from __future__ import annotations

import numpy as np
import pytest

from sweeps.planning.labelled_images import on_these, subset_line
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.spec.load import load_spec
from trainer.data.cases import Cases
from trainer.errors import UserError

FOLD_OF = [case % 4 for case in range(40)]


def cases() -> Cases:
    masks = np.ones((40, 2, 2), np.uint8)
    names = tuple(f"case {case}" for case in range(40))
    return Cases(masks.astype(np.float32), masks, names, ("",) * 40, np.arange(40), "made", "made", True, (), "d1")


def resolved(*sets: str) -> ResolvedSweep:
    return resolve(load_spec("smoke", sets=["folds=4", "search.masks=['1-5']", *sets]), (1,) * 9)


def test_a_size_that_is_all_images_is_the_trial_that_there_is_anyway() -> None:
    found = on_these(resolved("search.images=[10,20,40]"), cases(), FOLD_OF)
    assert found.search.images == (10, 20)
    assert sorted({candidate.images for candidate in found.listed}) == [0, 10, 20]
    line = subset_line(found, 40)
    assert "as if 10, 20 of the 40 images were labelled: a fold trains on about 8, 15 of them" in line
    assert "The same images again fill an epoch up" in line
    assert "More augmented copies" in subset_line(resolved("search.images=[10]", "augmentation.total=80"), 40)


def test_without_sizes_nothing_changes_and_nothing_is_said() -> None:
    plain = resolved()
    assert on_these(plain, cases(), FOLD_OF) is plain and subset_line(plain, 40) == ""


def test_all_that_is_wrong_is_named_once() -> None:
    with pytest.raises(UserError) as refused:
        on_these(resolved("search.images=[3,41]", "search.seeds=[0,1]"), cases(), FOLD_OF)
    text = str(refused.value)
    assert text.count("\n") == 2 and "larger than the set of 40" in text and "with 3 images one has 2" in text
