"""One candidate refitted on all cases: the network to use, after cross-validation has said which candidate to use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.data.augmentation import augmented
from trainer.data.cases import Cases
from trainer.network.delta_checkpoints import Delta, apply_delta
from trainer.network.live_layers import plain
from trainer.network.user_model import network_of
from trainer.results import FoldResult
from trainer.training.cross_validation import CrossValidation
from trainer.training.fit import FoldData
from trainer.training.inference import with_probabilities

ALL_CASES = 0  # the number of the fold that holds nothing out; real folds count from 1


def all_cases(cases: Cases, settings: Settings, seed: int) -> FoldData:
    """Every case as training part, augmented like any other; the originals are scored too.

    That score is of images that the network was trained on: it shows that the training worked, and is no estimate.
    """
    everything = np.arange(len(cases))
    x, y = augmented(cases.images, cases.masks, cases.names, everything, settings.augmentation, seed)
    return FoldData(
        number=ALL_CASES,
        train_x=x,
        train_y=y,
        train_images=len(cases),
        test_x=np.asarray(cases.images),
        test_y=np.asarray(cases.masks),
        names=cases.names,
        labels=cases.labels,
        test_spacing=cases.known_spacing,
    )


def train_on_all(
    cross_validation: CrossValidation,
    cases: Cases,
    candidate: Candidate,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[FoldResult, FoldData]:
    """The result of a candidate trained on all cases of its sweep, with its scores on external sets, and that fold.

    The result may have lost its weights: what the ledger has is not trained again. Raises `TrialFailed` when the
    training cannot score.
    """
    result = None
    fold = all_cases(cases, cross_validation.settings, candidate.seed)
    for reached in replace(cross_validation, folds=lambda _: (fold,))(candidate):
        progress(reached.epochs, candidate.epochs)
        result = reached
    assert result is not None, "a trial yields a result for its largest budget, or raises"
    return result, fold


def refit(
    cross_validation: CrossValidation,
    cases: Cases,
    candidate: Candidate,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[keras.Model, FoldResult]:
    """Train a candidate of a sweep on all its cases; return the network, giving probabilities, and its result.

    It goes through the ledger like any fold: freezing is proved, and a second refit trains nothing. Raises
    `TrialFailed` when the training cannot score. `progress(epochs done, epochs)` is called at every budget.
    """
    result, fold = train_on_all(cross_validation, cases, candidate, progress)
    if result.weights_lost:
        result = cross_validation.train_again(candidate, fold)
    network = network_of(cross_validation.settings.model)
    network.set_weights(cross_validation.trainer.starts[candidate.origin])
    apply_delta(network, Delta(cross_validation.starts[candidate.origin], result.weights))
    return with_probabilities(plain(network)), result
