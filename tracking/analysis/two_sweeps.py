"""Two sweeps side by side: does the direction depend on the data? Numbers only; `versus_page` shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace

from tracking.analysis.formatting import COMPARISONS, setting
from tracking.analysis.seeds import read
from tracking.analysis.summary import summarise
from tracking.record import METRICS, Json, SweepInfo, SweepRecord
from tracking.statistics import EQUIVALENCE, Comparison, critical, holm, tail
from tracking.units import WORDS, head_of, unit_of
from trainer.errors import UserError


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
    comparison without folds, Holm over both; `noise` with `sd` and `se`, those of both added in squares) or null;
    `finding` and `sentence`: whether the direction depends on the data, or on what masks count where that differs;
    `notes`: what else differs. Raises `UserError` when the two cannot be compared.

    Sweeps of one data set whose masks count different units share contracting - expanding only: the steps of their
    curves are not the same, so the areas between them are not subtracted.
    """
    check(first, second)
    both = [summarise(one) for one in (first, second)]
    shared = list(COMPARISONS) if len(_units(both)) == 1 else ["contracting_vs_expanding"]
    given = {key: [_rebuilt(one["comparison"][key]) for one in both] for key in shared}
    found = {key: difference(a, b) for key, (a, b) in given.items() if a is not None and b is not None}
    found = dict(zip(found, holm(list(found.values())), strict=True))
    judged = next(iter(found), None)
    word, sentence = _judge(both, given[judged], found[judged], judged) if judged else (
        None, "No verdict yet: the two sweeps have no finished comparison in common.")  # fmt: skip
    return {
        "schema": 1,
        "sweeps": both,
        "difference": {
            key: asdict(found[key]) | {"noise": _noise([one["comparison"][key] for one in both])}
            if key in found
            else None
            for key in COMPARISONS
        },
        "finding": word,
        "sentence": sentence,
        "notes": _notes(both),
    }


def check(first: SweepRecord, second: SweepRecord) -> None:
    """Raises `UserError` unless two different sweeps have the same metrics, as many folds and as many blocks.

    Masks may count blocks in one and convolutions in the other, but only on the same images: else two things differ at
    once. Other budgets, rates, seeds, folds and heads are no reason to refuse; they are said in the notes.
    """
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
    units = [unit_of(one.spec) for one in infos]
    if units[0] != units[1] and infos[0].data.get("digest") != infos[1].data.get("digest"):
        raise UserError(
            "Sweeps whose masks count different units can be set side by side only on the same images, else two things "
            f"differ at once, but {names[0]!r} counts {WORDS[units[0]]}s, {names[1]!r} counts {WORDS[units[1]]}s, and "
            f"their images differ. Run one of them again with --set partition.unit={units[0]} under another --name."
        )
    counted = [("folds", [len(one.folds) for one in infos])]
    counted += [(f"{WORDS[units[0]]}s", [one.n_blocks for one in infos])] if units[0] == units[1] else []
    for what, counts in counted:
        if counts[0] != counts[1]:
            raise UserError(
                f"Sweeps can be set side by side only with equal numbers of {what}, but {names[0]!r} has {counts[0]} "
                f"and {names[1]!r} has {counts[1]}. Run one of them again to match"
                + (", for instance with --set folds=N under another --name." if what == "folds" else _head_hint(infos))
            )


def measured(record: SweepRecord) -> tuple[str, ...]:
    """The metrics that any finished trial has a value of; leaky trials and unfinished repeats do not count."""
    finished = read(record).honest.finished
    return tuple(
        metric
        for metric in METRICS
        if any(not math.isnan(value) for trial in finished for value in trial.folds[metric])
    )


def _judge(both: Sequence[Json], given: Sequence[Comparison | None], found: Comparison, key: str) -> tuple[str, str]:
    """Opposite findings, a gain that differs, or neither shown; the last is not evidence of sameness."""
    names = [one["sweep"] for one in both]
    cause = "the data" if len(_units(both)) == 1 else "what masks count"
    first, second = (one for one in given if one is not None)
    signs = [(one.low > 0) - (one.high < 0) for one in (first, second)]
    apart = found.low > 0 or found.high < 0
    if signs[0] * signs[1] < 0 and apart:
        word = f"the direction depends on {cause}"
    elif apart:
        word = f"the size of the difference depends on {cause}"
    else:
        word = f"no dependence on {cause} shown"
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
    notes += _differences(first, second)
    if len(_units(both)) == 1 and first["model"]["block_params"] != second["model"]["block_params"]:
        notes.append("The networks differ in size.")
    if first["weights"].get("digest") != second["weights"].get("digest"):
        notes.append("The starting weights differ.")
    synthetic = [one["sweep"] for one in both if one["data"]["synthetic"]]
    if synthetic:
        notes.append(f"Synthetic data ({', '.join(synthetic)}): no claim about real images.")
    notes += [f"{one['sweep']} is not finished." for one in both if not one["finished"]]
    return notes


def _differences(first: Json, second: Json) -> list[str]:
    """Notes on units, heads, seeds and folds."""
    both, notes = (first, second), []
    if len(_units(both)) > 1:
        meant = [
            f"in {one['sweep']} contracting is {word}s {masks.get('contracting')}, expanding {masks.get('expanding')}"
            for one, word, masks in ((one, WORDS[one["model"]["unit"]], one["model"]["named_masks"]) for one in both)
        ]
        notes.append(
            f"The names are the same, the layers are not: {'; '.join(meant)}. Single steps of the curves differ too, "
            "so only contracting − expanding is compared."
        )
    if first["model"]["head"] != second["model"]["head"]:
        notes += [f"{one['sweep']}: {one['model']['head_sentence']}" for one in both]
    seeds = [one["noise"]["seeds"] for one in both]
    if seeds[0] != seeds[1]:
        words = [f"{one['sweep']} with {', '.join(map(str, used))}" for one, used in zip(both, seeds, strict=True)]
        notes.append(f"The training seeds differ: {'; '.join(words)}.")
    folds = [{frozenset(fold["cases"]) for fold in one["folds"]} for one in both]
    if first["data"].get("digest") == second["data"].get("digest") and folds[0] != folds[1]:
        notes.append("The same images are cut into other folds.")
    return notes


def _units(both: Sequence[Json]) -> set[str]:
    return {one["model"]["unit"] for one in both}


def _noise(given: Sequence[Json | None]) -> Json | None:
    """How far other seeds would move the difference: the sweeps' seeds do not pair, so squares add."""
    noises = [one["noise"] for one in given if one is not None and one["noise"] is not None]
    if len(noises) < 2:
        return None
    return {key: math.hypot(*(one[key] for one in noises)) for key in ("sd", "se")}


def _head_hint(infos: Sequence[SweepInfo]) -> str:
    """A head that is a unit of its own is one more to count."""
    if head_of(infos[0].spec) == head_of(infos[1].spec):
        return "."
    return f", with --set partition.head={head_of(infos[0].spec)} under another --name."


def _rebuilt(one: Json | None) -> Comparison | None:
    if one is None:
        return None
    plain = {name: one[name] for name in Comparison.__dataclass_fields__}
    return replace(Comparison(**plain), folds=tuple(one["folds"]))
