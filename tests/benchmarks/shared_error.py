"""How much error the folds of one cross-validation share, and whether the corrected t-test allows for it.

    .venv/bin/python -m tests.benchmarks.shared_error TABLE.npz [TABLE.npz ...] [--out FILE.json]
        [--same-images tests/benchmarks/phantoms_subsets.npz]

Reads tables of `disjoint_sets.py`: the same masks on sets that have no image in common. The question is asked of
contrasts, which is what thaw tests: a mask minus another one, and a mask after a longer training minus after a shorter.
Over the sets the mean of a contrast over K folds has a variance V; in one set its folds have a variance of S^2 on
average, and that is all that one sweep sees. A test that takes the variance of the mean for (1/K + c) S^2 is right with

    c = V / S^2 - 1/K.

Folds that err independently have c = 0; Nadeau and Bengio take c = n_test / n_train, 0.25 for five folds. Beside c
stands how often the corrected t-test of one set excludes the mean of the others (`found`): its rate of false positives,
whatever the distribution of the errors. The errors themselves, as SDs in the mean of a fold: what its `image`s add,
what its networks err beyond that (`fold`), and what all folds of a set share (`shared`). `seed`, `split`: the parts of
V that averaging over many seeds of the training, or many splits, would take away. Intervals (95 %) are jackknives over
sets.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.disjoint_sets import NONE, SCALE
from tracking.statistics import corrected_t, critical

Values = NDArray[np.float64]
SEED, SPLIT = 1, 2  # positions in `disjoint_sets.VARIANTS` of what differs from the first


@dataclass(frozen=True)
class Contrasts:
    """Some contrasts of one kind. `images` (contrasts, cross-validations, images), NaN where there is none; `fold`
    (cross-validations, images), -1 there; `part`, `variant` (cross-validations,).
    """

    name: str
    images: Values
    fold: NDArray[np.int8]
    part: NDArray[np.int16]
    variant: NDArray[np.int8]

    @property
    def folds(self) -> Values:
        """(contrasts, sets, folds): means of the first variant."""
        return self.fold_means(0)

    def fold_means(self, variant: int) -> Values:
        """(contrasts, sets, folds) of one variant, sets rising; those that have it."""
        chosen = self.variant == variant
        return np.array([[[of_fold.mean() for of_fold in row] for row in rows] for rows in self._by_fold(chosen)])

    def image_variance(self) -> float:
        """What the images of a fold add to the variance of its mean: that of the images about it, over their number;
        first variant, mean over contrasts, sets and folds.
        """
        rows = [row for rows in self._by_fold(self.variant == 0) for row in rows]
        return float(np.mean([of_fold.var(ddof=1) / of_fold.size for row in rows for of_fold in row]))

    def _by_fold(self, chosen: NDArray[np.bool_]) -> list[list[list[Values]]]:
        """contrast -> cross-validation, by its set -> fold -> its images."""
        order = np.flatnonzero(chosen)[np.argsort(self.part[chosen], kind="stable")]
        numbers = range(int(self.fold.max()) + 1)
        return [[[row[index][self.fold[index] == fold] for fold in numbers] for index in order] for row in self.images]


@dataclass(frozen=True)
class SharedError:
    """What was measured of some contrasts. `c` with its interval `low`..`high`; `fold_sd`, `mean_sd`: S and the root of
    V; `rate`: false positives of the corrected t-test; `image`, `fold`, `shared`: SDs of the three errors; `seed`,
    `split`: parts of V, NaN where nothing was repeated.
    """

    name: str
    contrasts: int
    sets: int
    fold_sd: float
    mean_sd: float
    c: float
    low: float
    high: float
    rate: float
    image: float
    fold: float
    shared: float
    seed: float
    split: float


def extra(folds: Values) -> float:
    """c of (contrasts, sets, folds), each of which counts by its variance."""
    return float(folds.mean(axis=2).var(axis=1, ddof=1).sum() / _within(folds).sum() - 1 / folds.shape[2])


def _within(folds: Values) -> Values:
    """S^2 of each contrast."""
    return np.asarray(folds.var(axis=2, ddof=1).mean(axis=1))


def jackknife(statistic: Callable[[Values], float], folds: Values) -> tuple[float, float]:
    """The 95 % interval of a positive statistic of (contrasts, sets, folds), leaving out one set at a time, on a
    logarithmic scale (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11).
    """
    sets = folds.shape[1]
    logs = np.log([statistic(np.delete(folds, one, axis=1)) for one in range(sets)])
    margin = critical(sets - 1) * math.sqrt((sets - 1) / sets * ((logs - logs.mean()) ** 2).sum())
    middle = math.log(statistic(folds))
    return math.exp(middle - margin), math.exp(middle + margin)


def false_positives(folds: Values) -> float:
    """How often the corrected t-test of a set excludes the mean of the other sets; (contrasts, sets, folds).

    A set's mean lies further from that of the D - 1 others than from the truth, by sqrt(D / (D - 1)): it is shrunk.
    """
    count, sets, size = folds.shape
    means, found = folds.mean(axis=2), []
    for contrast in range(count):
        for one in range(sets):
            mean = means[contrast, one]
            apart = (mean - np.delete(means[contrast], one).mean()) * math.sqrt((sets - 1) / sets)
            found.append(corrected_t(list(folds[contrast, one] - mean + apart), [size - 1] * size, [1] * size).p < 0.05)
    return float(np.mean(found))


def measure(contrasts: Contrasts) -> SharedError:
    """All of it for some contrasts."""
    folds = contrasts.folds
    count, sets, size = folds.shape
    within, c = float(_within(folds).mean()), extra(folds)
    low, high = jackknife(lambda part: extra(part) + 1 / size, folds)
    between = within * (c + 1 / size)
    return SharedError(
        name=contrasts.name,
        contrasts=count,
        sets=sets,
        fold_sd=math.sqrt(within),
        mean_sd=math.sqrt(between),
        c=c,
        low=low - 1 / size,
        high=high - 1 / size,
        rate=false_positives(folds),
        image=math.sqrt(contrasts.image_variance()),
        fold=math.sqrt(max(0.0, within - contrasts.image_variance())),
        shared=math.sqrt(max(0.0, between - within / size)),
        seed=_repeated(contrasts, SEED, between),
        split=_repeated(contrasts, SPLIT, between),
    )


def _repeated(contrasts: Contrasts, variant: int, between: float) -> float:
    """The part of `between` that differs from one variant to the other on the same sets."""
    if not (contrasts.variant == variant).any():
        return math.nan
    again = contrasts.fold_means(variant).mean(axis=2)
    first = contrasts.folds.mean(axis=2)[:, : again.shape[1]]  # the first sets are those that were repeated
    return float(((again - first) ** 2).mean() / 2 / between)


def read(path: Path) -> tuple[str, list[Contrasts]]:
    """A table's title, and its contrasts: the co-primary one, all pairs of masks, what a longer training changes."""
    table = np.load(path)
    meta = json.loads(str(table["meta"]))
    dice = np.where(table["dice"] == NONE, np.nan, table["dice"] / SCALE).transpose(1, 2, 0, 3)  # masks, budgets, ...
    others = table["fold"], table["part"], table["variant"]
    model, masks, last = meta["settings"]["model"], meta["masks"], len(meta["budgets"]) - 1
    kind = "phantoms, SYNTHETIC DATA" if meta["synthetic"] else "real images"
    images = round(float((others[0] >= 0).sum(axis=1).mean()))
    title = (
        f"{path.name}: {kind}, {len(set(others[1].tolist()))} sets of about {images} images, "
        f"{model['size']}x{model['size']}, {model['filters']} filters, {meta['budgets'][last]} epochs"
    )
    pairs = list(combinations(range(len(masks)), 2))
    found = [
        Contrasts(f"{masks[0]} - {masks[1]}", dice[0, last][None] - dice[1, last], *others),
        Contrasts("all pairs of masks", np.array([dice[one, last] - dice[two, last] for one, two in pairs]), *others),
    ]
    if last:
        found.append(Contrasts("longer - shorter training", dice[:, last] - dice[:, last - 1], *others))
    return title, found


