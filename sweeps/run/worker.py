"""A worker: one single-threaded process that takes candidates from the study, trains them and records them.

Workers are identical and know nothing of each other; the database holds the state (docs/design.md, decision 10). The
launcher starts them as `python -m sweeps.run.worker HOME SWEEP` and reads one message per line from their output.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.environment.faults import user_error
from sweeps.environment.gpus import unused_gpus
from sweeps.environment.home import Home, open_home
from sweeps.environment.imports import heavy_imports
from sweeps.environment.keras_backend import chosen_backend, prepare_backend
from sweeps.environment.redacted_output import redact_errors
from sweeps.environment.servers import with_servers
from sweeps.environment.termination import Termination, end_process, obey_signals
from sweeps.locks import contract
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import Plan, read_plan
from sweeps.planning.same_arithmetic import arithmetic_here, check_same
from sweeps.run.messages import Error, Message, Notice, Ready, to_line
from trainer.errors import Preempted
from trainer.stopping import Stop

if TYPE_CHECKING:  # heavy
    from sweeps.run.objective import Drop
    from sweeps.strategies.history import Evaluate, Propose
    from trainer.training.cross_validation import CrossValidation

USER_ERROR = 2
ENDS_WITH = "THAW_ENDS_WITH"  # the variable that names the process with which a worker ends
STOP_SECONDS = 15.0
_PRINTING = threading.Lock()
Emit = Callable[[Message], None]


def main(arguments: list[str], termination: Termination) -> int:
    """Run one worker until the list is drained; 0 on success, 2 for a mistake of the user, 143 when it was told to stop
    (SIGTERM; 130 for Ctrl-C), anything else for a bug.
    """
    redact_errors()  # what goes to the standard error becomes the worker's log
    try:
        root, name = arguments
        _run(root, name, termination.stop)
    except Preempted:
        return termination.exit_code
    except Exception as error:
        if (mistake := user_error(error)) is None:
            raise
        _print(Error(str(mistake)))
        return USER_ERROR
    return 0


def _run(root: str, name: str, stop: Stop) -> None:
    _end_with_parent(os.getppid(), lambda: os._exit(1))
    home = with_servers(lambda: open_home(Path(root)), lambda text: _print(Notice(text)), stop.asked)
    plan = read_plan(home, name)
    run_worker(home, plan, _print, stop)


def run_worker(home: Home, plan: Plan, emit: Emit, stop: Stop) -> None:
    """Work on a planned sweep in this process until its list is drained.

    Raises `UserError` for a mistake of the user, also where this machine would compute otherwise than the sweep's, and
    `Preempted` when a `stop` is asked for.
    """
    if parent := os.environ.get(ENDS_WITH):
        _end_with_parent(int(parent), _stop)
    train = plan.resolved.settings.train
    prepare_backend(deterministic=train.deterministic, precision=train.precision, compiled=home.compiled)
    check_same(plan.name, plan.arithmetic, arithmetic_here())
    from trainer.training.device import CPU, device

    if note := unused_gpus(chosen_backend(), sees_one=device().kind != CPU):
        print(note, file=sys.stderr)  # its log: to the user, the launcher says it
    with heavy_imports():
        from tracking.store.writer import Tracker

    with home.locks.present(contract.workers(plan.name)):
        tracker = with_servers(
            lambda: Tracker.connect(home.tracking_uri, home.artifact_folder),
            lambda text: emit(Notice(text)),
            stop.asked,
        )
        work(OpenSweep(home, plan, tracker, stop), emit)


def work(sweep: OpenSweep, emit: Emit) -> None:
    """Drain the sweep's list, asking its strategy for more where it has one."""
    with heavy_imports():
        from sweeps.run.kept_weights import KeptWeights
        from sweeps.run.load_cross_validation import load_cross_validation
        from sweeps.run.objective import make_objective
        from sweeps.run.recorder import recorder_of

    cross_validation = load_cross_validation(sweep.home, sweep.plan, sweep.stop.asked)
    with recorder_of(sweep, emit) as recorder:
        emit(Ready())
        objective = make_objective(sweep, cross_validation, emit, _drop_rule(sweep), recorder=recorder)
        if sweep.resolved.search.engine == "keras-tuner":
            _tune(sweep, objective)
        else:
            _drain(sweep, objective, _proposer(sweep, cross_validation, emit))
    KeptWeights(sweep, cross_validation).follow()


def _drop_rule(sweep: OpenSweep) -> Drop:
    """When a proposed candidate is dropped between two folds; a listed one never is."""
    from sweeps.run.early_stopping import make_drop_rule
    from sweeps.run.objective import never_drop

    resolved = sweep.resolved
    if not resolved.search.proposes:
        return never_drop
    return make_drop_rule(resolved.search, resolved.space, resolved.listed, sweep.tracker, sweep.plan.sweep_run)


def _proposer(sweep: OpenSweep, cross_validation: CrossValidation, emit: Emit) -> Propose:
    """What to ask for more candidates: a strategy, or the rest of the list."""
    from sweeps.run.block_probe import make_probe
    from sweeps.strategies.list_windows import next_of_list
    from sweeps.strategies.propose import proposer

    resolved = sweep.resolved
    if not resolved.search.proposes:
        return next_of_list(resolved.listed)
    probe = make_probe(sweep, cross_validation, emit)
    return proposer(resolved.search, resolved.space, resolved.settings.seed, sweep.plan.deadline, probe)


def _drain(sweep: OpenSweep, objective: Evaluate, propose: Propose | None = None) -> None:
    from sweeps.engines import optuna_queue

    turn = contract.turn(sweep.name)
    optuna_queue.drain(
        sweep.home.storage_url,
        sweep.name,
        objective,
        sweep.resolved.n_blocks,
        propose,
        lambda: sweep.home.locks.held(turn, sweep.stop.leave_if_asked),
        sweep.plan.deadline,
        sweep.stop,
    )


def _tune(sweep: OpenSweep, objective: Evaluate) -> None:
    """Work off the list and what was cut off, then let KerasTuner search on, in this process alone."""
    from sweeps.engines import keras_tuner_engine, optuna_queue

    url, resolved, plan = sweep.home.storage_url, sweep.resolved, sweep.plan
    blocks = resolved.n_blocks
    with sweep.home.locks.held(contract.turn(sweep.name), sweep.stop.leave_if_asked):
        trials = sweep.tracker.trials(plan.sweep_run).values()
        optuna_queue.enqueue(url, sweep.name, [trial.candidate for trial in trials if trial.cut_off], blocks)
        optuna_queue.drain(url, sweep.name, objective, blocks, deadline=plan.deadline, stop=sweep.stop)
        keras_tuner_engine.tune(
            resolved.search,
            resolved.space,
            optuna_queue.history(url, sweep.name),
            objective,
            sweep.home.keras_tuner(sweep.name),
            seed=resolved.settings.seed,
            deadline=plan.deadline,
            tell=lambda trial: optuna_queue.fill(url, sweep.name, plan.identity, [trial], blocks),
        )


def _end_with_parent(parent: int, end: Callable[[], None]) -> None:
    """End when the launcher dies, however it dies, so that a killed sweep leaves no process behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        end()

    threading.Thread(target=watch, daemon=True).start()


def _stop() -> None:
    """Stop as when somebody says so, which keeps what is trained; and die where that lasts."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _print(message: Message) -> None:
    with _PRINTING:  # the recorder's own thread has messages, too
        print(to_line(message), flush=True)


if __name__ == "__main__":
    termination = obey_signals()
    code = main(sys.argv[1:], termination)
    if code == termination.exit_code:
        termination.end()
    end_process(code)
