from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from trainer.config import AugmentConfig
from trainer.data.augmentation import augmented, copies_of, moved, random_affine, seed_of, warped

N, SIZE = 10, 32
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
# Smooth pictures whose mask is where they are bright: whatever moves one and not the other shows.
IMAGES = np.stack(
    [np.exp(-((ROWS - 10 - n) ** 2 + (COLUMNS - 9 - n) ** 2) / 60) for n in range(N)],
).astype(np.float32)
MASKS = (IMAGES > 0.5).astype(np.uint8)
NAMES = tuple(f"case {n}" for n in range(N))
CONFIG = AugmentConfig(total=30)
STILL = AugmentConfig(total=30, rotation=0, shear=0, shift=0, zoom=0, flip=False)


@pytest.mark.parametrize(("total", "m"), [(0, 8), (5, 8), (10, 8), (30, 24), (33, 26), (601, 481)])
def test_the_total_is_shared_by_training_part(total: int, m: int) -> None:
    x, y = augmented(IMAGES, MASKS, NAMES, np.arange(8), replace(CONFIG, total=total), seed=0)
    assert x.shape == y.shape == (m, SIZE, SIZE)
    assert [x.dtype, y.dtype] == [np.dtype(np.float32), np.dtype(np.uint8)]


def test_originals_come_first_in_the_given_order() -> None:
    train = np.array([7, 2, 5])
    x, y = augmented(IMAGES, MASKS, NAMES, train, CONFIG, seed=0)
    np.testing.assert_array_equal(x[:3], IMAGES[train])
    np.testing.assert_array_equal(y[:3], MASKS[train])
    assert all((x[place] != IMAGES[train[place % 3]]).any() for place in range(3, 9))


def test_a_case_gets_the_same_copies_in_every_fold() -> None:
    one, _ = augmented(IMAGES, MASKS, NAMES, np.array([1, 2, 3, 4]), CONFIG, seed=0)
    other, _ = augmented(IMAGES[::-1], MASKS[::-1], NAMES[::-1], N - 1 - np.array([9, 3]), CONFIG, seed=0)
    np.testing.assert_array_equal(one[[4 + 2, 8 + 2]], other[[2 + 1, 4 + 1]])


def test_copies_differ_by_seed_number_and_name() -> None:
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    x, _ = augmented(same, MASKS, NAMES, np.arange(N), CONFIG, seed=0)
    again, _ = augmented(same, MASKS, NAMES, np.arange(N), CONFIG, seed=0)
    reseeded, _ = augmented(same, MASKS, NAMES, np.arange(N), CONFIG, seed=1)
    np.testing.assert_array_equal(x, again)
    assert len({picture.tobytes() for picture in (*x[N:], *reseeded[N:])}) == 40


def test_the_last_round_is_neither_the_first_cases_nor_uneven() -> None:
    spread = AugmentConfig(total=15, rotation=0, shear=0, shift=0, zoom=0, flip=False)
    x, _ = augmented(IMAGES, MASKS, NAMES, np.arange(N), spread, seed=0)
    copied = [int(np.abs(IMAGES - picture).sum(axis=(1, 2)).argmin()) for picture in x[N:]]
    assert len(set(copied)) == 5
    assert sorted(copied) != [0, 1, 2, 3, 4]


def test_image_and_mask_move_together() -> None:
    x, y = augmented(IMAGES, MASKS, NAMES, np.arange(N), CONFIG, seed=0)
    for picture, mask in zip(x[N:], y[N:], strict=True):
        assert set(np.unique(mask)) == {0, 1}
        assert 0 <= picture.min() <= picture.max() <= 1
        bright = picture > 0.5
        assert 2 * (bright & (mask > 0)).sum() / (bright.sum() + mask.sum()) > 0.9


def test_no_range_moves_nothing() -> None:
    x, y = augmented(IMAGES, MASKS, NAMES, np.arange(N), STILL, seed=0)
    np.testing.assert_allclose(x[N : 2 * N], IMAGES, atol=1e-6)
    np.testing.assert_array_equal(y[N : 2 * N], MASKS)


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ({"shift": 0.1}, 0.2, 0.1 * SIZE * 2**0.5),
        ({"rotation": 10.0}, 0.01, 2 * (SIZE / 2 * 2**0.5) * np.sin(np.deg2rad(5))),
        ({"zoom": 0.1}, 0.01, 0.1 / 0.9 * SIZE / 2 * 2**0.5),
        ({"shear": 5.0}, 0.01, np.tan(np.deg2rad(5)) * SIZE / 2),
    ],
)
def test_each_range_moves_a_corner_by_no_more_than_it_says(change: dict[str, float], least: float, most: float) -> None:
    config = replace(STILL, **change)  # type: ignore[arg-type]
    corner = np.array([0.0, 0.0, 1.0])
    moved = [
        float(np.linalg.norm((random_affine(config, SIZE, np.random.default_rng(seed)) @ corner - corner)[:2]))
        for seed in range(200)
    ]
    assert least < max(moved) <= most + 1e-9
    assert max(moved) > 0.5 * most


