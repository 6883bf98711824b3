"""The anatomy of a drawn chest, each part of it by itself; how the parts make a picture is tested with chest X-rays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.thorax import (
    LEFT,
    SIDES,
    Grid,
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
from trainer.phantoms.xray import FIELD_CM, positions

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


def upright(size: int = 96) -> Grid:
    axis = positions(size)
    return Grid(axis[:, None] + np.zeros((1, size)), axis[None] - FIELD_CM / 2 + np.zeros((size, 1)))


@pytest.mark.parametrize("seed", range(4))
def test_an_adult_s_measures(seed: int) -> None:
    thorax = draw_thorax(np.random.default_rng(seed))
    assert 12.5 <= thorax.width <= 14.8 and 18 <= thorax.depth <= 25
    assert thorax.height == thorax.base - thorax.apex and 1.72 <= thorax.height / thorax.width <= 2.02
    assert 0.42 <= thorax.heart.radii[1] / thorax.width <= 0.54  # the cardio-thoracic ratio
    assert thorax.dome[1] < thorax.dome[0] and thorax.heart.centre[1] > 0  # liver on the right, heart to the left


def test_a_patient_stands_nearly_upright_in_the_middle() -> None:
    grids = [pose(np.random.default_rng(seed), 32) for seed in range(30)]
    height = np.mean([grid.down.std() for grid in grids])
    assert height == pytest.approx(FIELD_CM / np.sqrt(12), rel=0.02)
    assert np.mean([abs(grid.across.mean()) for grid in grids]) < 1.5


def test_lungs_lie_on_both_sides_below_their_tips_without_heart_and_aorta() -> None:
    rng, grid = np.random.default_rng(0), upright()
    thorax = draw_thorax(rng)
    right, left = margins = [lung_margin(rng, thorax, grid, side) for side in SIDES]
    assert (grid.across[right > 0] < 0).all() and (grid.across[left > 0] > 0).all() and SIDES[1] == LEFT
    fields = lung_fields(thorax, grid, margins)
    assert grid.down[fields].min() > thorax.apex - 0.5 and grid.down[fields].max() < thorax.base + 0.5
    row, column = (
        np.abs(axis - centre) for axis, centre in zip((grid.down, grid.across), thorax.heart.centre, strict=True)
    )
    assert not fields[(row < 1) & (column < 1)].any()


def test_thicknesses_are_those_of_their_shapes() -> None:
    np.testing.assert_allclose(dome_of(np.array([0, 0.6, 1, 2])), [1, 0.8, 0, 0])
    np.testing.assert_allclose(sigmoid(np.array([-100.0, 0, 100])), [0, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(tube(np.array([0.0, 0.75, 1, 2]), 1.0), [0.55, 1.1 * np.sqrt(1 - 0.75**2), 0, 0])


def test_the_body_is_deepest_in_the_middle_and_leaves_the_picture_as_a_neck() -> None:
    thorax, grid = draw_thorax(np.random.default_rng(1)), upright()
    depth = body_depth(thorax, grid)
    widths = (depth > 0).sum(axis=1)
    assert depth.max() <= thorax.depth + 1e-9 and np.abs(grid.across[np.unravel_index(depth.argmax(), depth.shape)]) < 1
    assert widths[0] < widths[len(widths) // 3]  # a neck above shoulders


@pytest.mark.parametrize("seed", range(3))
def test_bone_blood_and_air_are_never_negative(seed: int) -> None:
    rng, grid = np.random.default_rng(seed), upright()
    thorax = draw_thorax(rng)
    drawn = [each(rng, thorax, grid) for each in (skeleton, vessels, airways, breasts)]
    assert all(path.min() >= 0 and path.max() < 12 for path in drawn)
    spine = np.abs(grid.across) < 0.5
    assert drawn[0][spine].mean() > 1.5 * drawn[0][~spine].mean()
    outside = ribs(thorax, grid.down, np.full_like(grid.down, thorax.width + 1))
    assert not outside.any() and ribs(thorax, grid.down, np.full_like(grid.down, 8.0)).max() > 0.5
