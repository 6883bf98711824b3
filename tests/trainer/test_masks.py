"""Masks: written, named, parsed back, refused."""

from __future__ import annotations

from itertools import combinations

import pytest

from trainer.errors import UserError
from trainer.masks import ORDERS, Mask, at_depth, known_words, named, names, order_of, orders_and_depths, parse


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


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, {"contracting": (1,), "expanding": (), "shallow-1": (1,), "deep-1": (1,), "all": (1,)}),
        (2, {"contracting": (1,), "expanding": (2,), "deep-2": (1, 2), "1-1": (1,), "1-2": (1, 2)}),
        (4, {"contracting": (1, 2), "expanding": (3, 4), "shallow-4": (1, 2, 3, 4), "deep-3": (2, 3, 4)}),
        (5, {"contracting": (1, 2, 3), "expanding": (4, 5), "deep-1,2": (2, 5), "ALL": (1, 2, 3, 4, 5)}),
    ],
)
def test_words_on_networks_of_other_sizes(n: int, words: dict[str, tuple[int, ...]]) -> None:
    assert {word: parse(word, n).blocks for word in words} == words


@pytest.mark.parametrize("text", ["shallow-0", "deep-0", "shallow-6", "deep-6", "6", "0", "1-6", "3-2"])
def test_what_lies_outside_the_network_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"5 blocks|does not exist|must rise"):
        parse(text, 5)


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ((1, 2), "1-2"),
        ((1, 3), "1,3"),
        ((1, 2, 4, 5), "1-2,4-5"),
        ((5,), "5"),
        ((2, 3, 4), "2-4"),
        ((1, 3, 5), "1,3,5"),
    ],
)
def test_a_mask_is_written_as_runs(blocks: tuple[int, ...], text: str) -> None:
    mask = Mask(blocks, 6)
    assert str(mask) == text and [block in mask for block in range(1, 7)] == [b in blocks for b in range(1, 7)]


@pytest.mark.parametrize("blocks", [(0,), (7,), (-1, 2), (1, 1), (2, 1)])
def test_blocks_outside_or_out_of_order_make_no_mask(blocks: tuple[int, ...]) -> None:
    with pytest.raises(UserError):
        Mask(blocks, 6)


@pytest.mark.parametrize("depth", [-1, 7])
def test_a_depth_lies_between_none_and_all(depth: int) -> None:
    assert str(at_depth("deep-first", 0, 6)) == "none" and str(at_depth("deep-first", 6, 6)) == "all"
    with pytest.raises(UserError, match=f"must be 0 to 6, but got {depth}"):
        at_depth("deep-first", depth, 6)


@pytest.mark.parametrize(
    ("n", "outer"), [(1, (1,)), (2, (1, 2)), (3, (1, 3, 2)), (4, (1, 4, 2, 3)), (5, (1, 5, 2, 4, 3))]
)
def test_orders_of_other_sizes(n: int, outer: tuple[int, ...]) -> None:
    shallow = tuple(range(1, n + 1))
    orders = (shallow, shallow[::-1], outer, outer[::-1])
    assert tuple(order_of(order, n) for order in ORDERS) == orders


def test_the_named_masks_in_their_order() -> None:
    assert [name for name, _ in named(3)] == [
        "none",
        "contracting",
        "expanding",
        "shallow-1",
        "shallow-2",
        "deep-1",
        "deep-2",
        "all",
    ]
    assert all(mask == parse(name, 4) for name, mask in named(4))


@pytest.mark.parametrize(
    ("text", "n", "found"),
    [
        ("all", 3, ()),
        ("none", 3, ()),
        ("1", 3, ("shallow-1",)),
        ("1-2", 3, ("contracting", "shallow-2")),
        ("3", 3, ("expanding", "deep-1")),
        ("2-3", 3, ("deep-2",)),
        ("2", 3, ()),
        ("1", 1, ("contracting",)),
    ],
)
def test_aliases_are_the_other_names(text: str, n: int, found: tuple[str, ...]) -> None:
    assert names(parse(text, n)) == found


def test_errors_list_what_a_mask_may_be_written_with() -> None:
    assert known_words(9) == "Blocks: 1-9; words: all, none, contracting (1-5), expanding (6-9), shallow-k, deep-k."
    assert "contracting (1-2), expanding (3-4)" in known_words(4)
    with pytest.raises(UserError, match=r"in mask 'zzzzzz'\. Blocks"):
        parse("zzzzzz", 9)
    with pytest.raises(UserError, match="did you mean 'deep-9'"):
        parse("deep9", 9)
