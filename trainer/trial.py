"""One candidate, scored by cross-validation: the folds made ready once, then fold by fold, results streaming out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.augment import augmented
from trainer.config import Candidate, Settings, digest
from trainer.data import Cases
from trainer.fit import FoldData, Trainer
from trainer.ledger import Ledger
from trainer.results import FoldResult
from trainer.revision import revision, versions

MONTAGE_PER_FOLD = 2
WHAT_NUMBERS_DEPEND_ON = tuple(
    f"trainer.{name}" for name in ("augment", "blocks", "fit", "losses", "masks", "metrics", "trial", "unet")
)


@dataclass(frozen=True)
class Trial:
    """What all candidates of a sweep share: the trainer, the folds, the ledger, and the digests behind the keys.

    `starts` maps a start (`pretrained`, `scratch`) to the digest of its weights; `budgets` are all epoch counts.
    """

    trainer: Trainer
    settings: Settings
    folds: Sequence[FoldData]
    ledger: Ledger
    data_digest: str
    starts: Mapping[str, str]
    budgets: Sequence[int]

    def __call__(self, candidate: Candidate) -> Iterator[FoldResult]:
        """Yield every fold's result at every budget up to the candidate's epochs, training only what is not known."""
        for fold in self.folds:
            entry = self.ledger.entry(self.key(candidate, fold))
            yield from self.trainer.fold_results(candidate, fold, self.budgets, entry)

    def key(self, candidate: Candidate, fold: FoldData) -> str:
        """The ledger's key: everything that one fold's numbers depend on, the epoch budget left out."""
        return digest(
            {
                "model": asdict(self.settings.model),
                "augment": asdict(self.settings.augment),
                "train": asdict(self.settings.train),
                "seed": self.settings.seed,
                "start": self.starts[candidate.start],
                "mask": candidate.mask,
                "learning_rate": candidate.learning_rate if candidate.epochs else None,
                "data": self.data_digest,
                "fold": fold.number,
                "test": hashlib.sha256("\n".join(fold.names).encode()).hexdigest(),
                "versions": versions(),
                "revision": revision(*WHAT_NUMBERS_DEPEND_ON),
            }
        )


def fold_data(cases: Cases, fold_of: NDArray[np.int64], settings: Settings) -> tuple[FoldData, ...]:
    """Cut the cases into folds and augment each training part; originals are split first (protocol.md).

    `fold_of` (n,): the fold, from 0, in which each case validates.
    """
    folds = []
    for number in range(settings.folds):
        train, test = np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number)
        train_x, train_y = augmented(cases.images, cases.masks, cases.names, train, settings.augment, settings.seed)
        names = tuple(cases.names[i] for i in test)
        folds.append(
            FoldData(
                number=number + 1,
                train_x=train_x,
                train_y=train_y,
                train_images=len(train),
                test_x=np.asarray(cases.images[test]),
                test_y=np.asarray(cases.masks[test]),
                names=names,
                labels=tuple(cases.labels[i] for i in test),
                montage=_montage(names),
            )
        )
    return tuple(folds)


def _montage(names: tuple[str, ...]) -> tuple[int, ...]:
    """The fold's share of the fixed montage images: chosen by the hash of their names, so no score has a say."""
    by_hash = sorted(range(len(names)), key=lambda i: hashlib.sha256(names[i].encode()).hexdigest())
    return tuple(sorted(by_hash[:MONTAGE_PER_FOLD]))
