"""A worker: one single-threaded process that takes candidates from the study, trains them and records them.

Workers are identical and know nothing of each other; the database holds the state (design.md, decision 10). The
launcher starts them as `python -m sweeps.worker HOME SWEEP` and reads one JSON object per line from their output.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.backend import prepare_backend
from sweeps.bases import scratch
from sweeps.home import Home, open_home
from sweeps.plan import Plan, read_plan
from sweeps.space import seeds_of
from trainer.config import UserError
from trainer.files import present

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
    """Drain the sweep's list, then let its sampler propose if the spec has one."""
    from sweeps import engines
    from sweeps.objective import recorded
    from tracking.runs import Tracker

    spec = plan.resolved
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    trial = trial_of(home, plan)
    emit({"event": "ready"})
    objective = recorded(trial, tracker, home, plan, emit)
    engines.drain(home.storage_url, plan.name, objective, plan.n_blocks)
    if spec.search.strategy != "grid":
        seed = spec.settings.seed + os.getpid()
        engines.search(home.storage_url, plan.name, spec.search, objective, plan.n_blocks, seed, spec.settings.seed)


def trial_of(home: Home, plan: Plan) -> Any:
    """Load pictures and weights, check that they are the planned ones, and make the folds ready."""
    import numpy as np

    from trainer.data import load_cases
    from trainer.fit import Trainer
    from trainer.ledger import Ledger
    from trainer.pretrain import load_weights, weights_digest
    from trainer.trial import Trial, fold_maker
    from trainer.unet import unet

    spec = plan.resolved
    settings = spec.settings
    cases = load_cases(settings.data, settings.model.size, home.data)
    if cases.digest != plan.data_digest:
        raise UserError(f"The pictures of sweep '{plan.name}' changed since it was started. Start it again.")
    network = unet(settings.model)
    load_weights(network, Path(plan.weights))
    if weights_digest(network) != plan.weights_digest:
        raise UserError(
            f"The starting weights {plan.weights} changed since sweep '{plan.name}' was started. Start it again."
        )
    starts, digests = {"pretrained": network.get_weights()}, {"pretrained": plan.weights_digest}
    for seed in seeds_of(spec):
        fresh = scratch(settings.model, seed)
        starts[f"scratch-{seed}"], digests[f"scratch-{seed}"] = fresh.get_weights(), weights_digest(fresh)
    return Trial(
        trainer=Trainer(network, starts, settings.train, settings.partition),
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
