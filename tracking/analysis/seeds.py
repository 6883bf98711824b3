"""A sweep as it is compared: trials that differ only in their seeds made one, those that decide nothing set aside.

Pure functions. A trial may be repeated with several training seeds, with several pre-trainings, or both: each such pair
is its luck (`Candidate.luck`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tracking.record import METRICS, SweepInfo, SweepRecord, TrialRecord
from tracking.spec_view import view_spec
from trainer.candidate import PRETRAINED, SCRATCH, Luck
from trainer.results import Score, original_of

DONE = ("FINISHED", "FAILED")
ASIDE = ("leaky", "subset")  # roles of trials that decide nothing


@dataclass(frozen=True)
class Repeats:
    """Which trainings stand behind a merged trial. `parts`: candidate key of the merged trial -> its trials, in the
    order of `lucks`; empty with one. `others`: names of trials left out because their seed is not planned, or is
    not done for every trial yet. `own_start_seed`: that of the sweep's own pre-training.
    """

    lucks: tuple[Luck, ...] = ((0, None),)
    parts: Mapping[str, tuple[TrialRecord, ...]] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    own_start_seed: int = 0

    @property
    def seeds(self) -> tuple[int, ...]:
        """What tells the repeats apart: the seeds of their trainings, or of their pre-trainings where these alone
        differ. Where both do, those of the trainings, each as often as it was repeated.
        """
        if self.kind == "pre-training":
            return tuple(self.own_start_seed if start is None else start for _, start in self.lucks)
        return tuple(seed for seed, _ in self.lucks)

    @property
    def words(self) -> str:
        """The repeats in words: `the seeds 0, 1`, `pre-trainings with the seeds 0, 1`, `2 seeds on 3 pre-trainings`."""
        starts = len({start for _, start in self.lucks})
        if starts > 1 and self.kind != "pre-training":
            return f"{len(self.lucks) // starts} seeds on {starts} pre-trainings"
        seeds = f"the seed{'' if len(self.lucks) == 1 else 's'} {', '.join(map(str, self.seeds))}"
        return f"pre-trainings with {seeds}" if starts > 1 else seeds

    @property
    def pretrainings(self) -> int:
        """How many pre-trainings of each start are compared."""
        return len({start for _, start in self.lucks})

    @property
    def kind(self) -> str:
        """What differs between two repeats, in words."""
        trainings, starts = (len(set(values)) for values in zip(*self.lucks, strict=True))
        if starts > 1:
            return "pre-training" if trainings == 1 else "training seed or pre-training"
        return "seed"

    def by_seed(self, trials: Sequence[TrialRecord]) -> tuple[tuple[TrialRecord, ...], ...]:
        """The same selection of merged trials once per luck; nothing with one, which has no noise to show.

        A trial without a training (zero-shot) is the same with any.
        """
        if len(self.lucks) < 2:
            return ()
        rows = [self._parts_of(trial) for trial in trials]
        return tuple(tuple(row[index] for row in rows) for index in range(len(self.lucks)))

    def by_pretraining(self, trial: TrialRecord) -> NDArray[np.float64]:
        """Dice (pre-trainings, folds) of a merged trial, the mean over the training seeds of each pre-training."""
        rows: dict[int | None, list[Sequence[float]]] = {}
        for part, (_, start) in zip(self._parts_of(trial), self.lucks, strict=True):
            rows.setdefault(start, []).append(part.folds["dice"])
        return np.array([np.mean(np.array(row, np.float64), axis=0) for row in rows.values()])

    def _parts_of(self, trial: TrialRecord) -> tuple[TrialRecord, ...]:
        return self.parts.get(trial.info.candidate.key, (trial,) * len(self.lucks))


@dataclass(frozen=True)
class Reading:
    """A sweep read for comparing. `honest`: the sweep with one record per repeated trial, none of them leaky or on a
    part of the images; `leaky`: those, merged in the same way, with one score per original image; `subsets`: the trials
    on a part of the images, merged in the same way.
    """

    honest: SweepRecord
    leaky: tuple[TrialRecord, ...]
    repeats: Repeats
    subsets: tuple[TrialRecord, ...] = ()

    @property
    def aside(self) -> tuple[TrialRecord, ...]:
        """The trials that decide nothing."""
        return *self.leaky, *self.subsets


def read(record: SweepRecord) -> Reading:
    """Merge trials that differ only in their seeds, and set aside the leaky ones and those on a part of the images.

    Seeds are those of the plan (`search.seeds`, `search.start_seeds`) that every trial is done with; while there is
    none, all of them, and a merged trial is unfinished until the last is, its `reason` saying which are missing. With
    one every honest trial stays as it is.
    """
    lucks, others = _compared_lucks(record)
    groups = _groups(record, others)
    trials = [_merge(group, lucks) for group in groups]
    parts = {
        trial.info.candidate.key: tuple(group[luck] for luck in lucks)
        for trial, group in zip(trials, groups, strict=True)
        if len(lucks) > 1 and trial.status == "FINISHED" and trial.info.seeded
    }
    return Reading(
        replace(record, trials=tuple(trial for trial in trials if trial.info.role not in ASIDE)),
        tuple(trial for trial in trials if trial.info.role == "leaky"),
        Repeats(
            lucks, parts, tuple(sorted(trial.info.candidate.name for trial in others)), own_start_seed(record.info)
        ),
        tuple(trial for trial in trials if trial.info.role == "subset"),
    )


def _compared_lucks(record: SweepRecord) -> tuple[tuple[Luck, ...], tuple[TrialRecord, ...]]:
    """The lucks that are compared, and the trials that were trained with any other."""
    lucks, others = planned_lucks(record)
    done = done_lucks(record, lucks)
    if not done:
        return lucks, others
    trained = [trial for trial in record.trials if trial.info.seeded]
    return done, tuple(trial for trial in trained if trial.info.candidate.luck not in done)


def _groups(record: SweepRecord, others: Iterable[TrialRecord]) -> list[dict[Luck, TrialRecord]]:
    """luck -> trial of each group of trials that differ only in it, without `others`. A leaky trial has one score per
    original image.
    """
    left_out = {id(trial) for trial in others}
    originals = {case for fold in record.info.folds for case in fold}
    groups: dict[tuple[object, ...], dict[Luck, TrialRecord]] = {}
    for trial in record.trials:
        if id(trial) not in left_out:
            candidate = trial.info.candidate
            group = groups.setdefault((candidate.recipe, candidate.split, candidate.epochs), {})
            group[candidate.luck] = per_original(trial, originals) if trial.info.role == "leaky" else trial
    return list(groups.values())


def planned_lucks(record: SweepRecord) -> tuple[tuple[Luck, ...], tuple[TrialRecord, ...]]:
    """The lucks of the sweep's plan, and the trials that were trained with any other.

    A sweep recorded before seeds were (`Candidate.seed` then reads 0) has one, whichever it is called.
    """
    trained = [trial for trial in record.trials if trial.info.seeded]
    lucks = lucks_of(record.info)
    trained_lucks = {trial.info.candidate.luck for trial in trained}
    if len(lucks) == 1 and len(trained_lucks) == 1:
        return tuple(trained_lucks), ()
    return lucks, tuple(trial for trial in trained if trial.info.candidate.luck not in lucks)


def done_lucks(record: SweepRecord, lucks: Sequence[Luck]) -> tuple[Luck, ...]:
    """The lucks with which every trial that the sweep has begun is finished or failed: a sweep that grows by a seed
    reports what it had until the new one is through. Of seeds and pre-trainings so many that each of the one is there
    with each of the other: else a pre-training would count for more than another.
    """
    begun: set[tuple[object, ...]] = set()
    done: dict[Luck, set[tuple[object, ...]]] = {}
    starts = view_spec(record.info.spec).starts
    planned = {PRETRAINED, SCRATCH, *(name for name, _ in starts)}  # others are left from before the plan changed
    for trial in record.trials:
        if trial.info.seeded and trial.info.candidate.start in planned:
            candidate = trial.info.candidate
            key = (candidate.recipe, candidate.split, candidate.epochs)
            begun.add(key)
            if trial.status in DONE:
                done.setdefault(candidate.luck, set()).add(key)
    return balanced([luck for luck in lucks if done.get(luck) == begun])


def balanced(lucks: Sequence[Luck]) -> tuple[Luck, ...]:
    """Those of the largest grid, training seeds x pre-trainings, that has no gap.

    >>> balanced([(0, None), (1, None), (0, 1)])
    ((0, None), (1, None))
    """
    seeds: dict[int | None, set[int]] = {}
    for seed, start in lucks:
        seeds.setdefault(start, set()).add(seed)
    ordered = sorted(seeds, key=lambda start: -len(seeds[start]))  # stable: of as many the first planned
    grids = [
        (set(ordered[:count]), set.intersection(*(seeds[start] for start in ordered[:count])))
        for count in range(1, len(ordered) + 1)
    ]
    if not grids:
        return ()
    starts, trained = max(grids, key=lambda grid: len(grid[0]) * len(grid[1]))
    return tuple((seed, start) for seed, start in lucks if start in starts and seed in trained)


def lucks_of(info: SweepInfo) -> tuple[Luck, ...]:
    """What a sweep plans: each of `search.seeds`, or its own `seed`, with each of `search.start_seeds`."""
    spec = view_spec(info.spec)
    starts = [None if seed == own_start_seed(info) else seed for seed in spec.start_seeds] or [None]
    return tuple((seed, start) for start in starts for seed in spec.seeds or (info.seed,))


def own_start_seed(info: SweepInfo) -> int:
    """The seed of the sweep's own pre-training."""
    return int(dict(info.spec.get("pretrain") or {}).get("seed", 0))


