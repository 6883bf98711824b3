"""Chest phantoms: reproducible, in range, anatomy where it belongs, lungs of the stated area."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.chest_xray import OPACITY_SHARE, chest_phantoms, draw_opacity, expose, tissue_paths
from trainer.phantoms.shapes import radial_field
from trainer.phantoms.thorax import LEFT, SIDES, Grid, draw_thorax, lung_fields, lung_margin, pose, skeleton
from trainer.phantoms.xray import FIELD_CM, positions, total_attenuation

Phantoms = tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]
UPRIGHT = Grid(*np.broadcast_arrays(positions(128)[:, None], positions(128)[None] - FIELD_CM / 2))


@pytest.fixture(scope="module")
def phantoms() -> Phantoms:
    return chest_phantoms(24, 64, seed=7)


def fields(index: int, size: int = 48) -> NDArray[np.bool_]:
    """The lung fields alone, which take a hundredth of the time of a picture."""
    rng = np.random.default_rng([3, index])
    thorax, grid = draw_thorax(rng), pose(rng, size)
    return lung_fields(thorax, grid, [lung_margin(rng, thorax, grid, side) for side in SIDES])


def test_types_and_ranges(phantoms: Phantoms) -> None:
    images, masks, labels = phantoms
    assert images.shape == masks.shape == (24, 64, 64)
    assert (images.dtype.name, masks.dtype.name) == ("float32", "uint8")
    assert images.min() >= 0 and images.max() <= 1
    assert set(np.unique(masks)) == {0, 1}
    assert set(labels) == {"clear", "opacity"}


def test_lungs_cover_about_28_percent() -> None:
    area = np.array([fields(index).mean() for index in range(300)])
    assert area.mean() == pytest.approx(0.28, abs=0.01)
    assert area.std() > 0.02
    assert area.min() > 0.15 and area.max() < 0.42


def test_there_are_two_lungs_and_the_heart_takes_from_the_left_one() -> None:
    smaller = []
    for index in range(60):
        marked = fields(index, 96)
        labelled, _ = ndimage.label(marked)
        sizes = np.bincount(labelled.ravel())[1:]
        assert (sizes > 0.2 * marked.sum()).sum() == 2
        smaller.append(marked[:, 48:].sum() < marked[:, :48].sum())
    assert np.mean(smaller) > 0.75  # the left lung is to the right of the picture


def test_lungs_are_dark_and_the_rest_of_the_trunk_is_not(phantoms: Phantoms) -> None:
    images, masks, _ = phantoms
    middle = np.s_[:, 20:60, 24:40]
    lungs, trunk = images[masks == 1], images[middle][masks[middle] == 0]
    assert np.median(lungs) < 0.45 < 0.6 < np.median(trunk)
    assert np.quantile(images[:, 60:, :2], 0.5) < 0.1  # air beside the body is black


def test_phantoms_differ_in_dose_and_film(phantoms: Phantoms) -> None:
    images, masks, _ = phantoms
    greys = [np.median(image[mask == 1]) for image, mask in zip(images, masks, strict=True)]
    assert np.std(greys) > 0.03


def test_tissues_fill_the_body_and_none_is_negative() -> None:
    rng = np.random.default_rng(5)
    thorax, grid = draw_thorax(rng), pose(rng, 96)
    margins = [lung_margin(rng, thorax, grid, side) for side in SIDES]
    paths = tissue_paths(rng, thorax, grid, margins, np.zeros((96, 96)))
    assert min(path.min() for path in paths.values()) >= 0
    whole = np.sum(list(paths.values()), axis=0)
    assert 17 < whole.max() < 35
    deepest = lung_fields(thorax, grid, margins) & (paths["bone"] < 0.05) & (paths["lung"] > 8)
    assert 1.2 < np.median(total_attenuation(paths)[deepest]) < 3.0


def test_bones_are_spine_ribs_and_clavicles() -> None:
    rng = np.random.default_rng(2)
    thorax = draw_thorax(rng)
    bone = skeleton(rng, thorax, UPRIGHT)
    spine, lateral = bone[:, 62:66], bone[:, 64 + int(thorax.width * 0.55 / FIELD_CM * 128)]
    assert spine.min() > 0.3
    crests = (lateral[1:-1] > lateral[:-2]) & (lateral[1:-1] >= lateral[2:]) & (lateral[1:-1] > 0.2)
    assert 9 <= crests.sum() <= 30  # nine ribs cross this line once or twice, and a clavicle


def test_the_heart_leans_to_the_left() -> None:
    for index in range(20):
        thorax = draw_thorax(np.random.default_rng([4, index]))
        heart = radial_field(thorax.heart, UPRIGHT.down, UPRIGHT.across) < 1
        assert LEFT * UPRIGHT.across[heart].mean() > 1
        width = np.ptp(UPRIGHT.across[heart])
        assert 0.38 < width / (2 * thorax.width) < 0.62  # the cardio-thoracic ratio


def test_opacities_are_as_frequent_as_stated_and_lie_in_a_lung() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_opacity(rng, draw_thorax(rng), UPRIGHT) for _ in range(300)]
    assert np.mean([label == "opacity" for label, _ in drawn]) == pytest.approx(OPACITY_SHARE, abs=0.08)
    assert all((field.max() > 0.5) == (label == "opacity") for label, field in drawn)


def test_the_same_seed_gives_the_same_phantoms_and_more_extend_fewer(phantoms: Phantoms) -> None:
    few = chest_phantoms(3, 64, seed=7)
    for column in range(3):
        np.testing.assert_array_equal(phantoms[column][:3], few[column])
    assert not np.array_equal(few[0][:1], chest_phantoms(1, 64, seed=8)[0])


def test_sizes_show_the_same_chest() -> None:
    (small, small_mask, label), (large, large_mask, same) = (chest_phantoms(1, size, seed=1) for size in (64, 256))
    assert label == same
    assert small_mask.mean() == pytest.approx(large_mask.mean(), rel=0.03)
    blocks = large[0].reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.corrcoef(small[0].ravel(), blocks.ravel())[0, 1] > 0.99


def drawn(seed: int) -> dict[str, Any]:
    """Opacities, tissues and the exposed picture of one chest, coarsely."""
    rng = np.random.default_rng([6, seed])
    thorax, grid = draw_thorax(rng), pose(rng, 40)
    margins = [lung_margin(rng, thorax, grid, side) for side in SIDES]
    opacities = [draw_opacity(rng, thorax, grid) for _ in range(6)]
    paths = tissue_paths(rng, thorax, grid, margins, max((field for _, field in opacities), key=np.max))
    fields = lung_fields(thorax, grid, margins)
    return {
        "opacities": opacities,
        "paths": list(paths.values()),
        "exposed": [expose(rng, total_attenuation(paths), fields) for _ in range(3)],
    }


FIXED = [
    {"opacities": 497.5248534, "paths": -18.10520861, "exposed": -1.016633407},
    {"opacities": -787.9916193, "paths": -0.4742159353, "exposed": -0.2471481821},
]
WHOLE = {32: -52.3147702, 256: 93.88910537}


@pytest.mark.parametrize("seed", range(2))
def test_what_is_drawn_stays_what_it_was(seed: int) -> None:
    assert {name: trace(one) for name, one in drawn(seed).items()} == pytest.approx(FIXED[seed], rel=1e-4)


@pytest.mark.parametrize("size", WHOLE)
def test_whole_phantoms_stay_what_they_were(size: int) -> None:
    assert trace(*chest_phantoms(2, size, seed=11)) == pytest.approx(WHOLE[size], rel=1e-4)
