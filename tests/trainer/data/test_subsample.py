from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainer.config import DataConfig
from trainer.data.subsample import draw, per_class, sampled


@pytest.mark.parametrize(
    ("n", "shares"), [(5, {"a": 3, "b": 1, "c": 1}), (1, {"a": 1}), (90, {"a": 53, "b": 26, "c": 11})]
)
def test_each_class_gets_its_share(n: int, shares: dict[str, int]) -> None:
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 12
    drawn = draw(labels, n, 0)
    assert len(set(drawn)) == n
    assert Counter(labels[case] for case in drawn) == shares


LABELS = ["b", "a", "b", "", "a", "b"]


@pytest.mark.parametrize(("images", "drawn"), [(0, False), (-1, False), (1, True), (5, True), (6, False), (7, False)])
def test_only_fewer_cases_than_there_are_are_drawn(images: int, drawn: bool) -> None:
    found, notes = sampled(LABELS, DataConfig(images=images, seed=4))
    assert (found, notes) == (list(range(6)), ()) if not drawn else len(found) == images and len(notes) == 1
    assert not drawn or found == draw(LABELS, images, 4) == sorted(set(found))


def test_the_note_says_what_was_drawn_and_how_to_have_all() -> None:
    _, (note,) = sampled(LABELS, DataConfig(images=3, seed=4))
    assert note.startswith("3 of 6 cases drawn (seed 4, stratified by class: ") and "data.images=0" in note
    _, (plain,) = sampled([""] * 6, DataConfig(images=3, seed=4))
    assert plain == "3 of 6 cases drawn (seed 4); use all with --set data.images=0"


def test_what_rounding_leaves_goes_to_the_largest_remainders_and_of_equal_ones_to_the_first() -> None:
    shares = [
        Counter(["a", "b", "c"][case // 3] for case in draw(["a"] * 3 + ["b"] * 3 + ["c"] * 3, n, 0)) for n in (4, 5)
    ]
    assert shares == [{"a": 2, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 1}]
    assert Counter(case // 4 for case in draw(["a"] * 4 + ["b"] * 3, 3, 0)) == {0: 2, 1: 1}  # shares 1.71 and 1.29


def test_the_draw_is_that_of_its_seed() -> None:
    rng = np.random.default_rng(8)
    expected = sorted([*rng.choice([0, 2, 4, 6], 2, replace=False), *rng.choice([1, 3, 5, 7], 2, replace=False)])
    assert draw(["a", "b"] * 4, 4, 8) == expected
    assert per_class(Counter({"b": 2, "": 3, "a": 1})) == "no class 3, a 1, b 2"
