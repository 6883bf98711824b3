"""Sentences on the cases of a folder: which masks are unusual, what is ignored, how many images have colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.data.listing.folder import few
from trainer.data.masks.reading import MergedMask
from trainer.data.pairing.pairs import Pair
from trainer.results import IGNORED

MaskedPair = tuple[Pair, MergedMask]


def mask_notes(masked: Sequence[MaskedPair], size: int, *, keep_empty: bool) -> tuple[str, ...]:
    """A note on every kind of unusual mask, with the names of the first images that have one."""
    outcome = "kept as asked" if keep_empty else "left out; keep them with --set data.keep_empty=true"
    notes = (
        ([pair for pair, mask in masked if mask.empty], f"with an empty mask {outcome}"),
        (
            [pair for pair, mask in masked if mask.faint],
            "of these with a mask that is not black, yet nowhere the object",
        ),
        (
            [pair for pair, mask in masked if mask.vanished],
            f"with an object too small for {size}x{size} pixels {outcome}",
        ),
        ([pair for pair, mask in masked if mask.resized], "with a mask of another size: resized by nearest neighbour"),
    )
    return tuple(f"{counted(pairs)} {reason} ({few_names(pairs)})" for pairs, reason in notes if pairs)


def counted(pairs: Sequence[Pair]) -> str:
    """`133 normal images` when all are of one class, else `3 images`."""
    labels = {pair.label for pair in pairs}
    words = [str(len(pairs)), labels.pop() if len(labels) == 1 else "", "image" if len(pairs) == 1 else "images"]
    return " ".join(filter(None, words))


def few_names(pairs: Sequence[Pair]) -> str:
    """The names of the first image files."""
    return few(tuple(dict.fromkeys(pair.image for pair in pairs)))


def ignored_note(masks: NDArray[np.uint8]) -> Iterator[str]:
    """How many pixels take no part, in words."""
    ignored = masks == IGNORED
    if number := int(ignored.any(axis=(1, 2)).sum()):
        yield f"Ignored: {ignored.mean():.1%} of all pixels, in {number} of {len(masks)} masks, at working size."


def colour_note(images: NDArray[np.float32]) -> Iterator[str]:
    """How many images have colours, in words; nothing where they were read as grey."""
    if images.ndim == 4:
        grey = sum(bool((image == image[..., :1]).all()) for image in images)
        yield f"Images: read in colour; {grey} of {len(images)} are grey and have three equal channels."
