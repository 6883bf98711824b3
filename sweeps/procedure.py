"""`thaw run`, the whole procedure: the sweep, what it found, its outer parts, and its winner."""

from __future__ import annotations

from dataclasses import dataclass

from sweeps.commands.finish import keep_winner, show, show_procedure
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.nested import deadline_of, run_parts
from sweeps.run.launchers.contract import Launcher
from sweeps.spec.load import Spec
from sweeps.sweep import run_sweep


@dataclass(frozen=True)
class Ran:
    """How a run ended. `failed`: the trials without a score; `submitted`: how to follow the workers that were left to
    somebody else's queue, where there are any.
    """

    failed: tuple[str, ...]
    submitted: tuple[str, ...]


def run_and_show(
    spec: Spec, home: Home, board: Board, *, workers: int, name: str | None, retry_failed: bool, launcher: Launcher
) -> Ran:
    """Run a sweep, or go on with it, and print what is known in the end: as much as the workers are waited for."""
    deadline = deadline_of(spec)
    outcome = run_sweep(spec, home, board, workers=workers, name=name, retry_failed=retry_failed, launcher=launcher)
    submitted, failed = [*filter(None, [outcome.submitted])], [*outcome.failed]
    if not submitted:
        show(home, outcome.name, searched=spec.search.proposes)
    if spec.outer and (outcome.complete or submitted):
        parts = run_parts(
            spec,
            home,
            board,
            outcome.name,
            workers=workers,
            deadline=deadline,
            retry_failed=retry_failed,
            launcher=launcher,
        )
        failed += parts.failed
        submitted += parts.submitted
        if not submitted:
            show_procedure(home, outcome.name)
    if spec.champion and not submitted:
        keep_winner(home, outcome.name, None, None, automatic=True)
    return Ran(tuple(failed), tuple(submitted))
