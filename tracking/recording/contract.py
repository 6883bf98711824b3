"""What a worker's objective records of its trials, whatever keeps it: the seam between training and MLflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tracking.attempt import Attempt
from tracking.record import TrialInfo, TrialState
from trainer.candidate import Candidate
from trainer.results import FoldResult

Tell = Callable[[str], None]  # takes a sentence for the user


@dataclass(frozen=True)
class Ending:
    """What a trial that was scored on all folds leaves: the `results` of its folds, PNGs and files.

    `neurons`: PNGs by key (`am/<block>/<filter>`); `predictions`: the predicted masks of all out-of-fold images,
    packed; `montage`: a PNG, empty for none; `checkpoints`: (file name, bytes) of every fold's weights, taken
    one at a time.
    """

    results: Sequence[FoldResult]
    montage: bytes
    neurons: Mapping[str, bytes]
    predictions: bytes
    checkpoints: Iterable[tuple[str, bytes]] = ()


class OpenTrial(Protocol):
    """The record of one trial that is being trained. Every method raises `LeaseLost` once another has taken it over."""

    @property
    def page(self) -> str:
        """Where the trial is shown; empty while that is not known."""

    @property
    def recorded(self) -> bool:
        """Whether all that was recorded of the trial is where it belongs: MLflow has it, or another attempt counts.

        Raises `UserError` where it cannot get there.
        """

    def kept(self, fold: int) -> Iterable[bytes]:
        """What earlier attempts, or other budgets of the same training, recorded of a fold (from 1): files of the
        ledger (`trainer.training.ledger`), checked to be what was recorded.
        """

    def fold(self, result: FoldResult, kept: Callable[[], bytes | None]) -> None:
        """Record a fold at one of the training's budgets; `kept` gives its file in the ledger."""

    def finish(self, ending: Ending) -> None:
        """Record the whole trial, and close it."""

    def fail(self, reason: str) -> None:
        """Close the trial as one that cannot score."""

    def drop(self, reason: str, estimate: float) -> None:
        """Close the trial as dropped between folds; `estimate` is only a guess at its Dice."""


class TrialRecorder(Protocol):
    """Records the trials of one sweep, for one worker."""

    def look(self, candidate: Candidate, attempt: Attempt) -> TrialState | None:
        """What is recorded of a candidate before its trial begins; None for nothing."""

    def page(self, run_id: str) -> str:
        """Where the trial of a run is shown."""

    def open(self, info: TrialInfo, attempt: Attempt) -> OpenTrial:
        """Begin the record of a trial, or go on with it."""

    def close(self, patience: float | None = None) -> None:
        """Return once everything is recorded, after at most `patience` seconds (None: the recorder's own)."""
