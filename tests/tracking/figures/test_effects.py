from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.tracking.best_mask.made_up_answers import compared, difference, ranking
from tracking.best_mask.measured_effects import BlockEffect, MeasuredEffects, PairEffect
from tracking.best_mask.pareto import PRICES, Price, pareto
from tracking.best_mask.ranking import Ranking
from tracking.figures.canvas import DEEP, SHALLOW
from tracking.figures.effects import draw_effects, draw_pareto


def effects(blocks: int, pairs: bool = True, tested: bool = True) -> MeasuredEffects:
    rng = np.random.default_rng(blocks)

    def drawn() -> dict[str, Any]:
        mean = float(rng.normal(0, 0.02))
        return vars(difference(mean, mean - 0.015, mean + 0.015) if tested else difference(0.0))

    both = combinations(range(1, blocks + 1), 2) if pairs else ()
    crossed = tuple(PairEffect(**drawn(), blocks=pair) for pair in both)
    mains = tuple(BlockEffect(**drawn(), block=block) for block in range(1, blocks + 1))
    return MeasuredEffects(8, 8, True, 1, "full", mains, crossed, (), True, (), ("words",))


def priced(count: int) -> Ranking:
    points = tuple(
        replace(compared(str(level), 0.5 + 0.01 * level, 10**level), seconds=float(level))
        for level in range(1, count + 1)
    )
    return ranking(compared=points, pareto=replace(pareto(points), parameters=points[::2], seconds=points[:1]))


@pytest.mark.parametrize("blocks", [2, 9, 18])
@pytest.mark.parametrize("pairs", [True, False])
def test_effects_are_drawn_for_any_number_of_blocks(blocks: int, pairs: bool) -> None:
    svg = draw_effects(effects(blocks, pairs), "SYNTHETIC DATA", "svg").decode()
    assert "SYNTHETIC DATA" in svg and "thawed − frozen" in svg
    assert ("more together than apart" in svg) == pairs


def test_missing_intervals_and_effects_of_nothing_are_drawn() -> None:
    assert b"<svg" in draw_effects(effects(3, tested=False))


def test_more_and_less_differ_in_grey_by_their_filling() -> None:
    """Filled dark against white inside: the hue is not needed."""
    dark, rim = (float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) for colour in (SHALLOW, DEEP))
    assert dark < 0.4 and 1 - dark > 0.5 and rim < 0.6


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("count", [1, 8])
def test_fronts_name_their_ends(price: Price, count: int) -> None:
    found = priced(count)
    svg = draw_pareto(found, price, "SYNTHETIC DATA", "svg").decode()
    assert f">{found.pareto.of(price)[-1].mask}</text>" in svg and "SYNTHETIC DATA" in svg


def test_the_same_answer_is_the_same_figure() -> None:
    first, second = ([draw_effects(effects(4)), draw_pareto(priced(5), "parameters")] for _ in range(2))
    assert first == second
