"""What is made once and not timed: thaw's folds, augmented images and starting weights, as files for every contender.

python -m tests.benchmarks.yardstick.preparation PROFILE FOLDER
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.planning.prepare import read_cases
from sweeps.planning.resolve import ResolvedSweep, look_and_resolve
from sweeps.spec.load import load_spec
from tests.benchmarks.yardstick.profiles import PROFILES
from tests.benchmarks.yardstick.task import WEIGHTS, Task, write_task
from trainer.candidate import Candidate


def main(name: str, folder: Path) -> None:
    """Write the task of a profile; pre-training is done only once for a folder."""
    profile = PROFILES[name]
    home, board = open_home(folder / "preparation"), Board(Console(stderr=True))
    spec = load_spec(profile.spec, sets=profile.sets, data=str(profile.folder) if profile.folder else None)
    resolved, _ = look_and_resolve(spec, home, board)
    from trainer.training.cross_validation import fold_maker
    from trainer.training.pretraining import starting_weights

    cases, fold_of = read_cases(spec, home, board)
    settings, rate = spec.settings, spec.search.learning_rate[0]
    folds = fold_maker(cases, np.array(fold_of), settings)(Candidate("all", 1, rate, seed=settings.seed))
    with board.stage("preparing the starting weights") as step:
        weights = starting_weights(settings.pretrain, settings.model, home.weights, home.data, step)
    shutil.copy(weights.path, folder / WEIGHTS)
    arrays: dict[str, NDArray[Any]] = {"images": np.asarray(cases.images), "truths": np.asarray(cases.masks)}
    for number, fold in enumerate(folds):
        arrays |= {f"train_x_{number}": fold.train_x, f"train_y_{number}": fold.train_y}
    write_task(folder, _task(resolved, fold_of, [len(fold.train_x) for fold in folds]), arrays)


def _task(resolved: ResolvedSweep, fold_of: list[int], train_images: list[int]) -> Task:
    settings, search = resolved.settings, resolved.search
    return Task(
        masks={str(mask): list(mask.blocks) for mask in resolved.space.masks},
        epochs=list(search.epochs),
        rate=search.learning_rate[0],
        batch=settings.train.batch,
        size=settings.model.size,
        filters=settings.model.filters,
        dropout=settings.model.dropout,
        loss=settings.train.loss,
        fold_of=fold_of,
        train_images=train_images,
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
