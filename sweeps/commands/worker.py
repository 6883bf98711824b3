"""`thaw worker`: one worker of a sweep, on this machine, whoever started the sweep and wherever."""

from __future__ import annotations

from pathlib import Path

from sweeps.environment.home import Home, open_home
from sweeps.environment.servers import with_servers
from sweeps.environment.terminal import Board
from sweeps.planning.plan import Plan, read_plan
from sweeps.run.messages import Dropped, Failed, FoldFinished, Message, Notice, Probed, TrialFinished
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
    run_worker(home, plan, lambda message: _show(board, message), stop)
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


def _show(board: Board, message: Message) -> None:
    """A line for what ends, and for what lasts; folds go to a log only."""
    if isinstance(message, TrialFinished):
        board.say(f"{message.name}: Dice {message.dice:.3f}")
    elif isinstance(message, Dropped):
        board.say(f"{message.name}: dropped after {message.fold} folds")
    elif isinstance(message, Failed):
        board.say(f"Failed: {message.name}: {message.reason}")
    elif isinstance(message, Notice):
        board.say(message.text)
    elif isinstance(message, FoldFinished):
        board.log(f"{message.name}, fold {message.fold}, {message.epochs} epochs: Dice {message.dice:.3f}")
    elif isinstance(message, Probed):
        board.log(f"Probe of single blocks, {message.number} of {message.of}")
