"""Images from elsewhere, which never train and never choose: what every fold's network scores on them (`--test`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.cases import Cases
from trainer.results import Score
from trainer.training.ledger import Entry


@dataclass(frozen=True, eq=False)
class ExternalSet:
    """The images of an external test set, by the name that the sweep gives it."""

    name: str
    cases: Cases

    def scores(self, entry: Entry, epochs: int, compute: Callable[[Cases], tuple[Score, ...]]) -> tuple[Score, ...]:
        """The score of each image by the network in a ledger's entry: known, or computed now and kept."""
        counts = entry.external(epochs, self.cases.digest)
        if counts is None or len(counts) != len(self.cases):
            counts = counts_of(compute(self.cases))
            entry.keep_external(epochs, self.cases.digest, counts)
        rows = zip(self.cases.names, self.cases.labels, counts.tolist(), strict=True)
        return tuple(Score.of_counts(name, label, *four) for name, label, four in rows)


def counts_of(scores: tuple[Score, ...]) -> NDArray[np.int64]:
    """(n, 4): TP, FP, FN and TN of n images."""
    return np.array([(one.tp, one.fp, one.fn, one.tn) for one in scores], np.int64).reshape(-1, 4)