def same_images(path: Path, pairs: int = 5000) -> str:
    """What a table of `subset_table.py` says: every set of blocks on the same images, each seed with a split of its
    own. How far the mean of a difference moves from seed to seed, beside what independent folds would move it.
    """
    table = np.load(path)
    dice, fold = table["dice"][:, 1:, -1].astype(float) / SCALE, table["fold"]  # seeds, sets of blocks, images
    numbers = range(int(fold.max()) + 1)
    means = [
        [of_seed[:, own == number].mean(axis=1) for number in numbers] for of_seed, own in zip(dice, fold, strict=True)
    ]
    one, two = np.random.default_rng(0).choice(dice.shape[1], (2, pairs))
    folds = (np.array(means)[:, :, one] - np.array(means)[:, :, two]).transpose(2, 0, 1)  # pairs, seeds, folds
    again = float(folds.mean(axis=2).var(axis=1, ddof=1).mean())
    alone = float(_within(folds).mean()) / len(numbers)
    return (
        f"{path.name}: {dice.shape[1]} masks on the same images, {len(dice)} times with another split and seed: the "
        f"mean of a difference moves by {math.sqrt(again):.4f} (SD), folds that shared nothing would move it by "
        f"{math.sqrt(alone):.4f}; {again / alone:.2f} of that variance"
    )


HEADS = ("fold SD", "SD of mean", "c", "95 %", "found", "image", "fold", "shared", "seed", "split")


def line(one: SharedError) -> str:
    """A row of the printed table."""
    cells = [f"{one.fold_sd:.4f}", f"{one.mean_sd:.4f}", f"{one.c:+.2f}", f"{one.low:+.2f} to {one.high:+.2f}"]
    cells += [f"{100 * one.rate:.1f} %", *(f"{value:.4f}" for value in (one.image, one.fold, one.shared))]
    cells += ["-" if math.isnan(value) else f"{100 * value:.0f} %" for value in (one.seed, one.split)]
    return _row(f"{one.name} ({one.contrasts})", cells)


def _row(first: str, cells: Sequence[str]) -> str:
    return f"{first:30}" + "".join(f"{cell:>16}" if index == 3 else f"{cell:>11}" for index, cell in enumerate(cells))


def main(arguments: Sequence[str]) -> None:
    """Print what each table says, and keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--same-images", type=Path, help="a table of subset_table.py")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    kept = {}
    for path in given.tables:
        title, contrasts = read(path)
        measured = [measure(one) for one in contrasts]
        print(f"\n{title}\n{_row('', HEADS)}")
        for one in measured:
            print(line(one))
        kept[title] = [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(one).items()}
            for one in measured
        ]
    if given.same_images:
        print(f"\n{same_images(given.same_images)}")
    if given.out:
        text = json.dumps(kept, indent=2).replace("NaN", "null")
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
