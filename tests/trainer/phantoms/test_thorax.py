"""The drawn chest: measures of an adult, organs where they lie, bones and air in sensible centimetres."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.phantoms.thorax import (
    LEFT,
    SIDES,
    Grid,
    airways,
    body_depth,
    breasts,
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
