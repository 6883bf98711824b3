"""One candidate, scored by cross-validation: the folds made ready once, then fold by fold, results streaming out."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.candidate import Candidate, Split
from trainer.config import Settings
from trainer.data.augmentation import augmented, copies_of
from trainer.data.cases import Cases
from trainer.data.labelled_subsets import subset
from trainer.results import COPY_MARK, FoldResult, Reached, Score
from trainer.training.distances import unit_of, with_distances
from trainer.training.external_sets import ExternalSet
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Entry, Ledger
from trainer.training.training_key import training_key

MONTAGE_PER_FOLD = 2
KEPT_FOLDS = 2  # sets of folds in memory: a mask's candidates follow each other, seed by seed
LEAKY_STREAM = 1  # keeps the draw of leaky folds apart from any other draw from the same seed

FoldsOf = Callable[[Candidate], Sequence[FoldData]]
KeptElsewhere = Callable[[int], Iterable[bytes]]  # a fold, from 1 -> what others kept of it: files of a ledger


def nothing_elsewhere(fold: int) -> Iterable[bytes]:
    """This ledger is the only one."""
    return ()


@dataclass(frozen=True)
class CrossValidation:
    """What all candidates of a sweep share: the trainer, the folds, the ledger, and the digests behind the keys.

    `folds` gives a candidate's folds (`fold_maker`); `starts` maps a `Candidate.origin` to the digest of its weights;
    `budgets` are all epoch counts; `external` the test sets that every fold's network is scored on.
    """

    trainer: Trainer
    settings: Settings
    folds: FoldsOf
    ledger: Ledger
    data_digest: str
    starts: Mapping[str, str]
    budgets: Sequence[int]
    external: Sequence[ExternalSet] = ()

    def __call__(
        self,
        candidate: Candidate,
        elsewhere: KeptElsewhere = nothing_elsewhere,
        reached: Callable[[Reached], object] = lambda reached: None,
    ) -> Iterator[FoldResult]:
        """Yield every fold's result at every budget up to the candidate's epochs, training only what is not known.

        Before a fold is trained, what `elsewhere` has of it is taken into the ledger. At the candidate's own epochs the
        scores have their distances, which the ledger does not keep, and those of the external sets. `reached` is told
        how far the training is whenever that is kept (`Trainer.fold_results`).
        """
        for fold in self.folds(candidate):
            entry = self.ledger.entry(self.key(candidate, fold))
            for content in () if entry.has(candidate.epochs) else elsewhere(fold.number):
                entry.take(content, fold.number, fold.names)
            for result in self.trainer.fold_results(candidate, fold, self.budgets, entry, reached):
                last = result.epochs == candidate.epochs
                yield (
                    self._with_external(candidate, self._with_distances(result, fold), fold, entry) if last else result
                )

    def train_again(self, candidate: Candidate, fold: FoldData) -> FoldResult:
        """A fold with its weights, where the ledger has lost them; the ledger stays as it is. Raises `TrialFailed`."""
        with tempfile.TemporaryDirectory() as folder:
            entry = Ledger(Path(folder)).entry(self.key(candidate, fold))
            (result,) = self.trainer.fold_results(candidate, fold, (), entry)
        return self._with_distances(result, fold)

    def _with_distances(self, result: FoldResult, fold: FoldData) -> FoldResult:
        tolerance = self.settings.score.tolerance_in(unit_of(fold.test_spacing))
        return with_distances(result, fold.test_y, tolerance, fold.test_spacing)

    def _with_external(self, candidate: Candidate, result: FoldResult, fold: FoldData, entry: Entry) -> FoldResult:
        """With the scores on the external sets. Where the weights are lost and a score is not known, they are trained
        once more.
        """

        def compute(cases: Cases) -> tuple[Score, ...]:
            weights = self.train_again(candidate, fold).weights if result.weights_lost else result.weights
            return self.trainer.score_external(candidate, weights, cases)

        scores = {one.name: one.scores(entry, result.epochs, compute) for one in self.external}
        return replace(result, external=scores)

    def kept(self, candidate: Candidate, result: FoldResult) -> bytes | None:
        """The file that the ledger keeps of a candidate's result; None where it is gone."""
        fold = self.folds(candidate)[result.fold - 1]
        return self.ledger.entry(self.key(candidate, fold)).content(result.epochs)

    def key(self, candidate: Candidate, fold: FoldData) -> str:
        """The ledger's key of one fold of a candidate, at any epoch count (`training_key`)."""
        start = self.starts[candidate.origin]
        return training_key(self.settings, candidate, fold.number, fold.names, self.data_digest, start, fold.trained)


