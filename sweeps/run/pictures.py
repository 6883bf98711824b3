"""What a report shows without the data: the sweep's pictures, recorded once, and every trial's predictions on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tracking.image_archive import PICTURES, PREDICTIONS, PRETRAINING, Pictures, grey, pack_masks, pack_pictures
from trainer.results import FoldResult

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker
    from trainer.data.cases import Cases
    from trainer.training.pretraining import StartingWeights


def log_pictures(tracker: Tracker, sweep_run: str, cases: Cases) -> None:
    """Keep all cases at working size on the sweep's run, unless they are there."""

    def content() -> bytes:
        return pack_pictures(Pictures(cases.names, cases.labels, grey(cases.images), np.asarray(cases.masks)))

    tracker.log_once(sweep_run, PICTURES, content)


def log_examples(tracker: Tracker, sweep_run: str, weights: StartingWeights) -> None:
    """Keep the few images pre-trained on that the report shows; there are none where the weights were given."""
    if weights.examples is None:
        return
    images, truths = weights.examples
    names = tuple(f"image {number}" for number in range(1, len(images) + 1))

    def content() -> bytes:
        return pack_pictures(Pictures(names, ("",) * len(names), grey(images), truths))

    tracker.log_once(sweep_run, PRETRAINING, content)


def log_predictions(tracker: Tracker, run: str, results: Sequence[FoldResult]) -> None:
    """Keep a trial's predicted masks of all out-of-fold images, in the order of its per-image scores."""
    tracker.log_bytes(run, PREDICTIONS, pack_masks([result.predictions for result in results]))
