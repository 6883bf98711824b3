"""The images of a sweep and the masks that its trials predicted, as small `.npz` files: a report needs no data set."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.foreign_arrays import UNREADABLE as UNREADABLE
from trainer.foreign_arrays import load_arrays, unpacked_bits

MOST_BYTES = 2**32  # 4 GiB: 65,000 images of 256 x 256 pixels
IMAGES = "pictures.npz"  # on the sweep's run
PREDICTIONS = "predictions.npz"
PRETRAINING = "pretraining.npz"  # on every finished trial's


@dataclass(frozen=True)
class Images:
    """The images of a sweep at working size, with their truths: `images` uint8 (n, H, W), 0 black and 255 white, and
    `truths` uint8 (n, H, W) in {0, 1}; `labels` are "" where unknown.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    images: NDArray[np.uint8]
    truths: NDArray[np.uint8]


def grey(images: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Images in [0, 1] as uint8, never stretched.

    >>> grey(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    """
    return np.asarray(np.round(np.clip(images, 0, 1) * 255), np.uint8)


def pack_images(images: Images) -> bytes:
    """The images as the bytes of an `.npz` file; a truth costs one bit per pixel."""
    return _pack(
        names=np.array(images.names, np.str_),
        labels=np.array(images.labels, np.str_),
        images=images.images,
        **_bits(images.truths),
    )


def unpack_images(content: bytes) -> Images:
    """The inverse of `pack_images`. Raises `ValueError` for anything else."""
    arrays = _unpack(content, "names", "labels", "images")
    names, labels = (tuple(str(text) for text in arrays[key]) for key in ("names", "labels"))
    truths, images = _masks(arrays), arrays["images"]
    if images.dtype != np.uint8 or images.shape != truths.shape or not len(names) == len(labels) == len(images):
        raise ValueError("names, labels, images and truths do not belong together")
    return Images(names, labels, images, truths)


def pack_masks(masks: Sequence[NDArray[np.uint8]]) -> bytes:
    """Masks (n, H, W), non-zero inside, of one or more folds one behind the other: compressed, one bit per pixel.

    >>> unpack_masks(pack_masks([np.eye(3, dtype=np.uint8)[None]]))[0].tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    return _pack(**_bits(np.concatenate(list(masks))))


def unpack_masks(content: bytes) -> NDArray[np.uint8]:
    """The inverse of `pack_masks`: uint8 (n, H, W) in {0, 1}. Raises `ValueError` for anything else."""
    return _masks(_unpack(content))


def _bits(masks: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    return {"bits": np.packbits(np.asarray(masks) != 0), "shape": np.array(masks.shape, np.int64)}


def _masks(arrays: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    n, height, width = (int(side) for side in arrays["shape"])
    if n * height * width > MOST_BYTES:
        raise ValueError(f"{n:,} masks of {height:,} x {width:,} pixels are more than is read")
    return unpacked_bits(arrays["bits"], (n, height, width))


def _pack(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpack(content: bytes, *names: str) -> dict[str, NDArray[Any]]:
    try:
        return load_arrays(io.BytesIO(content), MOST_BYTES, (*names, "bits", "shape"))
    except UNREADABLE as error:
        raise ValueError(f"not a whole .npz file of images or masks ({error})") from error
