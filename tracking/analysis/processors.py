"""Which processors trained a sweep, and whether mixing them shows: each kind rounds in its own way.

The question is asked of the data at hand. Trainings of one mask at one setting are a group; a fold of it has a Dice and
a kind of processor. A linear model takes out what the group and the fold explain; what is left tells the kinds apart,
but only in groups that ran on several. Ordinary least squares with fixed effects: the within estimator (Wooldridge,
Econometric Analysis of Cross Section and Panel Data, chapter 10).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.formatting import counted
from tracking.record import SweepRecord, TrialRecord
from tracking.statistics import critical

ROUNDS = 100  # of taking out means in turn; where every group has every fold once, the first is exact
Array = NDArray[np.float64]


@dataclass(frozen=True)
class KindOfProcessor:
    """One kind: its `name`, the number of `folds` that were trained on it, and how far their Dice lies above that of
    folds on the commonest kind, in masks that ran on both: `offset` with its 95 % interval `low`..`high`, NaN where
    that cannot be told and for the commonest itself.
    """

    name: str
    folds: int
    offset: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Processors:
    """What trained the folds of a sweep. `kinds`, the commonest first; `unknown`: folds recorded before that was;
    `masks`: how many ran on several kinds, and so can tell; `sentence` says all of it.
    """

    kinds: tuple[KindOfProcessor, ...]
    unknown: int
    masks: int
    sentence: str

    @property
    def mixed(self) -> bool:
        """Whether there are several kinds."""
        return len(self.kinds) > 1


@dataclass(frozen=True)
class _Fold:
    """One fold of one training: what it is compared with (`group`), its number from 1, kind and Dice."""

    group: tuple[object, ...]
    fold: int
    kind: str
    dice: float


def processors(record: SweepRecord) -> Processors | None:
    """Which processors trained the finished trials; None where the record does not say of any."""
    folds = [fold for trial in _longest(record.finished) for fold in _folds(trial)]
    counts = Counter(fold.kind for fold in folds if fold.kind)
    if not counts:
        return None
    names = sorted(counts, key=lambda name: (-counts[name], name))
    compared = _informative([fold for fold in folds if fold.kind and not math.isnan(fold.dice)])
    offsets = _offsets(compared, names)
    kinds = tuple(KindOfProcessor(name, counts[name], *offsets.get(name, ())) for name in names)
    masks = len({fold.group for fold in compared})
    unknown = sum(not fold.kind for fold in folds)
    return Processors(kinds, unknown, masks, _sentence(kinds, unknown, masks))


def _longest(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """One trial of each training, that of the most epochs: it passed through the smaller counts on its way."""
    longest: dict[str, TrialRecord] = {}
    for trial in trials:
        candidate = trial.info.candidate
        known = longest.get(candidate.training)
        if candidate.epochs and (known is None or known.info.candidate.epochs < candidate.epochs):
            longest[candidate.training] = trial
    return list(longest.values())


def _folds(trial: TrialRecord) -> Iterable[_Fold]:
    candidate, dice = trial.info.candidate, trial.folds["dice"]
    names = trial.processors or ("",) * len(dice)
    group = (candidate.recipe, candidate.split, candidate.epochs)
    for number, (name, value) in enumerate(zip(names, dice, strict=False), 1):
        yield _Fold(group, number, name, value)


def _informative(folds: Sequence[_Fold]) -> list[_Fold]:
    """The folds of groups that ran on several kinds: the others tell nothing."""
    kinds: dict[tuple[object, ...], set[str]] = {}
    for fold in folds:
        kinds.setdefault(fold.group, set()).add(fold.kind)
    return [fold for fold in folds if len(kinds[fold.group]) > 1]


def _offsets(folds: Sequence[_Fold], names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """name -> offset from the first of `names`, with its interval (Bonferroni over the kinds), where it can be told."""
    groups, numbers = _codes([fold.group for fold in folds]), _codes([fold.fold for fold in folds])
    columns = [[float(fold.kind == name) for fold in folds] for name in names[1:]]
    dice, kinds = np.array([fold.dice for fold in folds]), np.array(columns).reshape(len(names) - 1, len(folds))
    if not folds:
        return {}
    left = _without_means(np.vstack([dice, kinds]), groups, numbers)
    y, x = left[0], left[1:]
    gram = x @ x.T
    inverse = np.linalg.pinv(gram, rcond=1e-9, hermitian=True)
    told = np.abs(inverse @ gram - np.eye(len(gram))).max(axis=1) < 1e-6
    df = len(folds) - int(groups.max()) - 1 - int(numbers.max()) - int(np.linalg.matrix_rank(gram, tol=1e-6))
    if df < 1:
        return {}
    offset = inverse @ x @ y
    variance = float(((y - offset @ x) ** 2).sum()) / df
    margin = critical(df, comparisons=max(1, int(told.sum()))) * np.sqrt(variance * np.diag(inverse))
    rows = zip(names[1:], offset, margin, told, strict=True)
    return {name: (float(mid), float(mid - one), float(mid + one)) for name, mid, one, known in rows if known}


def _codes(values: Sequence[object]) -> NDArray[np.int64]:
    """Each value as its number in the order of appearance."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


def _without_means(rows: Array, groups: NDArray[np.int64], numbers: NDArray[np.int64]) -> Array:
    """Rows (k, n) without what the means of groups and of folds explain: taken out in turn until nothing is left."""
    for _ in range(ROUNDS):
        before = rows
        for codes in (groups, numbers):
            sizes = np.bincount(codes)
            rows = np.array([row - (np.bincount(codes, row) / sizes)[codes] for row in rows])
        if np.abs(rows - before).max() < 1e-12:
            break
    return rows


def _sentence(kinds: Sequence[KindOfProcessor], unknown: int, masks: int) -> str:
    rest = f" Of {counted(unknown, 'fold')} the processor is not recorded." if unknown else ""
    if len(kinds) == 1:
        return f"{counted(kinds[0].folds, 'fold')} were trained on one kind of processor: {kinds[0].name}.{rest}"
    listed = "; ".join(f"{kind.name} ({counted(kind.folds, 'fold')})" for kind in kinds)
    mixed = f"The folds were trained on {len(kinds)} kinds of processors, which round differently: {listed}.{rest}"
    told = [kind for kind in kinds if not math.isnan(kind.offset)]
    if not told:
        return (
            f"{mixed} Too few folds of one mask ran on several of them to tell whether that shows: a difference "
            "between two masks may hold a difference between processors."
        )
    lines = ", ".join(
        f"{abs(kind.offset):.4f} {'lower' if kind.offset < 0 else 'higher'} on {kind.name} (95 % {kind.low:+.4f} to "
        f"{kind.high:+.4f})"
        for kind in told
    )
    verdict = (
        "a difference shows, so read differences between masks with that in mind, or train all on one kind"
        if any(kind.shows for kind in told)
        else "no difference shown"
    )
    untold = len(kinds) - 1 - len(told)
    beyond = f" Of {counted(untold, 'kind')} it cannot be told." if untold else ""
    return (
        f"{mixed} Compared with {kinds[0].name} in {counted(masks, 'mask')} that ran on several, the Dice of a fold is "
        f"{lines}: {verdict}.{beyond}"
    )
