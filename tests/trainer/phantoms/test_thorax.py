"""The anatomy of a drawn chest, each part of it by itself; how the parts make a picture is tested with chest X-rays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.thorax import (
    SIDES,
    Thorax,
    airways,
    body_depth,
    breasts,
    clavicle,
    dome_of,
    draw_thorax,
    lung_fields,
    lung_margin,
    pose,
    ribs,
    sigmoid,
    skeleton,
    tube,
    vessels,
)

SEEDS = range(4)  # with and without breasts, with and without a bubble in the stomach


def drawn(seed: int) -> dict[str, Any]:
    """Every part of one chest, coarsely."""
    rng = np.random.default_rng([9, seed])
    thorax = draw_thorax(rng)
    grid = pose(rng, 40)
    margins = [lung_margin(rng, thorax, grid, side) for side in SIDES]
    return {
        "thorax": thorax,
        "grid": grid,
        "margins": margins,
        "fields": lung_fields(thorax, grid, margins),
        "body": body_depth(thorax, grid),
        "ribs": ribs(thorax, grid.down, grid.across),
        "clavicle": clavicle(rng, thorax, grid.down, grid.across),
        "skeleton": skeleton(rng, thorax, grid),
        "vessels": vessels(rng, thorax, grid),
        "airways": airways(rng, thorax, grid),
        "breasts": breasts(rng, thorax, grid),
    }


FIXED = [
    {
        "thorax": 34.11189113,
        "grid": 54.03635149,
        "margins": 18.43745551,
        "fields": 0.1991317073,
        "body": -28.31832416,
        "ribs": -4.951080329,
        "clavicle": -1.275146471,
        "skeleton": -3.001450838,
        "vessels": -8.342699981,
        "airways": -0.5183061422,
        "breasts": 0,
    },
    {
        "thorax": 37.908647,
        "grid": 51.89811363,
        "margins": 12.68049957,
        "fields": -1.533376773,
        "body": 33.43536285,
        "ribs": 7.967441998,
        "clavicle": -3.635258102,
        "skeleton": 11.93734402,
        "vessels": 4.200797238,
        "airways": 7.671297814,
        "breasts": 0,
    },
    {
        "thorax": 31.27037876,
        "grid": 54.4106729,
        "margins": 16.04760216,
        "fields": 0.5929917236,
        "body": -36.94877095,
        "ribs": -3.534087147,
        "clavicle": -0.4669069019,
        "skeleton": -6.868652815,
        "vessels": -0.9358741462,
        "airways": 0.126771372,
        "breasts": 1.843281778,
    },
    {
        "thorax": 26.01428134,
        "grid": 51.3114809,
        "margins": 11.39921523,
        "fields": 0.01449061011,
        "body": -8.177265879,
        "ribs": -6.423302448,
        "clavicle": 0.5925463992,
        "skeleton": -10.22022298,
        "vessels": -0.682040249,
        "airways": 0.190305508,
        "breasts": 0,
    },
]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_drawn_stays_what_it_was(seed: int) -> None:
    assert {name: trace(one) for name, one in drawn(seed).items()} == pytest.approx(FIXED[seed], rel=1e-6)


def test_the_seeds_show_chests_with_and_without_breasts_and_stomach() -> None:
    chests = [drawn(seed) for seed in SEEDS]
    assert {bool(chest["breasts"].any()) for chest in chests} == {True, False}
    below = [chest["airways"][25:].max() > 1 for chest in chests]
    assert set(below) == {True, False}


@pytest.mark.parametrize(
    ("distance", "centimetres"), [(0.0, 0.55), (0.75, 1.1 * np.sqrt(1 - 0.75**2)), (1.0, 0.0), (-1.0, 0.0), (1.5, 0.0)]
)
def test_a_tube_is_thickest_where_its_wall_is_seen_edge_on(distance: float, centimetres: float) -> None:
    assert tube(np.array([distance]), 1.0)[0] == pytest.approx(centimetres)
    assert tube(np.array([2 * distance]), 2.0)[0] == pytest.approx(centimetres)


@pytest.mark.parametrize(("radial", "thickness"), [(0.0, 1.0), (0.6, 0.8), (1.0, 0.0), (2.0, 0.0)])
def test_a_dome_is_a_ball(radial: float, thickness: float) -> None:
    assert dome_of(np.array([radial]))[0] == pytest.approx(thickness)


def test_a_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e9, 0.0, np.log(3), 1e9])) == pytest.approx([0, 0.5, 0.75, 1])


def test_the_height_of_the_lungs_is_from_tip_to_corner() -> None:
    thorax: Thorax = draw_thorax(np.random.default_rng(0))
    assert thorax.apex + thorax.height == pytest.approx(thorax.base)
