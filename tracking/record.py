"""What a sweep is and what became of it: the frozen data that goes into MLflow and comes back out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tracking.image_archive import Images
from tracking.image_scores import FoldScore, dice_by_image
from tracking.statistics import spread
from trainer.candidate import PRETRAINED, RANDOM_STARTS, Candidate
from trainer.results import DISTANCES

COUNTED = ("dice", "pixel_error", "ari")  # follow from the pixel counts: every trial has them
METRICS = (*COUNTED, *DISTANCES)  # a trial recorded before distances were has none of them: NaN
# Strategies that list every candidate beforehand (`sweeps.spec.strategy_names`).
LISTS = ("grid", "exhaustive", "factorial")
Role = Literal["trial", "zero-shot", "scratch", "leaky", "subset", "referee"]


@dataclass(frozen=True)
class SweepInfo:
    """A sweep before any of its trials ran. Everything can be written as JSON: the artifact `info.json` holds it.

    `digest` identifies what is measured (data, folds, starting weights, settings); `spec` is the whole resolved spec
    and may grow under the same digest. `data` holds at least `synthetic`, `source`, `layout`, `images`, `groups`,
    `duplicates`, `empty_masks`, `notes` (what was left out), `digest` and `classes` (label -> images). `folds` lists
    the case names of every fold, `block_params` the parameters of blocks 1..n, `named_masks` name -> written mask,
    `planned` candidate key -> name of every trial that is meant to run (empty when the engine decides as it goes).
    `outside`: keys of the baselines that a search measures though they lie outside its space: no winner is one of them.
    `labels` are those of the cases in `folds`, in the same shape: "" where a case has none, an empty list in a sweep
    recorded before they were.
    `spec["partition"]` says what the numbers of a mask count; `always_params` train whatever the mask (a head).
    `distances`: their `unit` ("mm" or "px", pixels of the working size), the `tolerance` of the surface Dice in it, and
    the digest of the images' `spacing` ("" where it is not known); empty in a sweep recorded before distances were.
    `external`: name -> an external test set, a table like `data` with `names`, `labels` and `group_of` of its images
    too. `versions` of the libraries and the kind of machine; `arithmetic`: what else its numbers follow from (`thaw`:
    the version of its arithmetic, `precision`, `device`), empty in a sweep recorded before that was. `starts`:
    `Candidate.origin` -> a table like `weights` of all further weights that trials start from, fresh ones left out.
    """

    name: str
    digest: str
    spec: Mapping[str, Any]
    data: Mapping[str, Any]
    folds: list[list[str]]
    n_blocks: int
    block_params: list[int]
    named_masks: Mapping[str, str]
    weights: Mapping[str, Any]
    versions: Mapping[str, str]
    seed: int
    commit: str
    command: str
    planned: Mapping[str, str] = field(default_factory=dict)
    always_params: int = 0
    outside: list[str] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)
    distances: Mapping[str, Any] = field(default_factory=dict)
    arithmetic: Mapping[str, str] = field(default_factory=dict)
    external: Mapping[str, Any] = field(default_factory=dict)
    starts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def base(self, candidate: Candidate) -> str | None:
        """The digest of the weights that a candidate started from; None for fresh ones, which are drawn again."""
        if candidate.start in RANDOM_STARTS:
            return None
        return str((self.weights if candidate.origin == PRETRAINED else self.starts[candidate.origin])["digest"])

    @property
    def searched(self) -> bool:
        """Whether its candidates were chosen as it went on, rather than listed beforehand."""
        search = self.spec.get("search") or {}
        return search.get("engine") == "keras-tuner" or search.get("strategy", LISTS[0]) not in LISTS

    @property
    def outer(self) -> int:
        """The parts of the nested cross-validation around the sweep; 0 for none."""
        parts, images = self.spec.get("outer", 0), sum(map(len, self.folds))
        return parts if type(parts) is int and 1 < parts <= images else 0

    @property
    def held_out_of(self) -> str:
        """The name of the sweep that this one holds an outer part out of; "" for any other."""
        held_out = self.spec.get("held_out")
        return str(held_out.get("of", "")) if isinstance(held_out, Mapping) else ""

    @property
    def fold_sizes(self) -> tuple[tuple[int, int], ...]:
        """(n_train, n_test) of every fold in original images, augmented copies not counted."""
        total = sum(len(fold) for fold in self.folds)
        return tuple((total - len(fold), len(fold)) for fold in self.folds)


@dataclass(frozen=True)
class TrialInfo:
    """One candidate and what its mask means on this network.

    `blocks`: the trainable blocks, counted from 1. `orders`: every (order name, depth) that this mask is, so `all` has
    two. `aliases`: other names, such as `contracting`. `role`: a trial, one of the two baselines of its own, or a
    trial that decides nothing: its folds were cut after augmentation, or it trains on a part of the images (`subset`);
    `referee`: somebody else's predictions.
    """

    candidate: Candidate
    blocks: tuple[int, ...]
    orders: tuple[tuple[str, int], ...]
    aliases: tuple[str, ...]
    trainable_params: int
    role: Role = "trial"

    @property
    def seeded(self) -> bool:
        """Whether a training seed has a say in it: not without a training, nor in somebody else's."""
        return self.role not in ("zero-shot", "referee")

    def depth_in(self, order: str) -> int | None:
        """How many blocks of `order` this mask thaws, or None when it is no prefix of that order."""
        return dict(self.orders).get(order)


