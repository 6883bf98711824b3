"""The masks of an image: read once, kept small, and merged when the rule of the whole set is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes

from trainer.data.formats.decode import header
from trainer.data.formats.decoded import Header, Slice
from trainer.data.masks.rule import MaskRule
from trainer.data.masks.values import MaskValues, check_aspect, read_mask
from trainer.data.pairing.pairs import Pair
from trainer.results import IGNORED, OBJECT


@dataclass(frozen=True, eq=False)
class ScannedMasks:
    """The masks of one image before their values have a meaning: what each file holds, its values at working size
    (size, size), and whether a file had another size than its image. `image`: the image's header.
    """

    pair: Pair
    files: tuple[MaskValues, ...]
    small: tuple[NDArray[Any], ...]
    resized: bool
    image: Header


@dataclass(frozen=True, eq=False)
class MergedMask:
    """A merged mask: `pixels` uint8 (size, size), 1 the object, 0 the background, 255 ignored; what is odd about it.

    `resized`: a file had another size than its image (same shape). `empty`: nothing was marked at full size.
    `vanished`: something was marked, but it is too small for the working size; such a mask is not `empty`. `faint`: the
    mask is not black, yet nothing in it is the object.
    """

    pixels: NDArray[np.uint8]
    resized: bool
    empty: bool
    vanished: bool
    faint: bool


def scan(pair: Pair, size: int) -> ScannedMasks:
    """Read the masks of one image.

    Raises `UserError` when a file is no image or no mask, or when its aspect ratio is not its image's.
    """
    expected = header(pair.image, pair.slice)
    files, small, resized = [], [], False
    for path in pair.masks:
        check_aspect(pair.image, expected, path, header(path, pair.slice))
        values, pixels = read_mask(path, pair.slice)
        resized |= pixels.shape != (expected.height, expected.width)
        files.append(values)
        small.append(nearest(pixels, size))
    return ScannedMasks(pair, tuple(files), tuple(small), resized, expected)


def merge(scanned: ScannedMasks, rule: MaskRule) -> MergedMask:
    """The masks of one image as one: the object of any is the object, and what none calls that may be ignored.

    A rule that fills holes reads the files once more, because outlines break when they are made small.
    """
    size = scanned.small[0].shape[0]
    small = scanned.small
    meanings = [rule.meaning(pixels, file.kind) for pixels, file in zip(small, scanned.files, strict=True)]
    if rule.fill:
        meanings = [nearest(filled(full_meaning(file, rule, scanned.pair.slice)), size) for file in scanned.files]
    everywhere = np.stack(meanings)
    pixels = np.where((everywhere == OBJECT).any(0), OBJECT, np.where((everywhere == IGNORED).any(0), IGNORED, 0))
    marked = any((rule.meaning(file.values, file.kind) == OBJECT).any() for file in scanned.files)
    coloured = any((file.values > 0).any() for file in scanned.files)
    return MergedMask(
        pixels.astype(np.uint8),
        scanned.resized,
        empty=not marked,
        vanished=marked and not (pixels == OBJECT).any(),
        faint=coloured and not marked and not rule.ignored,
    )


def full_meaning(file: MaskValues, rule: MaskRule, slice: Slice | None) -> NDArray[np.uint8]:
    """The meaning of every pixel of a mask file at its own size."""
    values, pixels = read_mask(file.path, slice)
    return rule.meaning(pixels, values.kind)


def filled(meaning: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask whose holes belong to the object; ignored pixels in them, too."""
    return np.where(binary_fill_holes(meaning == OBJECT), OBJECT, meaning).astype(np.uint8)


def nearest(pixels: NDArray[Any], size: int) -> NDArray[Any]:
    """Pixels of any kind at `size` x `size`, by nearest neighbour: no value is made that was not there."""
    image = Image.fromarray(pixels if pixels.dtype in (np.uint8, np.float32) else pixels.astype(np.int32))
    return np.asarray(image.resize((size, size), Image.Resampling.NEAREST))


def all_files(scanned: Sequence[ScannedMasks]) -> list[MaskValues]:
    """Every mask file of a set."""
    return [file for masks in scanned for file in masks.files]