def fold_maker(cases: Cases, fold_of: NDArray[np.int64], settings: Settings) -> FoldsOf:
    """Make the folds that a candidate asks for by its seed, split and number of images; those of the last ones asked
    for are kept.
    """

    @lru_cache(maxsize=KEPT_FOLDS)
    def made(seed: int, split: Split, images: int) -> Sequence[FoldData]:
        if split == "leaky":
            return leaky_fold_data(cases, settings, seed)
        if images:
            return subset_fold_data(cases, fold_of, settings, seed, images)
        return fold_data(cases, fold_of, settings, seed)

    return lambda candidate: made(candidate.seed, candidate.split, candidate.images)


def fold_data(
    cases: Cases, fold_of: NDArray[np.int64], settings: Settings, seed: int | None = None
) -> tuple[FoldData, ...]:
    """Cut the cases into folds and augment each training part; originals are split first (protocol.md).

    `fold_of` (n,): the fold, from 0, in which each case validates; `seed` draws the copies, by default the settings'.
    """
    seed = settings.seed if seed is None else seed
    folds = []
    for number in range(settings.folds):
        train, test = np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)
        x, y = augmented(cases.images, cases.masks, cases.names, train, settings.augmentation, seed)
        scored = np.asarray(cases.images[test]), np.asarray(cases.masks[test])
        folds.append(_fold(number, (x, y), len(train), scored, [cases.names[i] for i in test], cases, test))
    return tuple(folds)


def subset_fold_data(
    cases: Cases, fold_of: NDArray[np.int64], settings: Settings, seed: int, images: int
) -> tuple[FoldData, ...]:
    """The same folds as if `images` were labelled: each scores all of its images and trains on a part of the others
    (`trainer.data.labelled_subsets`).

    A training part is filled up to as many images as that of the whole set has, so that an epoch has as many steps and
    only the data differ: by augmented copies, as the rule "`augmentation.total` images in all" does with a smaller set,
    and where nothing is augmented by the originals again.
    """
    folds = []
    for number in range(settings.folds):
        train, test = np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)
        part = subset(cases, train, images, number, seed)
        names = [cases.names[case] for case in part]
        rows = len(train) + len(copies_of(cases.names, train, settings.augmentation.total, len(cases), seed))
        x, y = cases.images[part], cases.masks[part]
        if settings.augmentation.total:
            filled = replace(settings.augmentation, total=rows)
            x, y = augmented(x, y, names, np.arange(len(part)), filled, seed)
        again = np.resize(np.arange(len(x)), rows)
        scored = np.asarray(cases.images[test]), np.asarray(cases.masks[test])
        fold = _fold(number, (x[again], y[again]), len(part), scored, [cases.names[i] for i in test], cases, test)
        folds.append(replace(fold, trained=tuple(names)))
    return tuple(folds)


def leaky_fold_data(cases: Cases, settings: Settings, seed: int) -> tuple[FoldData, ...]:
    """What protocol.md warns of: augment all cases first, then cut everything at random, copies and near-duplicates
    apart from their originals. Copies are scored too; they are called `name//1`, `name//2`, ...
    """
    everything = np.arange(len(cases))
    x, y = augmented(cases.images, cases.masks, cases.names, everything, settings.augmentation, seed)
    copies = copies_of(cases.names, everything, settings.augmentation.total, len(cases), seed)
    origin = np.array([*everything, *(case for case, _ in copies)])
    names = [*cases.names, *(f"{cases.names[case]}{COPY_MARK}{copy + 1}" for case, copy in copies)]
    fold_of = np.random.default_rng([settings.seed, LEAKY_STREAM]).permutation(len(x)) % settings.folds
    folds = []
    for number in range(settings.folds):
        train, test = np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)
        distinct = len(np.unique(origin[train]))
        training, scored = (x[train], y[train]), (x[test], y[test])
        folds.append(_fold(number, training, distinct, scored, [names[i] for i in test], cases, origin[test]))
    return tuple(folds)


def _fold(
    number: int,
    training: tuple[NDArray[np.float32], NDArray[np.uint8]],
    originals: int,
    scored: tuple[NDArray[np.float32], NDArray[np.uint8]],
    names: Sequence[str],
    cases: Cases,
    origin: NDArray[np.int64],
) -> FoldData:
    """`names` of the scored images; `origin`: the case that each of them is, or is a copy of."""
    labels, spacing = tuple(cases.labels[case] for case in origin), cases.known_spacing
    return FoldData(
        *(number + 1, *training, originals, *scored, tuple(names), labels, _montage(tuple(names))),
        test_spacing=None if spacing is None else spacing[origin],
    )


def _montage(names: tuple[str, ...]) -> tuple[int, ...]:
    """The fold's share of the fixed montage images: chosen by the hash of their names, so no score has a say."""
    by_hash = sorted(range(len(names)), key=lambda i: hashlib.sha256(names[i].encode()).hexdigest())
    return tuple(sorted(by_hash[:MONTAGE_PER_FOLD]))
