"""`thaw worker`: one worker of a sweep, on this machine, whoever started the sweep and wherever."""

from __future__ import annotations

from pathlib import Path

from sweeps.environment.home import Home, open_home
from sweeps.environment.servers import with_servers
from sweeps.environment.terminal import Board
from sweeps.planning.plan import Plan, read_plan
from sweeps.run.messages import Dropped, Message, TrialFinished
from sweeps.run.progress import message_text, outcome_text, say_lasting
from sweeps.run.worker import run_worker
from trainer.errors import UserError
from trainer.stopping import Stop


def join_sweep(root: Path, sweep: str, board: Board, stop: Stop) -> None:
    """Work on a sweep until its list is drained.

    Where servers hold study and record, plan, images and weights come from the sweep's MLflow run; else from the home,
    `root`, which must be that of `thaw run`. Raises `UserError` where there is no such sweep, `Preempted` when told to
    `stop`.
    """
    home, plan = with_servers(lambda: _opened(root, sweep, board), board.say, stop.asked)
    board.say(f"{plan.name}: a worker begins.")
    folds = plan.resolved.settings.folds
    run_worker(home, plan, lambda message: _show(board, message, folds), stop)
    board.say(f"{plan.name}: nothing is left to do.")


def _opened(root: Path, sweep: str, board: Board) -> tuple[Home, Plan]:
    home = open_home(root)
    return home, _fetched(home, sweep, board) if home.many_machines else _own(home, sweep)


def _fetched(home: Home, sweep: str, board: Board) -> Plan:
    from sweeps.planning.shared_sweep import fetch
    from tracking.store.writer import Tracker

    return fetch(Tracker.connect(home.tracking_uri), home, sweep, board, home.clock_ahead())


def _own(home: Home, sweep: str) -> Plan:
    """The plan in this home, for a worker beside those of `thaw run`."""
    if not home.plan(sweep).exists():
        missing = "--storage (or THAW_STORAGE)" if home.shared_storage is None else "MLFLOW_TRACKING_URI=http://..."
        raise UserError(
            f"A worker finds its sweep in two servers, or in the home of `thaw run`, but {home.root} has no plan of a "
            f"sweep {sweep!r}, and {missing} is not given. Give --storage with the address of the PostgreSQL database "
            "and MLFLOW_TRACKING_URI with that of the MLflow server that the sweep was started with."
        )
    return read_plan(home, sweep)


def _show(board: Board, message: Message, folds: int) -> None:
    """A line for what ends, and for what lasts; folds go to a log only."""
    say_lasting(board, message)
    if isinstance(message, TrialFinished | Dropped):
        board.say(outcome_text(message, folds))
    elif text := message_text(message, folds):
        board.log(text)
