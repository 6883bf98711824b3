"""thaw's public Python interface: the names in `__all__` are kept; changes are announced in CHANGELOG.md.

Everything else may be renamed at any time. Importing this module loads neither Keras nor MLflow: `open_objective` and
`read_sweep` load what they need when they are called. docs/writing-a-study.md shows both at work.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.objective_api import Objective, Scores, open_objective
from tracking.record import SweepRecord, TrialRecord
from trainer.candidate import Candidate
from trainer.errors import TrialFailed, UserError
from trainer.masks import Mask, parse
from trainer.results import Score, adjusted_rand, dice, pixel_error
from trainer.training.distances import Distances, distances
from trainer.training.metrics import score

__all__ = [
    "Candidate",
    "Distances",
    "Mask",
    "Objective",
    "Score",
    "Scores",
    "SweepRecord",
    "TrialFailed",
    "TrialRecord",
    "UserError",
    "adjusted_rand",
    "dice",
    "distances",
    "open_objective",
    "parse",
    "pixel_error",
    "read_sweep",
    "score",
]


def read_sweep(name: str | None = None, *, home: str | Path = "runs", tracking_uri: str | None = None) -> SweepRecord:
    """A sweep as MLflow recorded it: what it was, and every trial with its scores per fold and per image.

    `name`: as `thaw run` printed it; None takes the sweep that was last at work. `home`: the folder that holds the
    record; with `tracking_uri` the record is read from that MLflow store instead, and no home is needed. The sweep may
    still be running: its finished trials are there already. Raises `UserError` for a home, a store or a sweep that does
    not exist.
    """
    from sweeps.environment.home import find_home
    from tracking.store.reader import Reader

    if tracking_uri is not None:
        return Reader.connect(tracking_uri).read_sweep(name)
    opened_home = find_home(Path(home))
    return Reader.connect(opened_home.tracking_uri, opened_home.artifact_folder).read_sweep(name)
