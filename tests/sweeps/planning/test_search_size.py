"""How much a search trains."""

from __future__ import annotations

import pytest

from sweeps.planning.resolve import resolve
from sweeps.planning.search_size import epoch_steps, search_size
from sweeps.spec.load import load_spec


@pytest.mark.parametrize(
    ("name", "sets", "expected"),
    [
        ("smoke", [], (0, 8)),  # two masks, all, and from scratch, in two folds
        ("smoke", ["search.seeds=[0,1]"], (0, 16)),
        (
            "search-ultrasound",
            ["search.strategy=random", "search.trials=13"],
            (7, 60),
        ),  # six are listed, and train 25 folds
    ],
)
def test_listed_trials_and_those_that_a_search_may_propose(
    name: str, sets: list[str], expected: tuple[int, int]
) -> None:
    assert search_size(resolve(load_spec(name, sets=sets), [1] * 9)) == expected


@pytest.mark.parametrize(("total", "images", "steps"), [(0, 50, 3), (480, 50, 24), (0, 100, 5)])
def test_steps_follow_from_images_and_copies(total: int, images: int, steps: int) -> None:
    spec = load_spec("ultrasound", data="x", sets=[f"augmentation.total={total}"])
    assert epoch_steps(spec, images) == steps
