"""Two sweeps side by side: does the direction depend on the data? Numbers only; `versus_page` shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tracking.contrasts import Json
from tracking.record import METRICS, SweepRecord
from tracking.statistics import EQUIVALENCE, Comparison, critical, holm, tail
from tracking.summary import summarise
from tracking.wording import COMPARISONS, setting
from trainer.config import UserError


def difference(first: Comparison, second: Comparison) -> Comparison:
    """`first` - `second`, two comparisons of different sweeps: standard errors add in squares, degrees of freedom after
    Welch and Satterthwaite. It has no folds, for folds of different data do not pair.
    """
    mean = first.mean - second.mean
    lacking = next((one.note for one in (first, second) if math.isnan(one.se)), "")
    if lacking:
        nan = math.nan
        return Comparison(mean, nan, nan, nan, 0, nan, nan, nan, nan, nan, nan, note=lacking)
    parts = [one.se**2 for one in (first, second)]
    se = math.sqrt(sum(parts))
    df = sum(parts) ** 2 / sum(part**2 / one.df for part, one in zip(parts, (first, second), strict=True))
    margin = critical(df) * se
    above, below = tail((EQUIVALENCE - mean) / se, df), tail((EQUIVALENCE + mean) / se, df)
    return Comparison(
        mean, math.nan, se, mean / se, round(df), 2 * tail(abs(mean) / se, df), mean - margin, mean + margin,
        above, max(0.0, 1 - above - below), below,
    )  # fmt: skip


def versus(first: SweepRecord, second: SweepRecord) -> Json:
    """The JSON report of two sweeps.

    `sweeps`: the two reports of `summarise`; `difference`: for each co-primary comparison first minus second (a
    comparison without folds, Holm over both) or null; `finding` and `sentence`: whether the direction depends on the
    data; `notes`: what else differs. Raises `UserError` when the two cannot be compared.
    """
    check(first, second)
    both = [summarise(one) for one in (first, second)]
    given = {key: [_rebuilt(one["comparison"][key]) for one in both] for key in COMPARISONS}
    found = {key: difference(a, b) for key, (a, b) in given.items() if a is not None and b is not None}
    found = dict(zip(found, holm(list(found.values())), strict=True))
    judged = next(iter(found), None)
    word, sentence = _judge([one["sweep"] for one in both], given[judged], found[judged], judged) if judged else (
        None, "No verdict yet: the two sweeps have no finished comparison in common.")  # fmt: skip
    return {
        "schema": 1,
        "sweeps": both,
        "difference": {key: vars(found[key]) if key in found else None for key in COMPARISONS},
        "finding": word,
        "sentence": sentence,
        "notes": _notes(both),
    }


def check(first: SweepRecord, second: SweepRecord) -> None:
    """Raises `UserError` unless two different sweeps have the same metrics, as many folds and as many blocks."""
    infos = first.info, second.info
    names = [one.name for one in infos]
    if first.run_id == second.run_id:
        raise UserError(f"Two sweeps can be set side by side, but both are {names[0]!r}. Name another one.")
    metrics = [measured(one) for one in (first, second)]
    if metrics[0] != metrics[1]:
        raise UserError(
            "Sweeps can be set side by side only when they measured the same metrics, but "
            + " and ".join(
                f"{name!r} has {', '.join(has) or 'none yet'}" for name, has in zip(names, metrics, strict=True)
            )
            + ". Let both finish, or compare sweeps that were recorded alike."
        )
    for what, counts in (("folds", [len(one.folds) for one in infos]), ("blocks", [one.n_blocks for one in infos])):
        if counts[0] != counts[1]:
            raise UserError(
                f"Sweeps can be set side by side only with equal numbers of {what}, but {names[0]!r} has {counts[0]} "
                f"and {names[1]!r} has {counts[1]}. Run one of them again to match"
                + (", for instance with --set folds=N under another --name." if what == "folds" else ".")
            )


def measured(record: SweepRecord) -> tuple[str, ...]:
    """The metrics that any finished trial has a value of."""
    return tuple(
        metric
        for metric in METRICS
        if any(not math.isnan(value) for trial in record.finished for value in trial.folds[metric])
    )


def _judge(names: Sequence[str], given: Sequence[Comparison | None], found: Comparison, key: str) -> tuple[str, str]:
    """Opposite findings, a gain that differs, or neither shown; the last is not evidence of sameness."""
    first, second = (one for one in given if one is not None)
    signs = [(one.low > 0) - (one.high < 0) for one in (first, second)]
    apart = found.low > 0 or found.high < 0
    if signs[0] * signs[1] < 0 and apart:
        word = "the direction depends on the data"
    elif apart:
        word = "the size of the difference depends on the data"
    else:
        word = "no dependence on the data shown"
    if math.isnan(found.low):
        size = f"no interval: {found.note}"
    else:
        size = f"95 % interval {found.low:+.3f} to {found.high:+.3f}"
    return word, (
        f"{word.capitalize()}: {COMPARISONS[key].partition(' (')[0]} is {first.mean:+.3f} Dice in {names[0]} and "
        f"{second.mean:+.3f} in {names[1]}, {found.mean:+.3f} apart [{size}]."
    )


def _notes(both: Sequence[Json]) -> list[str]:
    """What else differs between the two, or ties them together."""
    first, second = both
    notes = []
    if first["data"].get("digest") == second["data"].get("digest"):
        notes.append("Both sweeps measure the same images, so they are not independent samples: read this as two "
                     "settings on one data set, and the interval as approximate.")  # fmt: skip
    if setting(first) != setting(second):
        notes.append(f"The settings differ: {setting(first)} against {setting(second)}.")
    if first["model"]["block_params"] != second["model"]["block_params"]:
        notes.append("The networks differ in size.")
    if first["weights"].get("digest") != second["weights"].get("digest"):
        notes.append("The starting weights differ.")
    synthetic = [one["sweep"] for one in both if one["data"]["synthetic"]]
    if synthetic:
        notes.append(f"Synthetic data ({', '.join(synthetic)}): no claim about real images.")
    notes += [f"{one['sweep']} is not finished." for one in both if not one["finished"]]
    return notes


def _rebuilt(one: Json | None) -> Comparison | None:
    if one is None:
        return None
    plain = {name: one[name] for name in Comparison.__dataclass_fields__}
    return replace(Comparison(**plain), folds=tuple(one["folds"]))
