from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tracking.figures.canvas import DEEP, SHALLOW
from tracking.figures.effects import draw_effects, draw_pareto
from tracking.record import Json


def effects(blocks: int, pairs: bool = True) -> Json:
    rng = np.random.default_rng(blocks)

    def one(**more: object) -> Json:
        mean = float(rng.normal(0, 0.02))
        return {"mean": mean, "low": mean - 0.015, "high": mean + 0.015, **more}

    crossed = [one(blocks=list(pair)) for pair in combinations(range(1, blocks + 1), 2)] if pairs else []
    return {"blocks": [one(block=block) for block in range(1, blocks + 1)], "pairs": crossed}


def answer(count: int) -> Json:
    points = [{"mask": str(place), "trainable_params": 10**place, "seconds": float(place), "dice": 0.5 + 0.01 * place}
              for place in range(1, count + 1)]  # fmt: skip
    return {"compared": points, "pareto": {"parameters": points[::2], "seconds": points[:1]}}


@pytest.mark.parametrize("blocks", [2, 9, 18])
@pytest.mark.parametrize("pairs", [True, False])
def test_effects_are_drawn_for_any_number_of_blocks(blocks: int, pairs: bool) -> None:
    svg = draw_effects(effects(blocks, pairs), "SYNTHETIC DATA", "svg").decode()
    assert "SYNTHETIC DATA" in svg and "thawed − frozen" in svg
    assert ("more together than apart" in svg) == pairs


def test_missing_intervals_and_effects_of_nothing_are_drawn() -> None:
    found = effects(3)
    for one in (*found["blocks"], *found["pairs"]):
        one |= {"mean": 0.0, "low": float("nan"), "high": float("nan")}
    assert b"<svg" in draw_effects(found)


def test_more_and_less_differ_in_grey_by_their_filling() -> None:
    """Filled dark against white inside: the hue is not needed."""
    dark, rim = (float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) for colour in (SHALLOW, DEEP))
    assert dark < 0.4 and 1 - dark > 0.5 and rim < 0.6


@pytest.mark.parametrize("price", ["parameters", "seconds"])
@pytest.mark.parametrize("count", [1, 8])
def test_fronts_name_their_ends(price: str, count: int) -> None:
    found = answer(count)
    svg = draw_pareto(found, price, "SYNTHETIC DATA", "svg").decode()
    assert f">{found['pareto'][price][-1]['mask']}</text>" in svg and "SYNTHETIC DATA" in svg


def test_the_same_answer_is_the_same_picture() -> None:
    first, second = ([draw_effects(effects(4)), draw_pareto(answer(5), "parameters")] for _ in range(2))
    assert first == second
