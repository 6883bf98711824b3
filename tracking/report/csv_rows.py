"""A sweep as CSV: one row per trial."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator

from tracking.analysis.trial import FoldScores, TrialSummary
from tracking.record import METRICS
from tracking.summary.sweep import SweepSummary

Cell = str | int | float | None

HEADS_BEFORE_METRICS = [
    "mask",
    "role",
    "start",
    "split",
    "order",
    "depth",
    "epochs",
    "learning_rate",
    "trainable_params",
]
HEADS_BEFORE_METRICS += ["aliases", "blocks", "train"]
PARTS = ("mean", "sd", "sem")
HEADS_AFTER_METRICS = [
    "dice_pooled",
    "dice_images_low",
    "dice_images_high",
    "dice_images_worst_decile",
    "dice_images_failures",
]
HEADS_AFTER_METRICS += ["seeds", "dice_seed_sd", "synthetic", "sweep"]
HEADS_AFTER_METRICS += ["hd95_images_median", "images_nothing_predicted", "distance_unit", "surface_dice_tolerance"]
HEADS_AFTER_METRICS += ["labelled_images"]


def to_csv(*sweeps: SweepSummary) -> str:
    """One row per trial; the folds of every metric in columns of their own. A missing value is an empty cell."""
    folds = range(1, max(len(sweep.folds) for sweep in sweeps) + 1)
    mean_heads = [f"{metric}_{part}" for metric in METRICS for part in PARTS]
    fold_heads = [f"{metric}_fold_{fold}" for metric in METRICS for fold in folds]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*HEADS_BEFORE_METRICS, *mean_heads, *fold_heads, *HEADS_AFTER_METRICS])
    for sweep in sweeps:
        for trial in (*sweep.trials, *_aside(sweep)):
            writer.writerow(_finite(cell) for cell in _row(trial, sweep))
    return buffer.getvalue()


def _aside(sweep: SweepSummary) -> Iterator[TrialSummary]:
    """The trials that decide nothing: leaky ones, and those on a part of the images."""
    for part in (sweep.leakage, sweep.labelled_images):
        yield from part.trials if part else ()


def _row(trial: TrialSummary, sweep: SweepSummary) -> Iterator[Cell]:
    yield from (trial.mask, trial.role, trial.start, trial.split, trial.order, trial.depth)
    yield from (trial.epochs, trial.learning_rate, trial.trainable_params)
    yield " ".join(trial.aliases)
    yield " ".join(map(str, trial.blocks))
    yield " ".join(f"{name}={value}" for name, value in trial.train.items())
    for scores in trial.metrics:
        yield from _means(scores)
    for scores in trial.metrics:
        yield from scores.folds
    images = trial.per_image
    yield from (trial.dice_pooled, images.low, images.high, images.worst_decile, images.failures)
    yield " ".join(map(str, trial.seeds))
    yield trial.noise.sd if trial.noise else None
    yield str(sweep.data.synthetic).lower()
    yield sweep.sweep
    yield from (trial.hd95_median, trial.nothing_predicted)
    yield from (sweep.distances.unit, sweep.distances.tolerance) if sweep.distances else (None, None)
    yield trial.images or sweep.data.images


def _means(scores: FoldScores) -> tuple[float, float, float]:
    """The values under `PARTS`."""
    return scores.mean, scores.sd, scores.sem


def _finite(cell: Cell) -> Cell:
    return "" if cell is None or (isinstance(cell, float) and not math.isfinite(cell)) else cell
