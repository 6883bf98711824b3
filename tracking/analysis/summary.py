"""A sweep in numbers: every figure of a report, computed from a `SweepRecord` alone; the same record, the same bytes.

Fields of the JSON report (`summarise`). Scores are fractions of 1 (Dice, ARI) or % (pixel error); NaN becomes null.

- `schema`: 1. `sweep`: its name. `digest`: what identifies data, folds, weights and settings. `finished`: bool.
- `data`: `synthetic`, `source`, `layout`, `images`, `groups`, `duplicates`, `empty_masks`, `classes`, `notes`,
  `digest`, `statement` (one sentence).
- `folds`: one object per fold: `fold`, `train`, `test` (original images), `cases`.
- `main`: `epochs` and `learning_rate` at which curves, baselines and comparisons are taken: the largest budget and the
  rate at which most masks of the curves were trained.
- `trials`: one object per finished trial: `mask`, `aliases`, `blocks`, `order`, `depth` (of the first of `orders`, null
  for a mask that belongs to none), `orders`, `role` (`trial`, `zero-shot`, `scratch`), `start`, `split`,
  `epochs`, `learning_rate`, `train` (searched training settings, where they differ from the sweep's own),
  `trainable_params`; `seeds` (trained with each, scores are means over them) and `noise`
  (of its mean Dice, null with one seed); `dice`, `pixel_error`, `ari`, each with `mean`, `sd`, `sem`, `folds`;
  `dice_pooled`, `empty_truths`, `false_positive_percent` (of images with empty truth), `by_class` (label -> `images`,
  `dice`: mean over its images), `per_image` (`n`, `mean`, 95 % bootstrap of the images `low` to `high`, descriptive;
  `worst_decile`: mean of the lowest tenth; `failures`: images below 0.1 Dice).
- `baselines`: `zero_shot`, `scratch`, `all`: a trial object or null.
- `comparison`: `contracting_vs_expanding` and `area_between_curves`, each a comparison object or null;
  `by_depth`: shallow-k minus deep-k, each with its `depth`; `missing`: masks that a comparison lacks.
  A comparison has `mean`, `low`, `high` (95 %), `sd`, `se`, `t`, `df`, `p`, `p_holm`, `p_above`, `p_within`, `p_below`,
  `folds`, `note`, `threshold` (smallest significant mean difference), `detectable` (found with 80 % power), `noise`.
- Every `noise` beside a number says how far another training seed moves it: `sd` (n − 1) over seeds of the same number,
  paired by seed, `se` of the mean over seeds, `per_seed`; null with one seed. Tests stay on folds.
- `noise` at the top: `seeds` of the plan, `sd` over seeds pooled over the `masks` at the main setting with `df`, a
  `sentence`, `others` (trials with a seed that is not in the plan, left out).
- `leakage`: augmenting before splitting, null unless it was measured; it enters no other field but `failed`,
  `unfinished` and `missing`. `compared`: for each mask that has both, `mask`, `aliases`, `start`, `epochs`,
  `learning_rate`, Dice `honest` and `leaky` (fold means), their `difference`, `inflation` (mean over the `images`
  originals of the leaky Dice of its versions minus the honest one; `low`, `high`: 95 % bootstrap of the images,
  descriptive), `noise`; `trials`: the leaky trial objects, `per_image` by original; `without_honest` (names);
  `sentence` and `detail`.
- `verdict`: `finding` (`shallow better`, `deep better`, `practically equal`, `no difference shown`) and `sentence`.
- `per_epochs`: for every budget `epochs` with `contracting_vs_expanding` and `area_between_curves`.
- `choice`: over the masks at the main setting, or null. `best`; `compared`: every mask against the best, cheapest
  first: how far `behind`, `p`, `p_adjusted` for all pairs of masks, `tied` (not distinguishable from the best);
  `one_standard_error`: the cheapest mask above `floor`, the best Dice minus its SEM; each with `mask`, `aliases`,
  `trainable_params`, `dice`. `winner`, null for fewer than ten images: the winner's-curse correction by BBC-CV,
  `apparent` (mean over images), `corrected`, `low`, `high`, `optimism`, `frequencies` (how often each mask is chosen,
  most often first), `images`, `masks`, `draws`.
- `convergence`: for each pair of neighbouring budgets `from` and `to`: `masks`, each a comparison (longer - shorter).
- `parameters`: `contracting`, `expanding`, `ratio`, `by_convolution` (null unless it is the study's network), `note`.
- `cases`: images to look at, chosen by `rule`: `image`, Dice with `contracting` and with `expanding` tuned.
- `dropped`: trials given up early as clearly worse, null without any; they are in no other field. `trials` (`name`,
  `folds_done`, `reason`), trainings of a fold `saved` out of `trainings`, `sentence`.
- `failed` (`name`, `reason`), `unfinished` (`name`, `folds_done`: those that every seed did), `missing` (names planned
  but never begun). A repeated trial with a seed that lacks is unfinished, and its name says which.
- `model`: `blocks` (how many units), `block_params`, `named_masks`, `unit` (what masks count: `block` or `conv`),
  `head` (`last`, `always`, `own`), `always_params`, `head_sentence`. `weights`, `settings` (the spec), `seed`.
- `provenance`: what may vary between two equal sweeps: `command`, `commit`, `versions`, `run_id`, `started`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from tracking.analysis.choice import case_objects, choice_object
from tracking.analysis.comparisons import DEEP, SHALLOW, at_setting, compare, compare_noise, main_setting
from tracking.analysis.contrasts import comparison_object
from tracking.analysis.convergence import convergence_objects
from tracking.analysis.early_stopped import dropped_object, without_dropped
from tracking.analysis.leakage import leakage_object
from tracking.analysis.parameters import parameter_object
from tracking.analysis.per_image import per_image
from tracking.analysis.seed_noise import floor_object, trial_noise
from tracking.analysis.seeds import DONE, Reading, Repeats, read, seeds_of
from tracking.analysis.verdict import verdict
from tracking.record import METRICS, Json, SweepInfo, SweepRecord, TrialRecord
from tracking.statistics import false_positive_percent, pooled_dice, spread
from tracking.units import head_of, head_sentence, unit_of


def summarise(record: SweepRecord) -> Json:
    """The JSON report as a dictionary; see the docstring of this file for its fields."""
    given_up, record = dropped_object(record), without_dropped(record)
    reading = read(record)
    info, done, repeats = record.info, reading.honest.finished, reading.repeats
    epochs, rate = main_setting(done)
    main = at_setting(done, epochs, rate)
    contracting, area, by_depth, missing = compare(main, info)
    noise = compare_noise(main, info, repeats)
    budgets = sorted({trial.info.candidate.epochs for trial in done if trial.info.role == "trial"})
    began = {trial.info.candidate.key for trial in record.trials}
    missing_names = sorted(name for key, name in info.planned.items() if key not in began)
    unfinished = [
        {"name": _unfinished_name(trial, repeats), "folds_done": trial.folds_done}
        for trial in sorted((*reading.honest.trials, *reading.leaky, *_later(record, repeats)), key=_position)
        if trial.status not in DONE
    ]
    return {
        "schema": 1,
        "sweep": info.name,
        "digest": info.digest,
        "finished": record.status == "FINISHED" and not (unfinished or missing_names),
        "data": {**info.data, "statement": data_statement(info)},
        "folds": [
            {"fold": fold, "train": train, "test": test, "cases": list(cases)}
            for fold, ((train, test), cases) in enumerate(zip(info.fold_sizes, info.folds, strict=True), 1)
        ],
        "main": {"epochs": epochs, "learning_rate": rate},
        "trials": [trial_object(trial, repeats) for trial in sorted(done, key=_position)],
        "baselines": {
            "zero_shot": _first((trial for trial in done if trial.info.role == "zero-shot"), repeats),
            "scratch": _first(_scratch(done, epochs, rate), repeats),
            "all": _first((trial for trial in main if len(trial.info.blocks) == info.n_blocks), repeats),
        },
        "comparison": {
            "contracting_vs_expanding": comparison_object(contracting, info, noise.contracting),
            "area_between_curves": comparison_object(area, info, noise.area),
            "by_depth": [
                {"depth": k, **(comparison_object(one, info, noise.by_depth.get(k)) or {})} for k, one in by_depth
            ],
            "missing": missing,
        },
        "verdict": verdict(contracting, area, main, info, missing, noise),
        "per_epochs": [_at_budget(budget, done, rate, info, repeats) for budget in budgets],
        "choice": choice_object(main, info, repeats),
        "convergence": convergence_objects(done, rate, info, repeats),
        "noise": floor_object(main, repeats, info),
        "leakage": _leakage(reading, (epochs, rate)),
        "parameters": parameter_object(info),
        "cases": case_objects(main, info),
        "failed": [
            {"name": trial.info.candidate.name, "reason": trial.reason}
            for trial in sorted(record.trials, key=_position)
            if trial.status == "FAILED"
        ],
        "unfinished": unfinished,
        "missing": missing_names,
        "dropped": given_up,
        "model": {
            "blocks": info.n_blocks,
            "block_params": list(info.block_params),
            "named_masks": dict(info.named_masks),
            "unit": unit_of(info.spec),
            "head": head_of(info.spec),
            "always_params": info.always_params,
            "head_sentence": head_sentence(info),
        },
        "weights": dict(info.weights),
        "settings": dict(info.spec),
        "seed": info.seed,
        "provenance": {
            "command": info.command,
            "commit": info.commit,
            "versions": dict(info.versions),
            "run_id": record.run_id,
            "started": record.started,
        },
    }


def _later(record: SweepRecord, repeats: Repeats) -> list[TrialRecord]:
    """Trials of planned seeds that are compared only once every trial has them."""
    planned = set(seeds_of(record.info)) - set(repeats.seeds)
    return [one for one in record.trials if one.info.role != "zero-shot" and one.info.candidate.seed in planned]


def data_statement(info: SweepInfo) -> str:
    """Which pictures these are, in one sentence; synthetic ones say so first."""
    data = info.data
    classes = ", ".join(f"{count} {label}" for label, count in sorted(dict(data.get("classes") or {}).items()) if label)
    counted = f"{data['images']} images{f' ({classes})' if classes else ''} in {data['groups']} groups"
    if data["synthetic"]:
        return f"SYNTHETIC data ({data['source']}): {counted}. It carries no claim about any real image."
    return f"{counted} from {data['source']} ({data['layout']}); {data['duplicates']} near-duplicates share a group."


def trial_object(trial: TrialRecord, repeats: Repeats | None = None) -> Json:
    """One trial of the JSON report."""
    repeats = repeats or Repeats((trial.info.candidate.seed,))
    info, candidate = trial.info, trial.info.candidate
    order, depth = info.orders[0] if info.orders else (None, None)
    scores = [score for _, score in trial.scores]
    empty = [score for score in scores if score.tp + score.fn == 0]
    found: Json = {
        "mask": candidate.mask,
        "aliases": list(info.aliases),
        "blocks": list(info.blocks),
        "order": order,
        "depth": depth,
        "orders": [list(pair) for pair in info.orders],
        "role": info.role,
        "start": candidate.start,
        "split": candidate.split,
        "epochs": candidate.epochs,
        "learning_rate": candidate.learning_rate,
        "train": dict(candidate.train),
        "trainable_params": info.trainable_params,
        "seeds": list(repeats.seeds) if candidate.epochs else [],
        "noise": trial_noise(trial, repeats),
    }
    for metric in METRICS:
        over = spread(trial.folds[metric])
        found[metric] = {"mean": over.mean, "sd": over.sd, "sem": over.sem, "folds": list(trial.folds[metric])}
    labels = sorted({score.label for score in scores if score.label})
    return found | {
        "dice_pooled": pooled_dice(scores),
        "per_image": asdict(per_image([score.dice for score in scores])),
        "empty_truths": len(empty),
        "false_positive_percent": false_positive_percent(empty),
        "by_class": {
            label: {
                "images": sum(score.label == label for score in scores),
                "dice": spread([score.dice for score in scores if score.label == label]).mean,
            }
            for label in labels
        },
    }


def _scratch(done: Sequence[TrialRecord], epochs: int | None, rate: float | None) -> list[TrialRecord]:
    """From-scratch trials, the ones nearest to the main setting first."""
    found = [trial for trial in done if trial.info.role == "scratch"]
    return sorted(
        found,
        key=lambda one: (
            one.info.candidate.epochs != epochs, one.info.candidate.learning_rate != rate, -one.info.candidate.epochs
        ),
    )  # fmt: skip


def _first(trials: Iterable[TrialRecord], repeats: Repeats) -> Json | None:
    for trial in trials:
        return trial_object(trial, repeats)
    return None


def _at_budget(budget: int, done: Sequence[TrialRecord], rate: float | None, info: SweepInfo, repeats: Repeats) -> Json:
    at = at_setting(done, budget, rate)
    contracting, area, _, _ = compare(at, info)
    noise = compare_noise(at, info, repeats)
    return {
        "epochs": budget,
        "contracting_vs_expanding": comparison_object(contracting, info, noise.contracting),
        "area_between_curves": comparison_object(area, info, noise.area),
    }


def _leakage(reading: Reading, setting: tuple[int | None, float | None]) -> Json | None:
    found = leakage_object(reading, setting)
    done = sorted((one for one in reading.leaky if one.status == "FINISHED"), key=_position)
    return found and found | {"trials": [trial_object(one, reading.repeats) for one in done]}


def _unfinished_name(trial: TrialRecord, repeats: Repeats) -> str:
    """A repeated trial is named without a seed, with those that lack."""
    candidate = trial.info.candidate
    if len(repeats.seeds) < 2 or candidate.seed not in repeats.seeds or not candidate.epochs:
        return candidate.name
    return f"{replace(trial.info.candidate, seed=0).name} ({trial.reason})"


def _position(trial: TrialRecord) -> tuple[Any, ...]:
    """Largest budget first, baselines last, then along the curves."""
    info, candidate = trial.info, trial.info.candidate
    shallow, deep = info.depth_in(SHALLOW), info.depth_in(DEEP)
    group = 0 if shallow else 1 if deep else 2
    return (info.role != "trial", info.role, -candidate.epochs, candidate.learning_rate, group, shallow or deep or 0,
            len(info.blocks), candidate.mask, candidate.start, candidate.split, candidate.seed)  # fmt: skip
