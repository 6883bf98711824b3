"""A sweep in numbers: every figure of a report, computed from a `SweepRecord` alone; the same record, the same bytes.

`tracking.as_json` writes it as the JSON report, every field under its own name; `docs/report-json.md` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracking.analysis.cases import ImageCase, image_cases
from tracking.analysis.comparisons import (
    BudgetComparisons,
    Comparisons,
    at_setting,
    compare,
    compare_budget,
    main_setting,
)
from tracking.analysis.convergence import BudgetStep, budget_steps
from tracking.analysis.early_stopped import EarlyStopped, early_stopped, without_dropped
from tracking.analysis.labelled_images import LabelledImages, labelled_images
from tracking.analysis.leakage import Leakage, measure_leakage
from tracking.analysis.parameters import Parameters, half_parameters
from tracking.analysis.processors import Processors, processors
from tracking.analysis.seed_noise import NoiseFloor, noise_floor
from tracking.analysis.seeds import Repeats, read
from tracking.analysis.trial import TrialSummary, report_order, summarise_trial
from tracking.analysis.verdict import Verdict, judge
from tracking.best_mask.answer import BestMask, best_mask
from tracking.data_view import WeightsView, view_weights
from tracking.record import SweepInfo, SweepRecord, TrialRecord
from tracking.summary.experimental_setup import (
    DataSummary,
    DistanceScale,
    Fold,
    Model,
    Provenance,
    describe_data,
    distance_scale_of,
    folds_of,
    model_of,
    provenance_of,
)
from tracking.summary.external import ExternalSummary, external_summaries
from tracking.summary.gaps import FailedTrial, UnfinishedTrial, find_gaps
from trainer.candidate import PRETRAINED, TrainValue

SCHEMA = 2


@dataclass(frozen=True)
class MainSetting:
    """The budget of `epochs` and the `learning_rate` at which curves, baselines and comparisons are taken: the largest
    budget, and the rate at which most masks of the curves were trained. None where no trial is finished. `train`: the
    searched training settings that most of these share, where they differ from the sweep's own. The start is the
    sweep's own.
    """

    epochs: int | None
    learning_rate: float | None
    train: Mapping[str, TrainValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Baselines:
    """What every mask is set against, each a trial or None where it was not measured. `zero_shot`: the starting weights
    as they are; `scratch`: all blocks from random weights, at the setting nearest to the main one; `all`: all blocks
    tuned at the main setting.
    """

    zero_shot: TrialSummary | None
    scratch: TrialSummary | None
    all: TrialSummary | None


@dataclass(frozen=True)
class SweepSummary:
    """A sweep in numbers. Scores are fractions of 1 (Dice, ARI) or % (pixel error); what cannot be known is NaN.

    `schema`: version of these fields. `sweep`: its name. `digest`: SHA-256 of what identifies data, folds, weights
    and settings. `finished`: whether all that was planned is done. `data`, `folds`: the images, and how they were
    split. `main`: the setting of curves and comparisons. `trials`: the finished ones, largest budget first,
    baselines last. `baselines`, `comparison`, `verdict`: what is compared at the main setting, and the conclusion.
    `per_epochs`: the co-primary comparisons at every budget. `best_mask`: which set of blocks is best, at every
    setting that was measured; None for fewer than two masks. `convergence`: what each larger budget changed.
    `noise`: how far another training seed moves a score. `processors`: which kinds trained the folds, and whether
    mixing them shows; None where that is not recorded. `leakage`: augmenting before splitting, None unless it was
    measured. `parameters`: of the two halves, None without the two named masks. `external`: what holds on
    each external test set. `cases`: images to look at. `labelled_images`: Dice against the number of labelled images,
    None unless it was measured.
    `failed`, `unfinished`: trials without a score; `missing`: names of those planned but never begun. `dropped`:
    trials stopped early, None where none was. `model`: the network that the masks count. `distances`: how those between
    boundaries were measured, None where they were not. `weights`: the starting weights. `settings`: the resolved spec.
    `seed`: of the sweep. `provenance`: what may differ between two equal sweeps.
    """

    schema: int
    sweep: str
    digest: str
    finished: bool
    data: DataSummary
    folds: tuple[Fold, ...]
    main: MainSetting
    trials: tuple[TrialSummary, ...]
    baselines: Baselines
    comparison: Comparisons
    verdict: Verdict
    per_epochs: tuple[BudgetComparisons, ...]
    best_mask: BestMask | None
    convergence: tuple[BudgetStep, ...]
    noise: NoiseFloor
    processors: Processors | None
    leakage: Leakage | None
    labelled_images: LabelledImages | None
    parameters: Parameters | None
    external: tuple[ExternalSummary, ...]
    cases: tuple[ImageCase, ...]
    failed: tuple[FailedTrial, ...]
    unfinished: tuple[UnfinishedTrial, ...]
    missing: tuple[str, ...]
    dropped: EarlyStopped | None
    model: Model
    distances: DistanceScale | None
    weights: WeightsView
    settings: Mapping[str, Any]
    seed: int
    provenance: Provenance


def summarise(record: SweepRecord) -> SweepSummary:
    """Every number of a report. Nothing outside the record is asked, so equal records give equal summaries."""
    whole, dropped, record = record, early_stopped(record), without_dropped(record)
    reading = read(record)
    info, done, repeats = record.info, reading.honest.finished, reading.repeats
    epochs, rate = main_setting(done)
    main = at_setting(done, epochs, rate)
    train = main[0].info.candidate.train if main else ()
    comparison = compare(main, info, repeats)
    gaps, verdict = find_gaps(record, reading), judge(comparison, main, info)
    return SweepSummary(
        schema=SCHEMA,
        sweep=info.name,
        digest=info.digest,
        finished=record.status == "FINISHED" and not (gaps.unfinished or gaps.missing),
        data=describe_data(info),
        folds=folds_of(info),
        main=MainSetting(epochs, rate, dict(train)),
        trials=tuple(summarise_trial(trial, repeats) for trial in sorted(done, key=report_order)),
        baselines=_baselines(done, main, (epochs, rate), info, repeats),
        comparison=comparison,
        verdict=verdict,
        per_epochs=tuple(compare_budget(done, budget, rate, info, repeats, train) for budget in _budgets(done)),
        best_mask=best_mask(read(whole) if dropped else reading),
        convergence=budget_steps(done, rate, info, repeats, train),
        noise=noise_floor(main, repeats, info),
        processors=processors(record),
        leakage=measure_leakage(reading, (epochs, rate)),
        labelled_images=labelled_images(reading, main),
        parameters=half_parameters(info),
        external=external_summaries(reading, main, verdict),
        cases=image_cases(main, info),
        failed=gaps.failed,
        unfinished=gaps.unfinished,
        missing=gaps.missing,
        dropped=dropped,
        model=model_of(info),
        distances=distance_scale_of(info),
        weights=view_weights(info.weights),
        settings=dict(info.spec),
        seed=info.seed,
        provenance=provenance_of(record),
    )


def _budgets(done: Sequence[TrialRecord]) -> list[int]:
    """The epoch budgets of the trials, ascending."""
    return sorted({trial.info.candidate.epochs for trial in done if trial.info.role == "trial"})


def _baselines(
    done: Sequence[TrialRecord],
    main: Sequence[TrialRecord],
    setting: tuple[int | None, float | None],
    info: SweepInfo,
    repeats: Repeats,
) -> Baselines:
    return Baselines(
        zero_shot=_first((trial for trial in _own(done) if trial.info.role == "zero-shot"), repeats),
        scratch=_first(_scratch(done, *setting, train=main[0].info.candidate.train if main else ()), repeats),
        all=_first((trial for trial in main if len(trial.info.blocks) == info.n_blocks), repeats),
    )


def _own(done: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [trial for trial in done if trial.info.candidate.start == PRETRAINED]


def _first(trials: Iterable[TrialRecord], repeats: Repeats) -> TrialSummary | None:
    for trial in trials:
        return summarise_trial(trial, repeats)
    return None


def _scratch(
    done: Sequence[TrialRecord], epochs: int | None, rate: float | None, train: tuple[tuple[str, TrainValue], ...]
) -> list[TrialRecord]:
    """From-scratch trials, the ones nearest to the main setting first."""

    def distance(trial: TrialRecord) -> tuple[bool | int, ...]:
        candidate = trial.info.candidate
        other = (candidate.train != train, bool(candidate.train))
        return candidate.epochs != epochs, candidate.learning_rate != rate, -candidate.epochs, *other

    return sorted((trial for trial in done if trial.info.role == "scratch"), key=distance)
