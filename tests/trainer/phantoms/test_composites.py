"""Composites: from shipped photographs only, reproducible, with photographs that can be held out."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.errors import UserError
from trainer.phantoms import composites as home
from trainer.phantoms.composites import PHOTOS, TRAINING_PHOTOS, VALIDATION_PHOTOS, composites, photograph


def names(groups: np.ndarray) -> set[str]:
    return {list(PHOTOS)[group] for group in groups}


def test_types_ranges_and_objects_of_a_reasonable_size() -> None:
    images, masks, groups = composites(300, 32, seed=0)
    assert images.shape == masks.shape == (300, 32, 32) and groups.shape == (300,)
    assert [each.dtype.name for each in (images, masks, groups)] == ["float32", "uint8", "int64"]
    assert images.min() >= 0 and images.max() <= 1
    assert set(np.unique(masks)) == {0, 1}
    area = masks.mean(axis=(1, 2))
    assert area.min() > 0.01 and area.max() < 0.9
    assert np.median(area) == pytest.approx(0.19, abs=0.04)
    assert names(groups) == set(PHOTOS)


def test_objects_are_as_often_darker_as_brighter_so_that_brightness_alone_gives_nothing_away() -> None:
    images, masks, _ = composites(300, 32, seed=1)
    brighter = [image[mask == 1].mean() > image[mask == 0].mean() for image, mask in zip(images, masks, strict=True)]
    assert np.mean(brighter) == pytest.approx(0.5, abs=0.12)


def test_the_same_seed_gives_the_same_composites_and_more_extend_fewer() -> None:
    many, few = composites(8, 32, seed=5), composites(3, 32, seed=5)
    for column in range(3):
        np.testing.assert_array_equal(many[column][:3], few[column])
    assert not np.array_equal(few[0], composites(3, 32, seed=6)[0])


def test_held_out_photographs_are_never_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: set[str] = set()

    def spy(name: str) -> object:
        looked_at.add(name)
        return photograph(name)

    monkeypatch.setattr(home, "photograph", spy)
    _, _, groups = composites(150, 16, seed=0, photos=TRAINING_PHOTOS)
    assert looked_at == set(TRAINING_PHOTOS) == names(groups)
    assert not set(TRAINING_PHOTOS) & set(VALIDATION_PHOTOS)
    assert set(TRAINING_PHOTOS) | set(VALIDATION_PHOTOS) == set(PHOTOS)


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_ship_with_their_package_and_need_no_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a photograph was fetched over the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    picture = photograph.__wrapped__(name)
    assert picture.ndim == 2 and min(picture.shape) >= 300
    assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.05


@pytest.mark.parametrize(
    "photos, words",
    [
        (("chelsea", "cat"), "Unknown photographs cat"),
        (("chelsea",), "at least two"),
        (("coins", "coins"), "at least two"),
    ],
)
def test_a_choice_that_makes_no_composite_is_refused(photos: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        composites(1, 16, seed=0, photos=photos)


def test_a_package_without_its_pictures_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PHOTOS, "chelsea", ("skimage.data", "gone.png"))
    with pytest.raises(UserError, match=r"gone\.png should come with skimage\.data"):
        photograph.__wrapped__("chelsea")


def drawn() -> dict[str, Any]:
    """Every step by itself, often enough for every chance to fall either way."""
    rng = np.random.default_rng(8)
    pairs = [(np.linspace(0, 1, side**2).reshape(side, side), home.draw_cover(rng, side)) for side in (47, 48, 49)]
    return {
        "photographs": [photograph(name)[::60, ::60] for name in PHOTOS],
        "crops": [home.crop(rng, name, 9) for name in TRAINING_PHOTOS for _ in range(3)],
        "reduced": [home.reduced("rocket", 16, share)[:16, :16] for share in (home.CROPS[0], home.CROPS[-1])],
        "covers": [home.draw_cover(rng, 12) for _ in range(20)],
        "beside": [home.blob_beside(rng, np.array([3.0, 4.0]), (2.0, 5.0), 0.7, 0.5) for _ in range(4)],
        "composed": [home.compose(rng, steps, steps.T, cover) for steps, cover in pairs for _ in range(8)],
        "whole": composites(4, 24, seed=2),
    }


FIXED = {
    "photographs": 3.495954006,
    "crops": 0.9210254019,
    "reduced": 0.6327251437,
    "covers": -1.466222296,
    "beside": -2.283510386,
    "composed": 1.865527124,
    "whole": -29.23212235,
}


def test_what_is_drawn_stays_what_it_was() -> None:
    assert {name: trace(one) for name, one in drawn().items()} == pytest.approx(FIXED, rel=1e-5)


def test_crops_show_from_35_percent_to_all_of_the_shorter_side() -> None:
    assert home.CROPS[0] == pytest.approx(0.35) and home.CROPS[-1] == 1 and len(home.CROPS) == 7
    assert min(home.reduced("coins", 20, 1.0).shape) == 20


def test_two_photographs_are_enough() -> None:
    _, _, groups = composites(12, 16, seed=0, photos=("coins", "brick"))
    assert names(groups) == {"coins", "brick"}


def test_the_photographs_are_forgotten_after_a_series() -> None:
    composites(2, 16, seed=0)
    assert home.reduced.cache_info().currsize == 0
