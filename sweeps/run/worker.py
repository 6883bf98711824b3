"""A worker: one single-threaded process that takes candidates from the study, trains them and records them.

Workers are identical and know nothing of each other; the database holds the state (design.md, decision 10). The
launcher starts them as `python -m sweeps.run.worker HOME SWEEP` and reads one JSON object per line from their output.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home, open_home
from sweeps.environment.keras_backend import prepare_backend
from sweeps.run.artifacts import scratch
from sweeps.run.plan import Plan, read_plan
from sweeps.spec.load import seeds_of
from sweeps.spec.space import Space, listed, space_of
from trainer.errors import UserError
from trainer.files import locked, present

if TYPE_CHECKING:  # heavy
    from sweeps.strategies.history import Evaluate
    from tracking.store.writer import Tracker

USER_ERROR = 2
Emit = Callable[[dict[str, Any]], None]


def main(arguments: list[str]) -> int:
    """Run one worker until the list is drained; 0 on success, 2 for a mistake of the user, anything else for a bug."""
    root, sweep = arguments
    home = open_home(Path(root))
    plan = read_plan(home, sweep)
    prepare_backend(deterministic=plan.resolved.settings.train.deterministic)
    _end_with_parent(os.getppid())
    try:
        with present(home.workers_lock(sweep)):
            work(home, plan, _say)
    except UserError as error:
        _say({"event": "error", "message": str(error)})
        return USER_ERROR
    return 0


def work(home: Home, plan: Plan, emit: Emit) -> None:
    """Drain the sweep's list, asking its strategy for more where it has one."""
    from sweeps.engines import optuna_queue
    from sweeps.run.block_probe import probing
    from sweeps.run.early_stopping import dropping
    from sweeps.run.objective import Drop, never, recorded
    from sweeps.strategies.propose import proposer
    from tracking.store.writer import Tracker

    spec = plan.resolved
    search = spec.search
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    trial = trial_of(home, plan)
    emit({"event": "ready"})
    space = space_of(search, plan.block_params, spec.settings, plan.always_params)
    drop: Drop = never
    if search.proposes:
        drop = dropping(search, space, listed(search, space, spec.settings), tracker, plan.sweep_run)
    objective = recorded(trial, tracker, home, plan, emit, drop)
    if search.engine == "keras-tuner":
        _tune(home, plan, space, tracker, objective)
        return
    propose = None
    if search.proposes:
        probe = probing(trial, tracker, plan, space, emit)
        propose = proposer(search, space, spec.settings.seed, plan.until, probe)
    optuna_queue.drain(
        home.storage_url, plan.name, objective, plan.n_blocks, propose, lambda: locked(home.turn_lock(plan.name)),
        plan.until,
    )  # fmt: skip


def _tune(home: Home, plan: Plan, space: Space, tracker: Tracker, objective: Evaluate) -> None:
    """Work off the list and what was cut off, then let KerasTuner search on, in this process alone."""
    from sweeps.engines import keras_tuner_engine, optuna_queue

    url, search = home.storage_url, plan.resolved.search
    with locked(home.turn_lock(plan.name)):
        lost = [state.candidate for state in tracker.trials(plan.sweep_run).values() if state.cut_off]
        optuna_queue.enqueue(url, plan.name, lost, plan.n_blocks)
        optuna_queue.drain(url, plan.name, objective, plan.n_blocks, until=plan.until)
        keras_tuner_engine.tune(
            search, space, optuna_queue.history(url, plan.name), objective, home.keras_tuner(plan.name),
            seed=plan.resolved.settings.seed, until=plan.until,
            tell=lambda one: optuna_queue.fill(url, plan.name, plan.identity, [one], plan.n_blocks),
        )  # fmt: skip


def trial_of(home: Home, plan: Plan) -> Any:
    """Load pictures and weights, check that they are the planned ones, and make the folds ready."""
    import numpy as np

    from trainer.data.cases import load_cases
    from trainer.network.user_model import network_of
    from trainer.network.weights import load_weights, weights_digest
    from trainer.training.cross_validation import CrossValidation, fold_maker
    from trainer.training.fit import Trainer
    from trainer.training.ledger import Ledger

    spec = plan.resolved
    settings = spec.settings
    cases = load_cases(settings.data, settings.model.size, home.data)
    if cases.digest != plan.data_digest:
        raise UserError(f"The pictures of sweep '{plan.name}' changed since it was started. Start it again.")
    network = network_of(settings.model)
    load_weights(network, Path(plan.weights))
    if weights_digest(network) != plan.weights_digest:
        raise UserError(
            f"The starting weights {plan.weights} changed since sweep '{plan.name}' was started. Start it again."
        )
    starts, digests = {"pretrained": network.get_weights()}, {"pretrained": plan.weights_digest}
    for seed in seeds_of(spec):
        fresh = scratch(settings.model, seed)
        starts[f"scratch-{seed}"], digests[f"scratch-{seed}"] = fresh.get_weights(), weights_digest(fresh)
    return CrossValidation(
        trainer=Trainer(network, starts, settings.train, settings.partition, settings.model.blocks),
        settings=settings,
        folds=fold_maker(cases, np.array(plan.fold_of), settings),
        ledger=Ledger(home.ledger),
        data_digest=plan.data_digest,
        starts=digests,
        budgets=spec.search.epochs,
    )


def _end_with_parent(parent: int) -> None:
    """Die when the launcher dies, however it dies, so that a killed sweep leaves no process behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
