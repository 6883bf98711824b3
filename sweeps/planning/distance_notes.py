"""What to know of a sweep's distances before it runs: why they are in pixels, and whether the tolerance suits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trainer.config import ScoreConfig

if TYPE_CHECKING:  # heavy
    from trainer.data.cases import Cases


def distance_notes(cases: Cases, config: ScoreConfig) -> Iterator[str]:
    """A sentence for each thing to know; none where the spacing is known of all images or of none, and fine enough."""
    from trainer.training.distances import unit_of

    spacing = cases.known_spacing
    if cases.spacing is not None and spacing is None:
        known = int((np.isfinite(cases.spacing) & (cases.spacing > 0)).all(axis=1).sum())
        if known:
            yield (
                f"The spacing of the pixels is known of {known} of {len(cases)} images only, so the distances of all "
                "are in pixels of the working size."
            )
    unit = unit_of(spacing)
    tolerance, steps = config.tolerance_in(unit), np.ones((1, 2)) if spacing is None else spacing
    step, side = float(steps.max()), float(steps.min()) * cases.masks.shape[1]
    if tolerance > side / 4:
        yield (
            f"The tolerance of the surface Dice is {tolerance:g} {unit}, more than a quarter of an image's side "
            f"({side:.3g} {unit}), so nearly every boundary counts as found. Set score.tolerance."
        )
    if tolerance < step:
        yield (
            f"The tolerance of the surface Dice is {tolerance:g} {unit}, less than the {step:.3g} {unit} between two "
            "pixels at working size, so boundaries count as found only where they share a pixel. Set score.tolerance, "
            "or a larger model.size."
        )
