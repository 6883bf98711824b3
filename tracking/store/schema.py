"""How a sweep and its trials are written in MLflow: texts, tables and metric names, and the way back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tracking.record import METRICS, SweepInfo, TrialInfo
from tracking.statistics import false_positive_percent, pooled_dice, spread
from tracking.sweep_names import is_sweep_name
from trainer.candidate import Candidate
from trainer.errors import UserError
from trainer.keys import fields_in_key
from trainer.results import FoldResult, Score

# What is written today. A version is raised when a reader of the one before would misread what it knows; what may be
# ignored without harm is added under the same version. 0 stands for everything recorded before versions were.
INFO_VERSION = 1  # the artifact info.json of a sweep
TRIAL_VERSION = 1  # a trial's run: its tags, parameters, metrics and artifacts
VERSION_TAG = "thaw.record"  # holds the trial's
PROCESSORS_TAG = "thaw.processors"  # what trained the folds of a trial
WRONG = (ValueError, KeyError, TypeError, RecursionError)  # what reading somebody else's JSON may raise
MOST_BLOCKS = 100_000
KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("digest", "commit", "command"), (str,)),
    **dict.fromkeys(("spec", "data", "named_masks", "weights", "versions", "planned"), (dict,)),
    **dict.fromkeys(("distances", "arithmetic", "external", "starts"), (dict,)),
    **dict.fromkeys(("folds", "block_params", "outside", "labels"), (list,)),
    **dict.fromkeys(("n_blocks", "seed", "always_params"), (int,)),
}
SCORE_COLUMNS = ["fold", "image", "label", "tp", "fp", "fn", "tn", *METRICS]


def info_to_json(info: SweepInfo) -> str:
    """The artifact `info.json`."""
    return json.dumps({"version": INFO_VERSION, **asdict(info)}, indent=1, sort_keys=True)


def info_from_json(text: str) -> SweepInfo:
    """The inverse of `info_to_json`. A field that is missing has its default; one that is not known is ignored:
    the version is raised with every field that no reader may ignore. Raises `UserError` for a later version.
    """
    try:
        values = json.loads(text)
        name = values.get("name")
        version = values.get("version", 0)
    except (*WRONG, AttributeError) as error:
        raise damaged("The record of a sweep (info.json)", error) from error
    check_version(version, INFO_VERSION, f"The record of the sweep {name!r}")
    try:
        return _checked(SweepInfo(**{name: values[name] for name in SweepInfo.__dataclass_fields__ if name in values}))
    except WRONG as error:
        raise damaged(f"The record of the sweep {name!r} (info.json)", error) from error


def _checked(info: SweepInfo) -> SweepInfo:
    """The sweep, if each field holds what it should. Raises `ValueError` otherwise: anybody may have written it."""
    if not is_sweep_name(info.name):
        raise ValueError("it has a name that no sweep has")
    for name, kind in KINDS.items():
        if not isinstance(getattr(info, name), kind):
            raise ValueError(f"{name} holds no {' or '.join(one.__name__ for one in kind)}")
    rows = [*info.folds, *info.labels]
    if not all(isinstance(row, list) and all(isinstance(text, str) for text in row) for row in rows):
        raise ValueError("folds and labels are lists of names")
    if not 0 < info.n_blocks <= MOST_BLOCKS or not all(
        type(count) is int and count >= 0 for count in info.block_params
    ):
        raise ValueError("blocks are counted")
    return info


def damaged(what: str, error: Exception) -> UserError:
    """What to say of a record that cannot be read."""
    return UserError(
        f"{what} is damaged, or was not written by thaw: {str(error)[:200] or type(error).__name__}. Restore it in "
        "MLflow, or run the sweep again under another --name: what its ledger holds is not trained again."
    )


def trial_to_json(info: TrialInfo) -> str:
    """The tag `thaw.trial`: short, because MLflow cuts tags at 8,000 characters."""
    table = asdict(info)
    # A field that came later stays out at its default, so that a thaw of before reads what it can know.
    table["candidate"] = fields_in_key(table["candidate"], Candidate)
    return json.dumps(table, sort_keys=True, separators=(",", ":"))


def trial_from_tags(tags: Mapping[str, str], run_id: str) -> TrialInfo:
    """What a trial's run says of it. Raises `UserError` for a trial that a later version recorded."""
    check_version(tags.get(VERSION_TAG, 0), TRIAL_VERSION, f"The record of the trial in run {run_id}")
    try:
        return trial_from_json(tags["thaw.trial"])
    except (*WRONG, AttributeError) as error:
        raise damaged(f"The record of the trial in run {run_id}", error) from error


def check_version(version: object, newest: int, what: str) -> None:
    """Raise `UserError` unless `version` is a number from 0 to `newest`; `what` begins the message."""
    known = [str(number) for number in range(newest + 1)]
    if str(version) not in known:
        raise UserError(
            f"{what} has version {version}, but this thaw reads versions up to {newest}: a later one wrote it. Read it "
            "with that one, or a later one."
        )


def trial_from_json(text: str) -> TrialInfo:
    """The inverse of `trial_to_json`."""
    values = json.loads(text)
    return TrialInfo(
        candidate=candidate_from_json(values["candidate"]),
        blocks=tuple(values["blocks"]),
        orders=tuple((str(order), int(depth)) for order, depth in values["orders"]),
        aliases=tuple(values["aliases"]),
        trainable_params=int(values["trainable_params"]),
        role=values["role"],
    )


