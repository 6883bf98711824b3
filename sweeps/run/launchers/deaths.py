"""Which dead workers are replaced: as long as each got further than the one before it, however often they die."""

from __future__ import annotations

from collections import Counter

from sweeps.run.messages import Dropped, Failed, FoldFinished, Kept, Message, Probed, TrialFinished
from trainer.results import Reached

REPLACEMENTS = 3  # in one worker's place, one after the other, without progress


class Deaths:
    """Counts, for each worker's place, those that died since one in it made progress.

    Progress is the end of a trial, or a trial that is further than it ever was (`Reached`). A trial that kills whoever
    trains it is given up by the study after as many deaths, so one alone does not end a sweep.
    """

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._furthest: dict[str, Reached] = {}

    def hear(self, worker: int, message: Message) -> None:
        """Take a message of the one in the place of `worker` into account."""
        if isinstance(message, TrialFinished | Dropped | Failed | Probed) or self._is_further(message):
            del self._deaths[worker]

    def may_be_replaced(self, worker: int) -> bool:
        """Count a death; whether another may take that place."""
        self._deaths[worker] += 1
        return self._deaths[worker] <= REPLACEMENTS

    def _is_further(self, message: Message) -> bool:
        if not isinstance(message, FoldFinished | Kept):
            return False
        reached = Reached(message.fold, message.epochs, message.steps if isinstance(message, Kept) else 0)
        further = reached > self._furthest.get(message.name, Reached())
        if further:
            self._furthest[message.name] = reached
        return further
