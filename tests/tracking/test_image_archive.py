"""What is packed comes back to the last bit, and nothing else is taken for it."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tracking.image_archive import Images, pack_images, pack_masks, unpack_images, unpack_masks


def some(n: int = 5, side: int = 12) -> Images:
    rng = np.random.default_rng(0)
    images, truths = rng.integers(0, 256, (n, side, side), np.uint8), rng.integers(0, 2, (n, side, side), np.uint8)
    return Images(tuple(f"fälle/{i}" for i in range(n)), ("benign", *[""] * (n - 1)), images, truths)


def test_images_come_back_as_they_were() -> None:
    given = some()
    found = unpack_images(pack_images(given))
    assert (found.names, found.labels) == (given.names, given.labels)
    assert np.array_equal(found.images, given.images) and np.array_equal(found.truths, given.truths)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (7, 64, 64)])
def test_masks_of_all_folds_come_back_in_order(shape: tuple[int, ...]) -> None:
    masks = np.random.default_rng(1).integers(0, 2, shape, np.uint8)
    folds = [masks[::2], masks[1::2]]
    assert np.array_equal(unpack_masks(pack_masks(folds)), np.concatenate(folds))


def test_a_mask_costs_at_most_a_bit_per_pixel() -> None:
    noise = np.random.default_rng(2).integers(0, 2, (160, 64, 64), np.uint8)
    smooth = np.zeros_like(noise)
    smooth[:, 20:40, 20:40] = 1
    assert len(pack_masks([noise])) < noise.size / 8 + 1000 and len(pack_masks([smooth])) < 2000


def test_the_same_images_are_the_same_bytes() -> None:
    assert pack_images(some()) == pack_images(some())


def foreign(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a file",
        pack_images(some())[:-40],
        foreign(bits=np.array([{"a": 1}], object), shape=[1, 1, 1]),
        foreign(bits=np.zeros(2, np.uint8)),
    ],
    ids=["empty", "text", "cut off", "pickled", "incomplete"],
)
def test_anything_else_is_refused(content: bytes) -> None:
    for unpack in (unpack_images, unpack_masks):
        with pytest.raises(ValueError, match=r"not a whole \.npz file"):
            unpack(content)


def test_images_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        unpack_images(pack_images(Images(("a",), ("",), some().images, some().truths)))
