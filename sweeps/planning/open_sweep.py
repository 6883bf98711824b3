"""A sweep that is open: its plan, in the home and the record that it is run with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweeps.environment.home import Home
from sweeps.locks import contract
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import ResolvedSweep
from trainer.stopping import Stop

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker


@dataclass(frozen=True)
class OpenSweep:
    """What every part of a running sweep needs: where it lives, what was fixed, where it is recorded, when to stop."""

    home: Home
    plan: Plan
    tracker: Tracker
    stop: Stop = field(default_factory=Stop)

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.plan.name

    @property
    def resolved(self) -> ResolvedSweep:
        """The sweep as it was resolved before its data were read."""
        return self.plan.resolved

    @property
    def abandoned(self) -> bool:
        """Whether no worker of any launcher works on it."""
        return self.home.locks.nobody_present(contract.workers(self.name))

    def close_lost(self) -> None:
        """Close what still counts as running in the record, unless workers work on the sweep."""
        if self.abandoned:
            self.tracker.close_lost(self.plan.sweep_run)


@contextmanager
def closed_when_stopped(sweep: OpenSweep) -> Iterator[None]:
    """Close a sweep that is stopped before its workers start, unless workers of another launcher work on it."""
    try:
        yield
    except BaseException:  # Ctrl-C, too
        sweep.close_lost()
        raise