@dataclass(frozen=True)
class TrialState:
    """What a launcher needs to know of a trial: its run, the status word, the mean Dice once it has one.

    `status` is MLflow's, or DROPPED: stopped after some folds as clearly worse, with an `estimate` of its Dice.
    `folds` that were recorded, and the `seconds` that training them took (0 where not known). `attempt`: the number of
    the attempt that made its run; -1 for a sweep on one machine.
    """

    run_id: str
    status: str
    dice: float | None
    candidate: Candidate
    trainable_params: int = 0
    estimate: float | None = None
    folds: int = 0
    seconds: float = 0.0
    attempt: int = -1

    @property
    def score(self) -> float | None:
        """The Dice of a finished trial, the estimate of a dropped one."""
        return self.dice if self.status == "FINISHED" else self.estimate

    @property
    def cut_off(self) -> bool:
        """Whether it was begun and not ended: it runs now, or was lost with its worker."""
        return self.status not in ("FINISHED", "FAILED", "DROPPED")


@dataclass(frozen=True)
class TrialRecord:
    """One trial read back. `folds[metric]` has one value per fold of the sweep, in order; NaN where none was logged.

    `scores` pairs every out-of-fold image's score with its fold; read from a store it is made when it is asked for, so
    `dice_by_image` is faster for the Dice alone. `montage`: a PNG, which `tracking.report.shown_images` reads for
    the masks that a report shows only. `reason`: why a trial failed or was dropped between folds (its status is then
    DROPPED, and it has no `scores`). `seconds` of training, all folds (NaN: not recorded). `processors`: the kind that
    trained each fold, in order, "" where that is not known; empty for a trial recorded before that was. `external`:
    test set -> counts int64 (networks, 4, images): TP, FP, FN and TN in pixels of each fold's network on each image.
    `train_images`: how many originals each fold trained on, where that is a part of all; else empty.
    """

    info: TrialInfo
    run_id: str
    status: str
    reason: str
    folds: Mapping[str, tuple[float, ...]]
    scores: Sequence[FoldScore] = ()
    montage: bytes | None = None
    seconds: float = math.nan
    processors: tuple[str, ...] = ()
    external: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    train_images: tuple[float, ...] = ()

    @property
    def mean_dice(self) -> float:
        """Mean Dice over the folds that have one; NaN if none has."""
        return spread(self.folds["dice"]).mean

    @property
    def folds_done(self) -> int:
        """Folds with any value: a fold without a single lesion has a pixel error but no Dice."""
        return sum(not math.isnan(value) for value in self.folds["pixel_error"])

    @property
    def dice_by_image(self) -> dict[str, float]:
        """image -> out-of-fold Dice, in the order of `scores`; NaN where the truth is empty."""
        return dice_by_image(self.scores)


@dataclass(frozen=True)
class Predicted:
    """A trial's predicted `mask` of one image, uint8 (H, W) in {0, 1}, and the `dice` of just that mask."""

    mask: NDArray[np.uint8]
    dice: float


@dataclass(frozen=True)
class ShownImages:
    """What a report shows besides numbers; `tracking.report.shown_images` reads it.

    `images`: those of the sweep. `predictions`: of the trials `zero-shot`, `expanding`, `contracting`, by image;
    `neurons`: of the same trials, block -> PNG of one neuron before and after. `notes`: what is missing, and why.
    `pretraining`: a few of the images pre-trained on.
    """

    images: Images | None = None
    predictions: Mapping[str, Mapping[str, Predicted]] = field(default_factory=dict)
    neurons: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pretraining: Images | None = None


@dataclass(frozen=True)
class Refit:
    """The `candidate` that the sweep of an outer part chose, trained once more on all its images, once per seed.

    `external`: what these networks score on the part that is held out, as in a trial.
    """

    candidate: Candidate
    external: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class SweepRecord:
    """A sweep read back from MLflow, all that a report is made of. `started` is in ISO 8601, UTC.

    `outer`: of a nested cross-validation the sweep of each outer part, None where it was not begun; `refit`: of the
    sweep of such a part, once it has ended.
    """

    info: SweepInfo
    run_id: str
    status: str
    started: str
    trials: tuple[TrialRecord, ...]
    shown_images: ShownImages = field(default_factory=ShownImages)
    outer: tuple[SweepRecord | None, ...] = ()
    refit: Refit | None = None

    @property
    def finished(self) -> tuple[TrialRecord, ...]:
        """The trials that can be compared: every fold scored."""
        return tuple(trial for trial in self.trials if trial.status == "FINISHED")
