"""The axes of a space: every candidate has a point, every point has a candidate or lies outside."""

from __future__ import annotations

import itertools

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.axes import axes, candidate_at, point_of
from trainer.config import Settings

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