def test_half_the_copies_are_mirrored_left_to_right() -> None:
    flips = [random_affine(replace(STILL, flip=True), SIZE, np.random.default_rng(seed)) for seed in range(200)]
    mirrored = [matrix for matrix in flips if matrix[1, 1] < 0]
    assert 70 < len(mirrored) < 130
    x, y = warped(IMAGES[3], MASKS[3], mirrored[0])
    np.testing.assert_allclose(x, IMAGES[3][:, ::-1], atol=1e-6)
    np.testing.assert_array_equal(y, MASKS[3][:, ::-1])


@pytest.mark.parametrize(
    ("train", "total", "n", "copies"),
    [
        ([4, 1], 0, 6, []),
        ([4, 1], 6, 6, []),
        ([4, 1], 12, 6, [(4, 0), (1, 0)]),
        ([4, 1], 18, 6, [(4, 0), (1, 0), (4, 1), (1, 1)]),
        ([4, 1], 9, 6, [(4, 0)]),  # case 4 is drawn before case 1
        ([4, 1], 15, 6, [(4, 0), (1, 0), (4, 1)]),
        ([2, 3, 5], 9, 6, [(5, 0)]),  # 4.5 rounds to 4; case 5 is drawn first of these
        ([], 12, 6, []),
    ],
)
def test_copies_by_hand(train: list[int], total: int, n: int, copies: list[tuple[int, int]]) -> None:
    assert copies_of(NAMES, np.array(train, np.int64), total, n, 0) == copies


def test_a_seed_is_a_hash_of_all_that_a_copy_may_depend_on() -> None:
    digest = hashlib.sha256(b"3\0002\0case 1").digest()
    assert seed_of(3, "case 1", 2) == int.from_bytes(digest[:8], "big")
    assert sorted(range(6), key=lambda case: seed_of(0, NAMES[case], -1)) == [4, 5, 3, 2, 1, 0]


def by_hand(angle: float, shear: float, down: float, right: float, zoom: float, flip: float) -> np.ndarray:
    """Where an output pixel comes from: about the centre, scaled, slanted, turned, shifted; then all that undone."""
    middle = (SIZE - 1) / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    whole = np.eye(3)
    whole[:2, :2] = turn @ np.array([[1, 0], [np.tan(shear), 1]]) @ np.diag([zoom, flip * zoom])
    whole[:2, 2] = middle + np.array([down, right]) - whole[:2, :2] @ [middle, middle]
    return np.linalg.inv(whole)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_map_is_drawn_in_this_order(seed: int) -> None:
    config = AugmentConfig(rotation=20.0, shear=8.0, shift=0.1, zoom=0.3)
    rng = np.random.default_rng(seed)
    angle, shear = np.deg2rad(rng.uniform(-1, 1, 2) * (20.0, 8.0))
    down, right = rng.uniform(-1, 1, 2) * 0.1 * SIZE
    zoom = 1 + 0.3 * rng.uniform(-1, 1)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    expected = by_hand(angle, shear, down, right, zoom, flip)
    np.testing.assert_allclose(random_affine(config, SIZE, np.random.default_rng(seed)), expected, atol=1e-12)


def test_a_map_reads_image_linearly_and_mask_by_the_nearest_pixel_and_mirrors_at_the_border() -> None:
    image, mask = np.array([[0.2, 0.6, 1.0]] * 3, np.float32), np.array([[0, 1, 1]] * 3, np.uint8)
    x, y = warped(image, mask, moved(0, 0.25))  # output reads 0.25 further to the right
    np.testing.assert_allclose(x[0], [0.3, 0.7, 0.9], atol=1e-6)
    assert y[0].tolist() == [0, 1, 1]
    x, y = warped(image, mask, moved(0, -1))
    np.testing.assert_allclose(x[0], [0.6, 0.2, 0.6], atol=1e-6)
    assert y[0].tolist() == [1, 0, 1]
    x, _ = warped(np.array([[-0.5, 1.5, 1.5]] * 3, np.float32), mask, moved(0, 0))
    assert (x.min(), x.max()) == (0, 1)
