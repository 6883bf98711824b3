"""The sizes of `search.images` on the images that were read: checked, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sweeps.planning.resolve import ResolvedSweep, resolve
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from trainer.data.cases import Cases


def on_these(resolved: ResolvedSweep, cases: Cases, fold_of: Sequence[int]) -> ResolvedSweep:
    """The sweep on these images: of `search.images` the sizes below their number, for all of them are measured anyway.

    Raises `UserError` with everything that is wrong with the sizes on these images and folds.
    """
    from trainer.data.labelled_subsets import subset_mistakes

    sizes = resolved.search.images
    if not sizes:
        return resolved
    mistakes = dict.fromkeys(
        mistake for seed in resolved.seeds for mistake in subset_mistakes(cases, np.array(fold_of), sizes, seed)
    )
    if mistakes:
        raise UserError("\n".join(["'search.images' does not fit these images:", *(f"  - {one}" for one in mistakes)]))
    smaller = tuple(size for size in sizes if size < len(cases))
    spec = replace(resolved.spec, search=replace(resolved.search, images=smaller))
    return resolve(spec, resolved.block_params, resolved.always_params, resolved.bare)


def subset_line(resolved: ResolvedSweep, images: int) -> str:
    """How the trials on smaller labelled sets are trained, for a sweep on so many `images`; empty without any."""
    sizes, folds = resolved.search.images, resolved.settings.folds
    if not sizes:
        return ""
    shares = ", ".join(str(round(size * (folds - 1) / folds)) for size in sizes)
    filled = "more augmented copies" if resolved.settings.augmentation.total else "the same images again"
    return (
        f"Every listed mask is also trained as if {', '.join(map(str, sizes))} of the {images} images were labelled: a "
        f"fold trains on about {shares} of them, in whole groups, and scores the same images as ever. "
        f"{filled.capitalize()} fill an epoch up, so that it has as many steps at every size."
    )
