"""Masks: written, named, parsed back, refused."""

from __future__ import annotations

from itertools import combinations

import pytest

from trainer.errors import UserError
from trainer.masks import ORDERS, Mask, at_depth, named, names, order_of, orders_and_depths, parse


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("1-5", (1, 2, 3, 4, 5)),
        ("contracting", (1, 2, 3, 4, 5)),
        ("expanding", (6, 7, 8, 9)),
        ("1,2,9", (1, 2, 9)),
        ("9, 1-2", (1, 2, 9)),
        ("shallow-3", (1, 2, 3)),
        ("Deep-1", (9,)),
        ("shallow-9", tuple(range(1, 10))),
        ("all", tuple(range(1, 10))),
        ("none", ()),
    ],
)
def test_parse(text: str, blocks: tuple[int, ...]) -> None:
    assert parse(text, 9).blocks == blocks


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_every_mask_is_parsed_back_to_itself(n: int) -> None:
    every = [Mask(blocks, n) for size in range(n + 1) for blocks in combinations(range(1, n + 1), size)]
    assert len({str(mask) for mask in every}) == 2**n
    assert all(parse(str(mask), n) == mask for mask in every)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contractng", "did you mean 'contracting'.*Blocks: 1-9"),
        ("shalow-3", "did you mean 'shallow-3'"),
        ("10", "block 10, which does not exist"),
        ("0-3", "block 0, which does not exist"),
        ("7-10", "block 10, which does not exist"),
        ("5-2", "must rise.*write 2-5"),
        ("deep-12", "has 9 blocks"),
        ("", "Unknown block"),
        ("1,,2", "Unknown block"),
        ("-3", "Unknown block"),
    ],
)
def test_bad_masks_are_refused(text: str, words: str) -> None:
    with pytest.raises(UserError, match=f"(?s){words}"):
        parse(text, 9)


def test_a_mask_is_sorted_and_inside_the_network() -> None:
    with pytest.raises(UserError, match="sorted and distinct"):
        Mask((2, 1), 9)
    with pytest.raises(UserError, match="1 to 9, but got block 10"):
        Mask((10,), 9)


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_thaws_one_block_at_a_time_and_ends_in_all(order: str) -> None:
    sizes = [len(at_depth(order, depth, 9).blocks) for depth in range(10)]
    assert sizes == list(range(10))
    assert str(at_depth(order, 9, 9)) == "all" and sorted(order_of(order, 9)) == list(range(1, 10))


def test_the_study_has_17_masks() -> None:
    both = {at_depth(order, depth, 9) for order in ORDERS[:2] for depth in range(1, 10)}
    assert len(both) == 17
    assert both <= {mask for _, mask in named(9)}


def test_orders_of_design() -> None:
    assert order_of("outer-first", 9) == (1, 9, 2, 8, 3, 7, 4, 6, 5)
    assert order_of("inner-first", 9) == (5, 6, 4, 7, 3, 8, 2, 9, 1)
    with pytest.raises(UserError, match="did you mean 'deep-first'"):
        order_of("deepfirst", 9)


def test_names_and_places() -> None:
    assert names(parse("1-5", 9)) == ("contracting", "shallow-5")
    assert names(parse("6-9", 9)) == ("expanding", "deep-4")
    assert names(parse("1,9", 9)) == ()
    assert orders_and_depths(parse("all", 9)) == tuple((order, 9) for order in ORDERS)
    assert orders_and_depths(parse("1,9", 9)) == (("outer-first", 2),)
    assert orders_and_depths(parse("none", 9)) == ()
