"""The axes of a space: every candidate has a point, every point has a candidate or lies outside."""

from __future__ import annotations

import itertools

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.axes import axes, candidate_at, point_of
from trainer.config import Settings
from trainer.masks import parse

SEARCHES = {
    "orders": Search(orders=("shallow-first", "deep-first"), epochs=(2, 6, 12)),
    "masks": Search(space="masks", masks=("6-9", "1-5", "2,4"), learning_rate=(1e-3, 1e-2)),
    "single": Search(space="single", train=(("batch", (4, 8)), ("loss", ("bce", "bce+dice")))),
    "subsets": Search(space="subsets", max_blocks=3, must_train=(2,), epochs=(1, 2)),
}


def space(name: str) -> Space:
    return space_of(SEARCHES[name], [1] * 9, Settings())


@pytest.mark.parametrize("name", SEARCHES)
def test_every_candidate_has_a_point_and_every_point_a_candidate_or_none(name: str) -> None:
    made = space(name)
    assert all(candidate_at(made, point_of(made, one)) == one for one in made.candidates())
    names = [axis.name for axis in axes(made)]
    points = itertools.product(*(range(len(axis.values)) for axis in axes(made)))
    found = {candidate_at(made, dict(zip(names, point, strict=True))) for point in points}
    assert found - {None} == set(made.candidates())


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("orders", ["order", "depth", "epochs"]),
        ("masks", ["mask", "learning_rate"]),
        ("single", ["mask", "batch", "loss"]),
        ("subsets", [*(f"block_{block}" for block in (1, 3, 4, 5, 6, 7, 8, 9)), "epochs"]),
    ],
)
def test_the_choices_of_a_space_and_which_of_them_are_ordinal(name: str, free: list[str]) -> None:
    found = [axis for axis in axes(space(name)) if len(axis.values) > 1]
    assert [axis.name for axis in found] == free
    assert [axis.name for axis in found if axis.ordinal] == [
        each for each in free if each in ("depth", "epochs", "learning_rate", "batch")
    ]


def test_epochs_begin_at_the_largest() -> None:
    assert axes(space("orders"))[-1].values == (12, 6, 2)


def test_an_axis_that_a_point_does_not_name_stands_at_its_first_value() -> None:
    made = space("orders")
    found = candidate_at(made, {"depth": 2})
    assert found == made.candidate(parse("1-3", 9), 12, 1e-3)
    assert candidate_at(space("subsets"), {"block_1": 1}) == space("subsets").candidate(parse("1-2", 9), 2, 1e-3)


@pytest.mark.parametrize(
    ("name", "mask", "point"),
    [
        ("orders", "all", {"order": 0, "depth": 8}),
        ("orders", "8-9", {"order": 1, "depth": 1}),
        ("masks", "2,4", {"mask": 2}),
        ("single", "3", {"mask": 2}),
        ("subsets", "2,4", {"block_2": 0, "block_4": 1, "block_1": 0}),
    ],
)
def test_points_by_hand(name: str, mask: str, point: dict[str, int]) -> None:
    made = space(name)
    found = point_of(made, made.first(parse(mask, 9)))
    assert {axis: found[axis] for axis in point} == point
    assert set(found) == {axis.name for axis in axes(made)}


def test_a_block_has_the_states_that_the_allowed_masks_have() -> None:
    made = space_of(Search(space="subsets", must_train=(2,), must_freeze=(1,)), [1] * 3, Settings())
    found = {axis.name: axis.values for axis in axes(made)}
    assert (found["block_1"], found["block_2"], found["block_3"]) == ((False,), (True,), (False, True))


def test_text_and_switches_have_no_order_but_numbers_have() -> None:
    search = Search(train=(("batch", (4, 8)), ("loss", ("bce", "bce+dice")), ("batch_norm", ("adapt", "frozen"))))
    made = space_of(search, [1] * 9, Settings())
    assert {axis.name: axis.ordinal for axis in axes(made)} == {
        "order": False,
        "depth": True,
        "batch": True,
        "loss": False,
        "batch_norm": False,
        "learning_rate": True,
        "epochs": True,
    }
    rates = space_of(Search(learning_rate=(1e-2, 1e-4, 1e-3)), [1] * 9, Settings())
    assert axes(rates)[-2].values == (1e-4, 1e-3, 1e-2)
