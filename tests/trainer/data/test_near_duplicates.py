from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trainer.data.near_duplicates import (
    close_pairs,
    correlations,
    large_group_note,
    near_duplicate_groups,
    perceptual_hashes,
    shared_images,
    thumbnails,
)


def blotches(n: int, size: int = 64) -> NDArray[np.float32]:
    """n smooth random pictures."""
    coarse = np.random.default_rng(0).random((n, 8, 8), np.float32)
    return np.stack([resized(picture, size) for picture in coarse])


def resized(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)).clip(0, 1)


def marked(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    copy = picture.copy()
    copy[50:53, 10:20] = 1  # a burnt-in calliper
    return copy


def striped(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Six stripes over the picture: too fine for the hash (below 4 cycles), seen by the correlation."""
    return picture + np.cos(np.linspace(0, 12 * np.pi, 64))[None, :]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda picture: picture, True),
        (lambda picture: 0.8 * picture + 0.1, True),
        (lambda picture: resized(resized(picture, 40), 64), True),
        (marked, True),
        (lambda picture: resized(picture[1:-1, 1:-1], 64), True),
        (lambda picture: picture[:, ::-1].copy(), False),
        (lambda picture: 1 - picture, False),
        (striped, False),
    ],
)
def test_what_counts_as_the_same_picture(change: object, same: bool) -> None:
    assert callable(change)
    pictures = blotches(6)
    groups = near_duplicate_groups(np.stack([*pictures, change(pictures[2])]).astype(np.float32))
    assert groups.dtype == np.int64
    assert groups.tolist() == [0, 1, 2, 3, 4, 5, 2 if same else 6]


def test_equal_hashes_are_not_enough() -> None:
    picture = blotches(3)[2]
    hashes = perceptual_hashes(np.stack([picture, striped(picture)]).astype(np.float32))
    assert np.bitwise_count(hashes[0] ^ hashes[1]) <= 2


def test_groups_are_transitive_and_numbered_by_appearance() -> None:
    a, b = blotches(2)
    assert near_duplicate_groups(np.stack([b, a, b, a, a])).tolist() == [0, 1, 0, 1, 1]


def test_flat_pictures_equal_each_other_only() -> None:
    flat = np.full((64, 64), 0.3, np.float32)
    assert near_duplicate_groups(np.stack([flat, *blotches(1), flat])).tolist() == [0, 1, 0]


def test_nothing_gives_no_groups() -> None:
    assert near_duplicate_groups(np.zeros((0, 8, 8), np.float32)).shape == (0,)


def test_pairs_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.random.default_rng(1).integers(0, 2**63, 40, np.uint64)
    hashes[33] = hashes[5] ^ np.uint64(0b101)
    hashes[39] = hashes[38] ^ np.uint64(0b111)
    monkeypatch.setattr("trainer.data.near_duplicates.BLOCK", 8)
    first, second = close_pairs(hashes)
    assert (first.tolist(), second.tolist()) == ([5], [33])


@pytest.mark.parametrize(
    ("groups", "warned"),
    [([0, 0, *range(1, 40)], False), ([0, 0, 0, *range(1, 40)], True), ([0, 1, 2], False), ([], False)],
)
def test_a_group_over_five_per_cent_is_warned_about(groups: list[int], warned: bool) -> None:
    note = large_group_note(np.array(groups, np.int64))
    assert note.startswith("warning: one near-duplicate group holds") == warned
    assert bool(note) == warned


@pytest.mark.parametrize(("bits", "near"), [(0, True), (1, True), (2, True), (3, False)])
def test_hashes_are_near_up_to_two_bits(bits: int, near: bool) -> None:
    hashes = np.array([0, 2**bits - 1, 2**60 - 1], np.uint64)
    first, second = close_pairs(hashes)
    assert (first.tolist(), second.tolist()) == (([0], [1]) if near else ([], []))


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 9])
def test_every_pair_is_found_once_however_many_fit_a_block(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.data.near_duplicates.BLOCK", block)
    first, second = close_pairs(np.zeros(4, np.uint64))
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    pictures = blotches(4)
    found = correlations(pictures, np.array([0, 1, 2, 3]), np.array([1, 1, 0, 2]))
    small = thumbnails(pictures, 16).reshape(4, -1)
    expected = [np.corrcoef(small[one], small[other])[0, 1] for one, other in ((0, 1), (1, 1), (2, 0), (3, 2))]
    assert found == pytest.approx(expected)


def test_a_flat_picture_correlates_with_flat_ones_only() -> None:
    flat = np.full((2, 32, 32), 0.3, np.float32)
    flat[1] = 0.9
    pictures = np.concatenate([flat, blotches(1, 32)])
    found = correlations(pictures, np.array([0, 0, 2, 2]), np.array([1, 2, 0, 2]))
    assert found == pytest.approx([1, 0, 0, 1])
    faint = (flat[:1] + np.linspace(0, 1e-4, 32, dtype=np.float32)).astype(np.float32)  # nearly flat is not flat
    assert correlations(np.concatenate([faint, flat]), np.array([0, 0]), np.array([1, 0])) == pytest.approx([0, 1])


@pytest.mark.parametrize(("correlation", "same"), [(0.98, False), (0.9801, True)])
def test_correlation_must_exceed_its_limit(correlation: float, same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.data.near_duplicates.correlations", lambda *_: np.array([correlation]))
    assert near_duplicate_groups(np.zeros((2, 8, 8), np.float32)).tolist() == ([0, 0] if same else [0, 1])


def test_a_hash_is_the_signs_of_the_64_lowest_cosines_about_their_median() -> None:
    picture = blotches(1)[0]
    small = thumbnails(picture[None], 32)[0]
    places = (2 * np.arange(32) + 1) * np.pi / 64
    table = [
        [(small * np.outer(np.cos(down * places), np.cos(right * places))).sum() for right in range(8)]
        for down in range(8)
    ]
    flat = np.array(table).ravel()
    bits = (flat > np.median(flat[1:])).astype(np.uint8)
    assert perceptual_hashes(picture[None]).tolist() == [int(np.packbits(bits).view(np.uint64)[0])]
    assert perceptual_hashes(picture[None]).dtype == np.uint64


@pytest.mark.parametrize(
    ("sizes", "warned"),
    [
        ((2, 1), False),
        ((3, 57), False),
        ((3, 56), True),
        ((2, 5), False),
        ((3,), True),
        ((4, 76), False),
        ((4, 75), True),
    ],
)
def test_a_group_is_large_from_three_images_and_five_percent(sizes: tuple[int, ...], warned: bool) -> None:
    """The first number counts the group, the second single images beside it."""
    alone = sum(sizes[1:])
    note = large_group_note(np.array([0] * sizes[0] + list(range(1, alone + 1)), np.int64))
    assert bool(note) == warned
    assert not warned or f"holds {sizes[0]} of {sizes[0] + alone} images" in note


def test_images_that_two_sets_share_are_named_by_their_places() -> None:
    pictures = blotches(6)
    other = np.stack([pictures[5], 1 - pictures[0], marked(pictures[2])]).astype(np.float32)
    assert shared_images(pictures[:4], other) == [(2, 2)]
    assert shared_images(pictures[:2], other) == []