def candidate_from_json(values: Mapping[str, Any]) -> Candidate:
    """A candidate from the plain data of `asdict`, whose tuples JSON has made lists."""
    train = tuple((str(name), value) for name, value in values.get("train", ()))
    return Candidate(**{**values, "train": train})


def trial_params(info: TrialInfo) -> dict[str, str]:
    """What MLflow shows in the columns of its run table, which it sorts as text: numbers have their leading zeros."""
    order, depth = info.orders[0] if info.orders else ("", 0)
    candidate = info.candidate
    return {
        "mask": candidate.mask,
        "aliases": ", ".join(info.aliases),
        "order": order,
        "depth": f"{depth:02d}" if order else "",
        "epochs": written_epochs(candidate),
        "learning_rate": f"{candidate.learning_rate:.8f}".rstrip("0").rstrip("."),
        "start": candidate.start,
        "role": info.role,
        "seed": str(candidate.seed),
        **({} if candidate.start_seed is None else {"start_seed": str(candidate.start_seed)}),
        **({"images": f"{candidate.images:05d}"} if candidate.images else {}),
        **{f"train.{name}": str(value) for name, value in candidate.train},
    }


def written_epochs(candidate: Candidate) -> str:
    """The epochs as the parameter that MLflow sorts and searches."""
    return f"{candidate.epochs:03d}"


def fold_metrics(result: FoldResult) -> list[tuple[str, float, int]]:
    """(key, value, step) of everything a fold logs. The scores come last: once they are there, all of it is there."""
    losses = [(f"loss/fold_{result.fold}", loss, epoch) for epoch, loss in enumerate(result.losses, 1)]
    scores = [(f"{metric}/fold_{result.fold}", result.mean(metric), result.epochs) for metric in reversed(METRICS)]
    return losses + scores


def summary_metrics(results: Sequence[FoldResult]) -> dict[str, float]:
    """Mean, SD and SEM over folds of each metric, and the pooled Dice; empty truths are counted, never averaged in."""
    metrics: dict[str, float] = {}
    for metric in METRICS:
        over_folds = spread([result.mean(metric) for result in results])
        metrics |= {metric: over_folds.mean, f"{metric}_sd": over_folds.sd, f"{metric}_sem": over_folds.sem}
    scores = [score for result in results for score in result.scores]
    metrics["dice_pooled"] = pooled_dice(scores)
    metrics["seconds"] = sum(result.seconds for result in results)
    # How often the training step was traced for this mask in the worker that finished it; 0: all from the ledger.
    metrics["traces"] = max(result.traces for result in results)
    empty = [score for score in scores if score.tp + score.fn == 0]
    if empty:
        metrics["empty_truths"] = len(empty)
        metrics["empty_truths_false_positive_percent"] = false_positive_percent(empty)
    return metrics


def train_images_to_metrics(results: Sequence[FoldResult]) -> dict[str, float]:
    """How many original images each fold of a trial on a part of them trained on."""
    return {f"train_images/fold_{result.fold}": result.train_images for result in results}


def train_images_of(metrics: Mapping[str, float], count: int) -> tuple[float, ...]:
    """The same of the folds 1..count; () where it is not recorded, as of every trial on all images."""
    numbers = [metrics.get(f"train_images/fold_{fold}", math.nan) for fold in range(1, count + 1)]
    return () if any(math.isnan(number) for number in numbers) else tuple(numbers)


def processors_to_tag(results: Sequence[FoldResult]) -> str:
    """The tag `thaw.processors`: a table, kind of processor -> the folds that it trained; "" where none is known."""
    table: dict[str, list[int]] = {}
    for result in results:
        if result.processor:
            table.setdefault(result.processor, []).append(result.fold)
    return json.dumps(table) if table else ""


def processors_of(tags: Mapping[str, str], count: int) -> tuple[str, ...]:
    """The kind of processor that trained each of the folds 1..count, "" where that is not known; () where none is."""
    try:
        table = json.loads(tags.get(PROCESSORS_TAG) or "{}")
        kind_of = {int(fold): str(kind) for kind, folds in table.items() for fold in folds}
    except (ValueError, TypeError, AttributeError):  # somebody else's
        return ()
    return tuple(kind_of.get(fold, "") for fold in range(1, count + 1)) if kind_of else ()


def scores_to_table(results: Sequence[FoldResult]) -> str:
    """Per-image scores in the layout of MLflow's table artifacts; NaN is written as null."""
    rows = [
        [_or_none(value) for value in (result.fold, *(getattr(score, name) for name in SCORE_COLUMNS[1:]))]
        for result in results
        for score in result.scores
    ]
    return json.dumps({"columns": SCORE_COLUMNS, "data": rows})


def scores_from_table(text: str) -> tuple[tuple[int, Score], ...]:
    """The inverse of `scores_to_table`: (fold, score) of every image."""
    table = json.loads(text)
    rows = (dict(zip(table["columns"], row, strict=True)) for row in table["data"])
    return tuple((int(row["fold"]), _score_of(row)) for row in rows)


def _score_of(row: Mapping[str, Any]) -> Score:
    """A row of the table; a column that came later than the table is NaN, one that is not known is ignored."""
    return Score(**{name: _or_nan(row[name]) for name in SCORE_COLUMNS[1:] if name in row})


def folds_of(metrics: Mapping[str, float], count: int) -> dict[str, tuple[float, ...]]:
    """metric -> its value in folds 1..count, NaN where none was logged."""
    return {
        metric: tuple(float(metrics.get(f"{metric}/fold_{fold}", math.nan)) for fold in range(1, count + 1))
        for metric in METRICS
    }


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _or_nan(value: Any) -> Any:
    return math.nan if value is None else value
