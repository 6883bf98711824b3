"""A list is handed out in windows: to ask for the next trial, an engine reads all that wait, so few wait at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sweeps.strategies.history import PastTrial, Propose
from trainer.candidate import Candidate

# Candidates that wait at once. An engine reads them all to hand one out, about half a millisecond each; a window takes
# a second or two to be written, while which other workers wait.
WINDOW = 64


def next_of_list(candidates: Sequence[Candidate], size: int = WINDOW) -> Propose:
    """Propose the first `size` candidates of the list that were not handed out yet, whatever became of the others.

    Nothing is kept in between: any worker can ask at any time, also after a crash.
    """

    def propose(trials: tuple[PastTrial, ...]) -> tuple[Candidate, ...]:
        return tuple(itertools.islice(not_handed_out(candidates, trials), size))

    return propose


def not_handed_out(candidates: Sequence[Candidate], trials: Sequence[PastTrial]) -> Iterator[Candidate]:
    """The candidates that are none of the trials, in their order."""
    handed_out = {trial.candidate for trial in trials}
    return (candidate for candidate in candidates if candidate not in handed_out)
