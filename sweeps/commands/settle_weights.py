"""Whose trained weights stay at the end of a sweep (`keep` of its spec, docs/disk.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sweeps.environment.home import Home
from sweeps.planning.artifacts import checkpoint_path
from sweeps.run.holdings import held_by, hold, let_go, lose_states
from sweeps.spec.load import Spec
from tracking.analysis.seeds import Reading
from tracking.best_mask.answer import BestMask
from tracking.best_mask.in_the_running import named_runs
from tracking.record import SweepRecord
from trainer.candidate import Candidate
from trainer.errors import UserError
from trainer.training.ledger import Ledger

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

ENDED = ("FINISHED", "FAILED", "DROPPED")


def settle(home: Home, tracker: Tracker, record: SweepRecord, reading: Reading, answer: BestMask | None) -> list[str]:
    """At the end of a sweep, let go of all weights but those of the trials that its `answer` names; says which stayed.

    While listed trials wait, those that may still be named keep theirs. In this home's ledger no state stays either.
    """
    keep = record.info.spec.get("keep", Spec.keep)
    ended = {trial.info.candidate.key for trial in record.trials if trial.status in ENDED}
    if keep == "all" or not ended.issuperset(record.info.planned):
        return []
    named = named_runs(reading, answer) if keep == "best" else {}
    staying_trials = [trial for trial in record.trials if trial.run_id in named]
    _settle_ledger(home, tracker, record.info.name, {trial.info.candidate: trial.run_id for trial in staying_trials})
    try:
        for state in tracker.with_weights(record.run_id):
            if state.run_id not in named:
                tracker.lose_weights(record.run_id, state.candidate)
    except UserError as error:
        return [f"Note: weights that should go could not all be deleted. {error}"]
    kept = [f"{trial.info.candidate.name} ({named[trial.run_id]})" for trial in staying_trials]
    return [f"Weights kept: {'; '.join(sorted(kept))}."] if kept else ["Weights kept: none."]


def _settle_ledger(home: Home, tracker: Tracker, sweep: str, named: Mapping[Candidate, str]) -> None:
    """`named`: candidate -> its MLflow run. By candidate, not by what was written when it was recorded: a worker may
    have died between the two.
    """
    for holding in held_by(home, sweep):
        if holding.candidate not in named:
            let_go(home, sweep, holding, all_budgets=True)
            continue
        hold(home, sweep, replace(holding, state=False))
        lose_states(home, sweep, holding)
        for fold, key in enumerate(holding.trainings, 1):
            checkpoint = tracker.local_file(named[holding.candidate], checkpoint_path(fold))
            if checkpoint is not None:
                Ledger(home.ledger).entry(key).share_weights(holding.candidate.epochs, checkpoint)
