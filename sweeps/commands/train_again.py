"""The weights of a trial that were not kept (docs/disk.md), trained once more, with the price said beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from sweeps.commands.price import price
from sweeps.commands.restore_trial import FOLD
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.plan import read_plan
from sweeps.run.load_cross_validation import load_cross_validation
from tracking.record import TrialRecord
from trainer.errors import TrialFailed, UserError


def train_again(home: Home, board: Board, sweep: str, trial: TrialRecord) -> Mapping[str, NDArray[Any]]:
    """What training changed in a trial's first fold: out of the ledger where that still has it, else trained.

    Raises `UserError` where the sweep cannot be trained here: without its plan, its images or its starting weights.
    """
    candidate = trial.info.candidate
    try:
        cross_validation = load_cross_validation(home, read_plan(home, sweep))
    except UserError as error:
        raise UserError(
            f"The weights of {candidate.name} were not kept, so they must be trained again, but that cannot be done "
            f"in this home: {error}"
        ) from error
    fold = cross_validation.folds(candidate)[FOLD - 1]
    result = cross_validation.ledger.entry(cross_validation.key(candidate, fold)).result(candidate.epochs)
    if result is not None and not result.weights_lost:
        return result.weights
    seconds = trial.seconds / cross_validation.settings.folds if result is None else result.seconds
    board.say(f"The weights of {candidate.name} were not kept. {price(candidate, 1, seconds)}")
    try:
        with board.stage(f"training fold {FOLD} of {candidate.name} again"):
            again = cross_validation.train_again(candidate, fold)
    except TrialFailed as failed:
        raise UserError(f"The weights of {candidate.name} cannot be trained again: {failed}") from failed
    if result is not None and again.losses != result.losses:
        board.say("Note: trained again it gives other losses than recorded, as on another kind of processor.")
    return again.weights
