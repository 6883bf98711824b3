"""Near-duplicate images: the same image twice, one copy cropped, rescaled or re-marked. Folds never split them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trainer.channels import as_grey

HASH_BITS = 2
CORRELATION = 0.98
LARGE_GROUP = 0.05
# The correlation is taken on thumbnails, because speckle and a shift of a pixel decorrelate fine pixels: of the 139
# pairs of BUSI whose hashes agree within 2 bits (the 24 least alike are true by eye) it keeps 139 at 16 px, 101 at 64
# px and 30 at 256 px.
THUMBNAIL = 16
HASHED = 32
BLOCK = 1024


def near_duplicate_groups(images: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group number of each image: int64 (n,), numbered from 0 by first appearance, equal for near-duplicates.

    Two of the float32 (n, size, size) images, or of the luminance of (n, size, size, 3), are near-duplicates when their
    64-bit perceptual hashes differ in at most 2 bits *and* their thumbnails correlate above 0.98 (docs/design.md,
    decision 7). Groups are the connected components of that relation.

    >>> tile = np.random.default_rng(0).random((2, 32, 32), np.float32)
    >>> near_duplicate_groups(np.stack([tile[0], tile[1], tile[0]]))
    array([0, 1, 0])
    """
    n = len(images)
    if n == 0:
        return np.zeros(0, np.int64)
    first, second = close_pairs(perceptual_hashes(images))
    same = correlations(images, first, second) > CORRELATION
    links = coo_array((np.ones(same.sum(), np.int8), (first[same], second[same])), shape=(n, n))
    _, labels = connected_components(links, directed=False)
    return np.asarray(labels, np.int64)


def shared_images(left: NDArray[np.float32], right: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Positions of the near-duplicates between two sets of images, in `left` and in `right`, by the same rule."""
    images = np.concatenate([left, right])
    first, second = close_pairs(perceptual_hashes(images))
    across = (first < len(left)) & (second >= len(left))
    first, second = first[across], second[across]
    same = correlations(images, first, second) > CORRELATION
    return [(int(one), int(other) - len(left)) for one, other in zip(first[same], second[same], strict=True)]


def large_group_note(groups: NDArray[np.int64]) -> str:
    """A warning when one group of three or more holds over 5 % of the cases, else "": folds cannot be even then."""
    sizes = np.bincount(groups)
    largest = int(sizes.max(initial=0))
    if largest < 3 or largest <= LARGE_GROUP * len(groups):
        return ""
    return (
        f"warning: one near-duplicate group holds {largest} of {len(groups)} images (over 5 %); all of it goes into "
        "one fold. `thaw data check` names it: either the set repeats itself or its images are too alike to tell."
    )


def perceptual_hashes(images: NDArray[np.float32]) -> NDArray[np.uint64]:
    """uint64 (n,): which of the 8x8 lowest cosine coefficients of each 32x32 thumbnail lie above their median."""
    phases = (np.arange(HASHED) + 0.5) * np.pi / HASHED
    cosines = np.cos(np.arange(8)[:, None] * phases[None, :])
    lowest = (cosines @ thumbnails(images, HASHED) @ cosines.T).reshape(len(images), 64)
    # Coefficient 0 is the mean brightness. It says nothing about the content, so the median ignores it.
    above = lowest > np.median(lowest[:, 1:], axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(np.uint64)[:, 0]


def close_pairs(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (first < second) of all pairs within 2 bits; in blocks, so 10,000 images need no 800 MB."""
    blocks = []
    starts = [*range(0, len(hashes), BLOCK), len(hashes)]
    for start, stop in pairwise(starts):
        near = np.bitwise_count(hashes[start:stop, None] ^ hashes[None, start:]) <= HASH_BITS
        rows, columns = np.nonzero(np.triu(near, 1))
        blocks.append((rows + start, columns + start))
    first, second = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return first, second


def correlations(
    images: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Pearson correlation of the thumbnails of each pair, float64 (pairs,); two flat images correlate 1."""
    pixels = thumbnails(images, THUMBNAIL).reshape(len(images), -1)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    flat = length[:, 0] < 1e-6
    unit = centred / np.maximum(length, 1e-6)
    correlation = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        block = slice(start, start + BLOCK)
        correlation[block] = np.einsum("ij,ij->i", unit[first[block]], unit[second[block]])
    return np.where(flat[first] & flat[second], 1.0, correlation)


def thumbnails(images: NDArray[np.float32], side: int) -> NDArray[np.float64]:
    """(n, side, side), shrunk with anti-aliased linear interpolation."""
    greys = (as_grey(np.asarray(image)[None])[0] for image in images)  # one by one: all at once take memory
    small = [Image.fromarray(grey).resize((side, side), Image.Resampling.BILINEAR) for grey in greys]
    return np.stack([np.asarray(image, np.float64) for image in small])
