"""What a nested cross-validation costs, said beforehand."""

from __future__ import annotations

import pytest

from sweeps.planning.outer_price import outer_lines, outer_price, outer_trainings
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.planning.search_size import search_seconds
from sweeps.spec.load import load_spec
from trainer.training.step_cost import Cost

COST = Cost(step=1.0, scoring=0.0, peak=0, lightest=1.0)


def resolved(*sets: str) -> ResolvedSweep:
    return resolve(load_spec("smoke", sets=sets), [1] * 9)


@pytest.mark.parametrize(
    ("sets", "trainings"),
    [
        (["outer=3"], 3 * (8 + 1)),
        (["outer=2", "search.seeds=[0,1]"], 2 * (16 + 2)),
        (
            ["outer=2", "augmentation.order=leaky", "augmentation.total=40"],
            2 * (8 + 1),
        ),  # leaky trials are not repeated
        (["outer=3", "search.space=subsets", "search.strategy=random", "search.trials=6"], 3 * (2 * 5 + 1)),
    ],
)
def test_every_fold_of_every_part_and_each_choice_is_counted(sets: list[str], trainings: int) -> None:
    assert outer_trainings(resolved(*sets)) == trainings


def test_time_is_that_of_searches_on_fewer_images() -> None:
    price = outer_price(resolved("outer=4"), COST, 40, workers=1)
    choice = 10 * 4 * 2  # epochs, steps of 4 images in half of 30, and all instead of half of them
    assert (price.parts, price.left, price.trainings) == (4, 30, 36)
    assert price.seconds == pytest.approx(4 * (search_seconds(resolved(), COST, 30, 1) + choice))
    assert 4 * 5_000_000 < price.disk < 4 * 20_000_000


def test_the_price_is_said_before_the_sweep_and_only_then() -> None:
    (line,) = outer_lines(resolved("outer=3"))
    assert "27 trainings more" in line and not outer_lines(resolved())
