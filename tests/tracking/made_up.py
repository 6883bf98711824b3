"""Fold results made up from a seed, in the shape that the trainer gives: tests here need neither Keras nor images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.seeds import Repeats
from tracking.figures.montage import montage
from tracking.image_archive import Images
from tracking.record import METRICS, Predicted, Role, ShownImages, SweepInfo, SweepRecord, TrialInfo, TrialRecord
from tracking.report.formats import render
from tracking.report.shown_images import shown_trials
from tracking.store.writer import Tracker
from tracking.summary.sweep import SweepSummary, summarise
from trainer.candidate import Candidate
from trainer.masks import Mask, at_depth, names, orders_and_depths
from trainer.results import COPY_MARK, FoldResult, Score, original_of

FOLDS, PER_FOLD, PIXELS = 5, 6, 64 * 64
BLOCK_PARAMS = [640, 3520, 13952, 55552, 221696, 147712, 36992, 9280, 2329]


def sweep_info(name: str = "demo", synthetic: bool = True) -> SweepInfo:
    """A sweep over 30 images in 5 folds."""
    cases = [[f"case {fold}-{image}" for image in range(PER_FOLD)] for fold in range(FOLDS)]
    return SweepInfo(
        name=name,
        digest="d" * 64,
        spec={"space": {"epochs": [6, 12]}, "train": {"batch": 16}},
        data={
            "synthetic": synthetic,
            "source": "ultrasound phantoms, seed 0" if synthetic else "busi",
            "layout": "phantoms" if synthetic else "BUSI",
            "images": 30,
            "groups": 29,
            "duplicates": 2,
            "empty_masks": 1,
            "notes": ["133 normal images left out: their masks are empty"],
            "digest": "e" * 64,
            "classes": {"benign": 20, "malignant": 10},
        },
        folds=cases,
        labels=[[label_of(image) for image in range(PER_FOLD)] for _ in range(FOLDS)],
        n_blocks=9,
        block_params=BLOCK_PARAMS,
        named_masks={"contracting": "1-5", "expanding": "6-9"},
        weights={"digest": "f" * 64, "source": "composites, 12 epochs"},
        versions={"python": "3.11", "keras": "3.15.1"},
        seed=0,
        commit="0123abc",
        command="thaw run demo --seed 0",
        distances={"unit": "px", "tolerance": 1.0, "spacing": ""},
    )


def written(blocks: Sequence[int]) -> str:
    """The written form of a run of blocks."""
    if len(blocks) == 9:
        return "all"
    return "none" if not blocks else str(blocks[0]) if len(blocks) == 1 else f"{blocks[0]}-{blocks[-1]}"


def trial_info(order: str, depth: int, epochs: int = 12, rate: float = 1e-3) -> TrialInfo:
    """`depth` blocks of one direction; depth 9 belongs to both, depth 0 is the zero-shot baseline."""
    blocks = tuple(range(1, depth + 1)) if order == "shallow-first" else tuple(range(10 - depth, 10))
    orders = tuple((name, 9) for name in ("shallow-first", "deep-first")) if depth == 9 else ((order, depth),)
    mask = written(blocks)
    return TrialInfo(
        candidate=Candidate(mask, epochs if depth else 0, rate),
        blocks=blocks,
        orders=orders if depth else (),
        aliases=tuple(name for name, one in {"contracting": "1-5", "expanding": "6-9"}.items() if one == mask),
        trainable_params=sum(BLOCK_PARAMS[block - 1] for block in blocks),
        role="trial" if depth else "zero-shot",
    )


def scratch_info(epochs: int = 12) -> TrialInfo:
    """All blocks from random weights."""
    base = trial_info("shallow-first", 9, epochs)
    return replace(base, candidate=replace(base.candidate, start="scratch"), role="scratch")


def fold_results(info: TrialInfo, level: float | None = None) -> list[FoldResult]:
    """Five folds with Dice about `level` (default: rises with depth, faster shallow-first). Seeded by the trial."""
    if level is None:
        order, depth = info.orders[0] if info.orders else ("", 0)
        level = 0.3 + (0.33 if order == "shallow-first" else 0.25) * (1 - 0.55**depth) - 0.05 * (info.role == "scratch")
    noise = np.random.default_rng(int(info.candidate.key, 16) % 2**32)
    epochs = info.candidate.epochs
    return [
        FoldResult(
            fold=fold,
            epochs=epochs,
            scores=tuple(
                _score(f"case {fold - 1}-{image}", image, level + 0.02 * noise.normal()) for image in range(PER_FOLD)
            ),
            losses=tuple(float(value) for value in 1 / (1 + np.arange(1, epochs + 1) / 3)),
            train_images=(FOLDS - 1) * PER_FOLD,
            seconds=1.0,
            traces=1,
            weights={"block1/conv1/kernel": np.full((3, 3), fold, np.float32)} if epochs else {},
        )
        for fold in range(1, FOLDS + 1)
    ]


def label_of(image: int) -> str:
    """The label of the image at this place in its fold."""
    return "malignant" if image % 3 == 0 else "benign"


def _score(name: str, image: int, dice: float) -> Score:
    label = label_of(image)
    if original_of(name) == "case 2-5":  # one image without a lesion
        return Score.of_counts(name, label, 0, 40, 0, PIXELS - 40)
    truth = 200 + 10 * image
    tp = round(dice * truth)
    wrong = truth - tp
    distances = 20 * (1 - dice), 0.9 * dice
    return Score.of_counts(name, label, tp, wrong, wrong, PIXELS - tp - 2 * wrong, *distances)


@cache
def montage_png() -> bytes:
    """A montage of six blobs."""
    rows, columns = np.mgrid[:64, :64]
    noise = np.random.default_rng(1).rayleigh(0.25, (6, 64, 64)).clip(0, 1)
    truths = np.stack([(rows - 30) ** 2 + (columns - 24 - 3 * k) ** 2 < 120 + 20 * k for k in range(6)])
    images, names = noise * np.where(truths, 0.4, 1), [f"case {k}" for k in range(6)]
    return montage(images, truths, np.roll(truths, 3, 1), names, [0.8, 0.7, 0.75, 0.9, 0.6, float("nan")])


def sweep_images(side: int = 64) -> Images:
    """All 30 cases of `sweep_info`: a dark blob in noise, its truth."""
    names = tuple(f"case {fold}-{image}" for fold in range(FOLDS) for image in range(PER_FOLD))
    rows, columns = np.mgrid[:side, :side]
    shift = np.arange(len(names))[:, None, None]
    away = (rows - side // 2) ** 2 + (columns - side // 3 - shift % 9) ** 2
    truths = (away < side + 8 * (shift % 7)).astype(np.uint8)
    noise = np.random.default_rng(3).rayleigh(70, truths.shape).clip(0, 255)
    labels = tuple("malignant" if place % PER_FOLD % 3 == 0 else "benign" for place in range(len(names)))
    return Images(names, labels, (noise * np.where(truths, 0.4, 1)).astype(np.uint8), truths)


def with_shown_images(record: SweepRecord) -> SweepRecord:
    """The record with images, predictions (the truth, a little to the right) and neurons, as the tracker reads it."""
    given = sweep_images()
    moved = {name: Predicted(np.roll(truth, 3, 1), 0.5) for name, truth in zip(given.names, given.truths, strict=True)}
    predictions = dict.fromkeys(shown_trials(record, Repeats()), moved)
    neurons = {name: dict.fromkeys((1, 2, 5, 9), montage_png()) for name in ("contracting", "expanding")}
    return replace(record, shown_images=ShownImages(given, predictions, neurons))


def trial_record(info: TrialInfo, status: str = "FINISHED", folds: int = FOLDS, reason: str = "") -> TrialRecord:
    """The trial as the tracker reads it back (`test_runs` holds the two together)."""
    results = fold_results(info)
    values = {
        metric: tuple(one.mean(metric) if one.fold <= folds else float("nan") for one in results) for metric in METRICS
    }
    done = status == "FINISHED"
    scores = tuple((one.fold, score) for one in results for score in one.scores) if done else ()
    shown = montage_png() if done and {"contracting", "expanding"} & set(info.aliases) else None
    seconds = sum(one.seconds for one in results) if done else float("nan")
    return TrialRecord(info, f"run {info.candidate.key}", status, reason, values, scores, shown, seconds)


def subset_record(
    masks: Sequence[tuple[int, ...]],
    level: Callable[[tuple[int, ...]], float],
    zero_shot: float = 0.3,
    noise: float = 0.02,
    settings: Sequence[tuple[int, float]] = ((12, 1e-3),),
    strategy: str = "random",
    seed: int = 0,
) -> SweepRecord:
    """A search over sets of blocks: each at every setting with a true Dice of `level`, noise per fold (SD `noise`) and
    per image (twice that).
    """

    def dice_of(candidate: Candidate, blocks: tuple[int, ...]) -> NDArray[np.float64]:
        draw = np.random.default_rng((int(candidate.key, 16), seed))
        errors = draw.normal(0, 1, (FOLDS, 1)) + draw.normal(0, 2, (FOLDS, PER_FOLD))
        return np.asarray((level(blocks) if blocks else zero_shot) + noise * errors)

    return record_of(dice_of, masks, settings, strategy)


def record_of(
    dice_of: Callable[[Candidate, tuple[int, ...]], NDArray[np.float64]],
    masks: Sequence[tuple[int, ...]],
    settings: Sequence[tuple[int, float]] = ((12, 1e-3),),
    strategy: str = "random",
) -> SweepRecord:
    """A search over sets of blocks with the Dice (folds, images) of each candidate, zero-shot among them."""
    info = replace(sweep_info(), spec={"search": {"space": "subsets", "strategy": strategy}})
    trials = []
    for blocks, (epochs, rate) in [*((one, two) for one in masks for two in settings), ((), (0, 1e-3))]:
        mask = Mask(blocks, 9)
        params = sum(BLOCK_PARAMS[block - 1] for block in blocks)
        candidate = Candidate(str(mask), epochs, rate)
        role: Role = "trial" if blocks else "zero-shot"
        trial = TrialInfo(candidate, blocks, orders_and_depths(mask), names(mask), params, role)
        dice = dice_of(candidate, blocks)
        scores = tuple(
            (fold, Score(case, "", 1, 1, 0, 1, float(dice[fold - 1, image]), 1.0, 0.5))
            for fold, cases in enumerate(info.folds, 1)
            for image, case in enumerate(cases)
        )
        means = tuple(float(value) for value in dice.mean(axis=1))
        folds = {**dict.fromkeys(METRICS, (0.5,) * FOLDS), "dice": means}
        run_id, seconds = f"run {candidate.key}", 2.0 + len(blocks)
        trials.append(TrialRecord(trial, run_id, "FINISHED", "", folds, scores, None, seconds))
    return SweepRecord(info, "run 1", "FINISHED", "2026-11-23T06:00:00+00:00", tuple(trials))


def with_seed(one: TrialRecord, seed: int) -> TrialRecord:
    """The same trial with another training seed, so with other scores."""
    return trial_record(replace(one.info, candidate=replace(one.info.candidate, seed=seed)))


def repeated(record: SweepRecord, seeds: Sequence[int] = (0, 1, 2)) -> SweepRecord:
    """The finished trials of a sweep, each once per seed, as the spec plans it; zero-shot stands once."""
    trials = [
        one if one.info.role == "zero-shot" else with_seed(one, seed)
        for one in record.finished
        for seed in (seeds if one.info.role != "zero-shot" else (0,))
    ]
    spec = {**record.info.spec, "search": {"seeds": list(seeds)}}
    return replace(record, info=replace(record.info, spec=spec), trials=tuple(trials))


def pretrained_again(record: SweepRecord, moved: Callable[[Candidate, int], float], count: int = 3) -> SweepRecord:
    """The sweep with `count` pre-trainings (`search.start_seeds`): with number k all folds of a trial are moved."""
    seeded = [trial for trial in record.trials if trial.info.seeded]
    again = [
        replace(
            trial,
            info=replace(trial.info, candidate=replace(trial.info.candidate, start_seed=number or None)),
            folds={
                **trial.folds,
                "dice": tuple(value + moved(trial.info.candidate, number) for value in trial.folds["dice"]),
            },
        )
        for number in range(count)
        for trial in seeded
    ]
    spec = {**record.info.spec, "search": {**record.info.spec.get("search", {}), "start_seeds": list(range(count))}}
    others = [trial for trial in record.trials if not trial.info.seeded]
    return replace(record, info=replace(record.info, spec=spec), trials=(*again, *others))


def leaky_record(info: TrialInfo, lift: float = 0.1, copies: int = 2, status: str = "FINISHED") -> TrialRecord:
    """The trial on the leaky split: every image and its `copies`, each in another fold, better by about `lift`."""
    candidate = replace(info.candidate, split="leaky")
    leaky = replace(info, candidate=candidate, role="leaky", orders=())
    level = 0.6 + lift
    noise = np.random.default_rng(int(candidate.key, 16) % 2**32)
    scores = []
    for fold, image, copy in product(range(FOLDS), range(PER_FOLD), range(copies + 1)):
        name = f"case {fold}-{image}{f'{COPY_MARK}{copy}' if copy else ''}"
        scores.append(((fold + copy) % FOLDS + 1, _score(name, image, level + 0.02 * noise.normal())))
    folds = {metric: _means_of_folds(scores, metric) for metric in METRICS}
    return TrialRecord(leaky, f"run {candidate.key}", status, "", folds, tuple(scores))


def _means_of_folds(scores: Sequence[tuple[int, Score]], metric: str) -> tuple[float, ...]:
    by_fold = [[getattr(score, metric) for at, score in scores if at == fold] for fold in range(1, FOLDS + 1)]
    return tuple(float(np.nanmean(values)) for values in by_fold)


def conv_record() -> SweepRecord:
    """Both directions of a network of 18 convolutions, whose masks count these."""
    filters = (1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1)
    params = [100 * count for count in filters]
    spec = {"partition": {"unit": "conv", "head": "last"}}
    named = {"contracting": "1-9", "expanding": "10-18"}
    info = replace(sweep_info("convolutions"), n_blocks=18, block_params=params, spec=spec, named_masks=named)
    directions = ("shallow-first", "deep-first")
    trials = []
    for mask in dict.fromkeys(at_depth(order, depth, 18) for depth in range(1, 19) for order in directions):
        orders = tuple((order, depth) for order, depth in orders_and_depths(mask) if order in directions)
        cost = sum(params[unit - 1] for unit in mask.blocks)
        trials.append(TrialInfo(Candidate(str(mask), 12, 1e-3), mask.blocks, orders, names(mask), cost))
    return SweepRecord(info, "run conv", "FINISHED", "2026-11-23T06:00:00+00:00", tuple(map(trial_record, trials)))


def record_trial(tracker: Tracker, sweep: str, info: TrialInfo, level: float | None = None) -> str:
    """Run one made-up trial through the tracker, as the launcher would."""
    results = fold_results(info, level)
    run_id = tracker.open_trial(sweep, info)
    for result in results:
        tracker.log_fold(run_id, result)
    named = {"contracting", "expanding"} & set(info.aliases)
    checkpoints = [(f"fold_{result.fold}.npz", bytes([result.fold])) for result in results]
    tracker.finish_trial(run_id, results, montage_png() if named else b"", checkpoints)
    return run_id


_SUMMARIES: dict[int, tuple[SweepRecord, SweepSummary]] = {}


def summary_of(record: SweepRecord) -> SweepSummary:
    """`summarise`, once per record: its answer takes most of a second. A record that is kept lends nobody its id."""
    if id(record) not in _SUMMARIES:
        _SUMMARIES[id(record)] = (record, summarise(record))
    return _SUMMARIES[id(record)][1]


def rendered(record: SweepRecord, form: str = "html") -> str:
    """The report of a record in one of the formats."""
    return render(summary_of(record), record, form)
