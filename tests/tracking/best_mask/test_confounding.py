from __future__ import annotations

from itertools import combinations

import pytest

from tests.tracking.best_mask.test_block_effects import every, fraction
from tracking.best_mask.block_effects import Term, columns
from tracking.best_mask.confounding import Confounded, confounded


def test_every_set_tells_everything_apart() -> None:
    assert confounded(every(4), 4) == []


def test_the_textbook_fraction() -> None:
    assert [one.words for one in confounded(fraction(), 4)] == ["1×2 = 3×4", "1×3 = 2×4", "1×4 = 2×3"]


def test_a_block_that_never_varies_is_the_mean() -> None:
    always = [(*one, 4) for one in every(3)]
    assert [one.words for one in confounded(always, 4)] == ["the mean = 4", "1 = 1×4", "2 = 2×4", "3 = 3×4"]
    never = every(3)
    assert confounded(never, 4)[0].words == "the mean = −4"


def test_what_is_said_to_be_one_column_is_one() -> None:
    """Every printed equation holds in every mask."""
    for group in confounded(fraction(), 4):
        seen = columns(fraction(), group.terms) * group.signs
        assert (seen == seen[:, :1]).all()


def test_few_masks_confuse_nearly_everything() -> None:
    masks = list(combinations(range(1, 10), 2))[:20]
    words = [one.words for one in confounded(masks, 9)]
    assert "effects, of which the masks know" in words[0] and " more: " in words[0]


@pytest.mark.parametrize(
    ("masks", "n_blocks", "order", "words"),
    [
        ([(1,), (2,)], 2, 1, ["1 = −2"]),
        ([(1,)], 1, 1, ["the mean = 1"]),
        ([()], 1, 1, ["the mean = −1"]),
        ([(), (1, 2)], 2, 2, ["the mean = 1×2", "1 = 2"]),
        ([(), (1,), (2,)], 2, 1, []),
        ([(), (1,), (2,)], 2, 2, ["the mean, 1, 2, 1×2: 4 effects, of which the masks know 3 combinations"]),
        ([(), (1,), (2,), (1, 2)], 3, 1, ["the mean = −3"]),
    ],
)
def test_few_blocks_by_hand(masks: list[Term], n_blocks: int, order: int, words: list[str]) -> None:
    assert [one.words for one in confounded(masks, n_blocks, order)] == words


@pytest.mark.parametrize(("count", "end"), [(5, "5: 5"), (6, "6: 6"), (7, "6 and 1 more: 7")])
def test_of_many_effects_six_are_named(count: int, end: str) -> None:
    terms = tuple((block,) for block in range(1, count + 1))
    assert f"{end} effects, of which the masks know 2 combinations" in Confounded(terms, (), 2).words