def merged(trials: Sequence[TrialRecord]) -> TrialRecord:
    """One record of S trials that differ only in luck; name, run and montage are those of the first.

    Fold f: score_f = 1/S sum_s score_sf, NaN where a seed has none. Image i: Dice_i = 1/S sum_s Dice_si, so that n
    images stay n images; its pixel counts are summed over the seeds, so that the pooled Dice is pooled over all of it.
    Of external test sets it has the networks of all seeds. A seed trains on a part of the images of its own: their
    number is the mean.
    """
    if len(trials) == 1:
        return trials[0]
    folds = {
        metric: tuple(float(np.mean(values)) for values in zip(*(trial.folds[metric] for trial in trials), strict=True))
        for metric in METRICS
    }
    versions = [{score.image: score for _, score in trial.scores} for trial in trials]
    scores = tuple(
        (fold, _averaged(score.image, [by_image[score.image] for by_image in versions]))
        for fold, score in trials[0].scores
        if all(score.image in by_image for by_image in versions)
    )
    seconds = float(np.mean([trial.seconds for trial in trials]))
    external = {
        name: np.concatenate([trial.external[name] for trial in trials])
        for name in trials[0].external
        if all(name in trial.external for trial in trials)
    }
    known = [trial.train_images for trial in trials if trial.train_images]  # written when a trial has finished
    trained = tuple(float(np.mean(images)) for images in zip(*known, strict=True))
    return replace(trials[0], folds=folds, scores=scores, seconds=seconds, external=external, train_images=trained)


