"""What larger budgets train from the first epoch, since where smaller ones stood was not kept (docs/disk.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sweeps.environment.machine import duration
from sweeps.planning.open_sweep import OpenSweep
from trainer.candidate import Candidate
from trainer.training.ledger import Ledger
from trainer.training.training_key import training_key

if TYPE_CHECKING:  # heavy
    from tracking.record import TrialState


def trained_again(
    sweep: OpenSweep, candidates: Iterable[Candidate], states: Mapping[str, TrialState], folds: Sequence[Sequence[str]]
) -> str:
    """A sentence on the `candidates` that train from the beginning though smaller budgets are recorded, and on their
    price by what these took; empty where there are none. `folds`: the images that each fold scores.
    """
    smaller: dict[str, TrialState] = {}
    for state in states.values():
        if state.status == "FINISHED" and state.candidate.epochs:
            smaller[state.candidate.training] = state
    largest: dict[str, Candidate] = {}
    for candidate in candidates:
        before = smaller.get(candidate.training)
        known = largest.get(candidate.training)
        if before and max(before.candidate.epochs, known.epochs if known else 0) < candidate.epochs:
            largest[candidate.training] = candidate
    anew = [candidate for candidate in largest.values() if not _has_state(sweep, candidate, folds)]
    if not anew:
        return ""
    seconds = sum(smaller[one.training].seconds / smaller[one.training].candidate.epochs * one.epochs for one in anew)
    price = f", about {duration(seconds)} of training by what these took" if seconds else ""
    example = f", such as {anew[0].name}" if len(anew) > 1 else f" ({anew[0].name})"
    return (
        f"Note: {len(anew)} of the larger budgets{example} cannot go on from the smaller ones, whose weights were not "
        f"kept: they train from the first epoch{price}. With keep = all a larger budget goes on."
    )


def _has_state(sweep: OpenSweep, candidate: Candidate, folds: Sequence[Sequence[str]]) -> bool:
    """Whether the first fold can go on. Fresh weights of a seed are drawn by the workers only: as if it could not."""
    plan, settings = sweep.plan, sweep.resolved.settings
    if candidate.origin not in plan.start_files or not candidate.plain:
        return False
    _, digest = plan.start_files[candidate.origin]
    key = training_key(settings, candidate, 1, folds[0], plan.data_digest, digest)
    return Ledger(sweep.home.ledger).entry(key).state() is not None
