"""A search keeps to the space that it began in; it may grow."""

from __future__ import annotations

import pytest

from sweeps.planning.identity import check_space
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.spec.load import load_spec
from trainer.config import Candidate
from trainer.errors import UserError

TRIED = [
    Candidate("all", 2, 1e-3),
    Candidate("1-5", 2, 1e-3),
    Candidate("1-3", 2, 1e-3),
    Candidate("none", 0, 1e-3),
    Candidate("all", 2, 1e-3, "scratch"),
]


def resolved(*more: str) -> ResolvedSweep:
    sets = ["search.space=subsets", "search.strategy=random", "search.trials=9", "search.epochs=[2]"]
    return resolve(load_spec("smoke", sets=[*sets, "search.learning_rate=[1e-3]", *more]), [10] * 9)


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["search.epochs=[2, 4]"],
        ["search.learning_rate=[1e-3, 1e-2]"],
        ["search.max_blocks=5"],
        ["search.strategy=tpe"],
    ],
)
def test_the_same_space_and_a_larger_one_go_on(more: list[str]) -> None:
    check_space(resolved(*more), "s", TRIED)


@pytest.mark.parametrize(
    ("more", "count", "such"),
    [
        (["search.max_blocks=4"], 1, "1-5 "),
        (["search.must_train=[6]", "search.max_blocks=2"], 2, "1-3 "),
        (["search.space=single"], 2, "1-3 "),
        (["search.epochs=[4]"], 2, "1-3 "),
        (["search.learning_rate=[1e-2]"], 2, "1-3 "),
    ],
)
def test_another_space_is_refused(more: list[str], count: int, such: str) -> None:
    with pytest.raises(UserError, match=rf"of 's' {count} lie outside of this \[search\], such as {such}"):
        check_space(resolved(*more), "s", TRIED)


def test_a_list_may_always_change() -> None:
    check_space(resolved("search.strategy=exhaustive", "search.trials=0", "search.max_blocks=1"), "s", TRIED)
