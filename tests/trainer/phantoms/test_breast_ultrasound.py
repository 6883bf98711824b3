"""Phantoms: reproducible, in range, and drawn from the stated anatomy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.bmode import depths
from trainer.phantoms.breast_ultrasound import (
    MALIGNANT_SHARE,
    Lesion,
    add_lesion,
    add_lobules,
    attenuation,
    contact_shadow,
    draw_anatomy,
    draw_lesion,
    draw_phantom,
    expose,
    fascia,
    fibres,
    interface,
    ligaments,
    line,
    place,
    texture,
    tissue,
    ultrasound_phantoms,
)
from trainer.phantoms.shapes import radial_field

Phantoms = tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]


@pytest.fixture(scope="module")
def phantoms() -> Phantoms:
    return ultrasound_phantoms(100, 48, seed=7)


def lesions(n: int) -> list[Lesion]:
    return [draw_lesion(np.random.default_rng([3, index])) for index in range(n)]


def test_types_and_ranges(phantoms: Phantoms) -> None:
    images, masks, labels = phantoms
    assert images.shape == masks.shape == (100, 48, 48)
    assert (images.dtype.name, masks.dtype.name) == ("float32", "uint8")
    assert images.min() >= 0 and images.max() <= 1
    assert set(np.unique(masks)) == {0, 1}
    assert len(labels) == 100 and set(labels) == {"benign", "malignant"}


def test_every_phantom_has_a_lesion_and_half_of_them_cover_over_3_5_percent(phantoms: Phantoms) -> None:
    area = phantoms[1].mean(axis=(1, 2))
    assert area.min() > 0.002
    assert np.median(area) == pytest.approx(0.035, rel=0.15)


def test_lesions_are_darker_than_their_surroundings_and_pictures_are_not_too_bright(phantoms: Phantoms) -> None:
    images, masks, _ = phantoms
    contrast = [image[mask == 1].mean() - image[mask == 0].mean() for image, mask in zip(images, masks, strict=True)]
    assert np.mean(np.array(contrast) < 0) > 0.97
    assert images.mean() == pytest.approx(0.4, abs=0.08)


def test_malignant_share_is_that_of_the_study() -> None:
    share = np.mean([lesion.label == "malignant" for lesion in lesions(2000)])
    assert share == pytest.approx(MALIGNANT_SHARE, abs=0.03)


def test_benign_is_flat_and_smooth_malignant_rough_and_often_taller_than_wide() -> None:
    drawn = lesions(300)
    aspect = {
        label: [each.shape.radii[0] / each.shape.radii[1] for each in drawn if each.label == label]
        for label in ("benign", "malignant")
    }
    rough = {label: np.mean([each.shape.outline.std() for each in drawn if each.label == label]) for label in aspect}
    assert max(aspect["benign"]) < 1
    assert np.mean(np.array(aspect["malignant"]) > 1) > 0.7
    assert rough["malignant"] > 2 * rough["benign"]


@pytest.mark.parametrize("kind, sign", [("shadowing cancer", 1), ("cyst", -1)])
def test_cancers_shadow_and_cysts_enhance_what_lies_beneath(kind: str, sign: int) -> None:
    cyst = kind == "cyst"
    lesion = next(each for each in lesions(100) if (each.level < -22 if cyst else each.attenuation > 5))
    axis = depths(128)
    radial = radial_field(lesion.shape, axis[:, None], axis[None])
    loss = attenuation(np.random.default_rng(0), lesion, radial)
    column = int(lesion.shape.centre[1] / 40 * 128)
    beneath, beside = loss[-1, column], loss[-1, (column + 64) % 128]
    assert sign * (beneath - beside) > 1


def test_the_same_seed_gives_the_same_phantoms_and_more_extend_fewer(phantoms: Phantoms) -> None:
    few = ultrasound_phantoms(3, 48, seed=7)
    for column in range(3):
        np.testing.assert_array_equal(phantoms[column][:3], few[column])
    assert not np.array_equal(few[0], ultrasound_phantoms(3, 48, seed=8)[0])


def test_a_lesion_smaller_than_a_pixel_is_not_lost() -> None:
    _, mask, _ = draw_phantom(np.random.default_rng([0, 148]), 16)
    assert 1 <= mask.sum() <= 5


def test_sizes_show_the_same_breast() -> None:
    (small, small_mask, label), (large, large_mask, same) = (ultrasound_phantoms(1, size, seed=1) for size in (64, 256))
    assert label == same
    assert small_mask.mean() == pytest.approx(large_mask.mean(), rel=0.1)
    blocks = large[0].reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.corrcoef(small[0].ravel(), blocks.ravel())[0, 1] > 0.9


PARTS = range(3)


def drawn(seed: int) -> dict[str, Any]:
    """Every part of a breast by itself, coarsely, and often where chance decides what is drawn."""
    rng = np.random.default_rng([3, seed])
    axis = depths(32)
    lesion = draw_lesion(np.random.default_rng([3, seed]))
    radial = radial_field(lesion.shape, axis[:, None], axis[None])
    anatomy = draw_anatomy(rng, 32)
    level = tissue(rng, anatomy, 32)
    return {
        "lesions": [draw_lesion(rng) for _ in range(30)],
        "places": [place(rng, tall, wide) for tall in (1.0, 9.0, 19.0, 40.0) for wide in (1.0, 9.0, 18.0, 40.0)],
        "anatomy": anatomy,
        "interface": interface(rng, 32, 0.6, 2.0),
        "tissue": level,
        "texture": texture(rng, 32, (1.5, 2.5), 3.0),
        "fibres": fibres(rng, 32, 4.0),
        "fascia": fascia(rng, axis[:, None], anatomy.fat),
        "ligaments": np.maximum(ligaments(rng, anatomy, axis[:, None]), -1e6),
        "line": line(axis[:, None], anatomy.fat, 0.4, anatomy.skin),
        "lobules": add_lobules(rng, level, -7.0),
        "lesion": add_lesion(rng, level, lesion, radial),
        "attenuation": attenuation(rng, lesion, radial),
        "contact": [contact_shadow(rng, 16) for _ in range(12)],
        "exposed": [expose(rng, level, focus) for focus in (1.0, 17.0, 39.0)],
    }


FIXED = [
    {
        "lesions": 814.6186847,
        "places": 26.36165673,
        "anatomy": 198.4911397,
        "interface": -4.140878613,
        "tissue": 95.57293591,
        "texture": 1.897707288,
        "fibres": 90.58139523,
        "fascia": -17818.10844,
        "ligaments": -7862460.12,
        "line": -4453.692566,
        "lobules": 108.7659917,
        "lesion": 76.23488233,
        "attenuation": 4.389857761,
        "contact": -2.320268365,
        "exposed": 7.916152072,
    },
    {
        "lesions": 1230.466217,
        "places": 33.04498286,
        "anatomy": 206.7205451,
        "interface": -2.838180652,
        "tissue": 64.48938152,
        "texture": -2.61836046,
        "fibres": -78.90360395,
        "fascia": -15083.75771,
        "ligaments": -8991971.923,
        "line": -3769.525629,
        "lobules": 50.36372804,
        "lesion": 45.76993935,
        "attenuation": -0.006710946576,
        "contact": -13.94218166,
        "exposed": 1.038226881,
    },
    {
        "lesions": 451.3233705,
        "places": 41.54396959,
        "anatomy": -49.44450603,
        "interface": -0.04834734382,
        "tissue": 108.4926497,
        "texture": 1.827749248,
        "fibres": 120.2067294,
        "fascia": -15420.95782,
        "ligaments": 10414144.79,
        "line": -3853.887115,
        "lobules": 105.3485688,
        "lesion": 101.0381201,
        "attenuation": 4.762658092,
        "contact": -1.348538969,
        "exposed": -1.396714027,
    },
]
WHOLE = {32: -186.6299705, 256: -165.9715813}


@pytest.mark.parametrize("seed", PARTS)
def test_what_is_drawn_stays_what_it_was(seed: int) -> None:
    assert {name: trace(one) for name, one in drawn(seed).items()} == pytest.approx(FIXED[seed], rel=1e-6)


@pytest.mark.parametrize("size", WHOLE)
def test_whole_phantoms_stay_what_they_were(size: int) -> None:
    assert trace(*ultrasound_phantoms(2, size, seed=11)) == pytest.approx(WHOLE[size], rel=1e-5)
