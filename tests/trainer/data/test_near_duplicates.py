from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trainer.data.near_duplicates import close_pairs, large_group_note, near_duplicate_groups, perceptual_hashes


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
