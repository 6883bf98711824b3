"""Progress of workers that nobody hears: the study is looked at every few seconds, and what is new is told as messages.

Workers that Ray or SLURM started speak to nobody, but what they finish stands in the study, wherever they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sweeps.engines.optuna_watch import Standing, StudyWatch
from sweeps.environment.home import Home
from sweeps.run.launchers.contract import Listen
from sweeps.run.messages import Dropped, Failed, FoldsScored, Ready, TrialFinished
from trainer.errors import UserError

LOOK_EVERY = 3.0  # seconds


class Follower:
    """Guards what was told already. What had ended before it began is never told."""

    def __init__(self, home: Home, sweep: str, listen: Listen, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a first look. Raises `UserError` where the study cannot be reached."""
        self._listen, self._clock = listen, clock
        self._watch = StudyWatch(home.storage_url, sweep)
        self._standings = {standing.trial.candidate.key: standing for standing in self._watch.look()}
        self._looked = clock()
        self._began = False
        self._doubtful: set[str] = set()  # keys of what failed at the last look

    def look(self) -> None:
        """Tell what is new, where the last look was some seconds ago. A database that is away is asked again later."""
        if self._clock() - self._looked >= LOOK_EVERY:
            self.look_now()

    def look_now(self) -> None:
        """Tell what is new."""
        self._looked = self._clock()
        try:
            standings = self._watch.look()
        except UserError:  # workers wait for the database, too, and they say when their patience ends
            return
        for standing in standings:
            key = standing.trial.candidate.key
            before = self._standings.get(key)
            if standing == before or self._may_have_been_lost(key, standing):
                continue
            self._tell(standing, before)
            self._standings[key] = standing

    def _may_have_been_lost(self, key: str, standing: Standing) -> bool:
        """Whether a failure is seen for the first time: a trial lost with its worker is put back in a moment."""
        is_new = standing.trial.status == "failed" and key not in self._doubtful
        (self._doubtful.add if is_new else self._doubtful.discard)(key)
        return is_new

    def _tell(self, standing: Standing, before: Standing | None) -> None:
        candidate, status = standing.trial.candidate, standing.trial.status
        if not self._began:
            self._began = True
            self._listen(Ready())
        if standing.dice is not None and standing.folds > (before.folds if before else 0):
            self._listen(
                FoldsScored(candidate.training, candidate.name, standing.folds, candidate.epochs, standing.dice)
            )
        if before is not None and before.trial.status == status:
            return
        if status == "done" and standing.trial.score is not None:
            self._listen(TrialFinished(candidate.name, standing.trial.score))
        elif status == "dropped":
            self._listen(Dropped(candidate.name, standing.folds))
        elif status == "failed":
            self._listen(Failed(candidate.name, "the report says why"))