def per_original(trial: TrialRecord, originals: Iterable[str]) -> TrialRecord:
    """A leaky trial with one score per original image: the mean over its scored versions, `name`, `name//1`, ...

    Versions without truth (a copy whose target was shifted out of it) are left out of its Dice. The fold values stay.
    """
    original_names = set(originals)
    versions: dict[str, list[Score]] = {}
    folds: dict[str, int] = {}
    for fold, score in trial.scores:
        name = score.image if score.image in original_names else original_of(score.image)
        versions.setdefault(name, []).append(score)
        if score.image == name or name not in folds:
            folds[name] = fold
    return replace(trial, scores=tuple((folds[name], _averaged(name, versions[name])) for name in sorted(versions)))


def luck_words(luck: Luck, lucks: Sequence[Luck]) -> str:
    """`2`, the seed, or `2 from start seed 1` where several pre-trainings are planned."""
    seed, start = luck
    if len({start for _, start in lucks}) == 1:
        return str(seed)
    return f"{seed} from {'the first start' if start is None else f'start seed {start}'}"


def _merge(group: Mapping[Luck, TrialRecord], lucks: Sequence[Luck]) -> TrialRecord:
    """The merged trial of the lucks that were begun; its status, and which are missing. Zero-shot and a referee's have
    none.
    """
    trial = next(iter(group.values()))
    if len(lucks) == 1 or not trial.info.seeded:
        return trial
    done = [luck for luck in lucks if luck in group and group[luck].status == "FINISHED"]
    if len(done) == len(lucks):
        return merged([group[luck] for luck in lucks])
    first = next(group[luck] for luck in lucks if luck in group)
    failed = [luck for luck in lucks if luck in group and group[luck].status == "FAILED"]
    if len(done) + len(failed) == len(lucks):
        which = luck_words(failed[0], lucks)
        return replace(group[failed[0]], reason=f"seed {which}: {group[failed[0]].reason}")
    no_scores = dict.fromkeys(METRICS, (math.nan,) * len(first.folds["dice"]))
    parts = [replace(group.get(luck, replace(first, folds=no_scores)), scores=()) for luck in lucks]
    missing = ", ".join(luck_words(luck, lucks) for luck in lucks if luck not in done)
    seed, start_seed = lucks[0]
    candidate = replace(first.info.candidate, seed=seed, start_seed=start_seed)
    reason = f"seed {missing} not finished" if "," not in missing else f"seeds {missing} not finished"
    info = replace(first.info, candidate=candidate)
    return replace(merged(parts), info=info, status="RUNNING", reason=reason, montage=None)


def _averaged(image: str, scores: Sequence[Score]) -> Score:
    """One image's score from several: counts summed, rates averaged, Dice and distances over those that have one."""
    return Score(
        image=image,
        label=scores[0].label,
        tp=sum(score.tp for score in scores),
        fp=sum(score.fp for score in scores),
        fn=sum(score.fn for score in scores),
        tn=sum(score.tn for score in scores),
        dice=_mean_of_known([score.dice for score in scores]),
        pixel_error=float(np.mean([score.pixel_error for score in scores])),
        ari=float(np.mean([score.ari for score in scores])),
        hd95=_mean_of_known([score.hd95 for score in scores]),
        surface_dice=_mean_of_known([score.surface_dice for score in scores]),
    )


def _mean_of_known(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
