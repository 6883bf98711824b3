"""A search keeps to the space that it began in; it may grow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweeps.planning.identity import check_space, describe
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.spec.load import load_spec
from tracking.store.same_sweep import measured
from trainer.candidate import Candidate
from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.errors import UserError
from trainer.keys import digest

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


def test_tolerance_and_spacing_make_a_sweep_and_the_defaults_none(tmp_path: Path) -> None:
    """One sweep holds distances of one kind; a sweep recorded before there were any keeps its identity."""
    cases = load_cases(DataConfig(images=4), 32, tmp_path)
    known = replace(cases, spacing=np.full((4, 2), 0.25))
    changed = {
        "as before": (cases, []),
        "unknown": (replace(cases, spacing=np.full((4, 2), np.nan)), []),
        "tolerance": (cases, ["score.tolerance=2.5"]),
        "spacing": (known, []),
        "another": (replace(cases, spacing=np.full((4, 2), 0.5)), []),
    }
    infos = {
        name: describe(resolved(*sets), "s", given, [0, 0, 1, 1], {"digest": "w"}, {})
        for name, (given, sets) in changed.items()
    }
    before = digest(
        {"settings": measured(infos["as before"].spec), "data": cases.digest} | {"folds": [0, 0, 1, 1], "weights": "w"}
    )
    assert infos["as before"].digest == infos["unknown"].digest == before
    assert len({info.digest for info in infos.values()}) == 4
    scales = [(info.distances["unit"], info.distances["tolerance"]) for info in infos.values()]
    assert scales == [("px", 1.0), ("px", 1.0), ("px", 2.5), ("mm", 2.0), ("mm", 2.0)]


def test_a_list_may_always_change() -> None:
    check_space(resolved("search.strategy=exhaustive", "search.trials=0", "search.max_blocks=1"), "s", TRIED)
