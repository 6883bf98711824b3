"""The cross-validation of a plan: its images, weights and folds are loaded and checked to be the planned ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sweeps.environment.home import Home
from sweeps.planning.artifacts import network_from_scratch
from sweeps.planning.outer_part import read_held_out, read_own
from sweeps.planning.plan import Plan
from tracking.sweep_names import HELD_OUT
from trainer.candidate import PRETRAINED, fresh_origin
from trainer.data.cache import folder_of, opened
from trainer.data.cases import Cases, cases_of, load_cases
from trainer.errors import UserError
from trainer.network.user_model import load_start, network_of
from trainer.network.weights import weights_digest
from trainer.stopping import StopAsked, never
from trainer.training.cross_validation import CrossValidation, fold_maker
from trainer.training.external_sets import ExternalSet
from trainer.training.fit import Trainer
from trainer.training.ledger import Ledger


def load_cross_validation(home: Home, plan: Plan, stop_asked: StopAsked = never) -> CrossValidation:
    """Load what scores a sweep's candidates. Raises `UserError` where images or weights are not the planned ones."""
    settings = plan.resolved.settings
    cases = planned_cases(home, plan)
    network = network_of(settings.model)
    starts, digests = {}, {}
    for origin, (file, digest) in plan.start_files.items():
        _load_planned(network, plan, Path(file), digest)
        starts[origin], digests[origin] = network.get_weights(), digest
    network.set_weights(starts[PRETRAINED])
    for luck in plan.resolved.lucks:
        scratch_network, origin = network_from_scratch(settings.model, luck), fresh_origin(luck)
        starts[origin], digests[origin] = scratch_network.get_weights(), weights_digest(scratch_network)
    return CrossValidation(
        trainer=Trainer(
            network,
            starts,
            settings.train,
            settings.partition,
            settings.model.blocks,
            ignoring=cases.has_ignored,
            stop_asked=stop_asked,
        ),
        settings=settings,
        folds=fold_maker(cases, np.array(plan.fold_of), settings),
        ledger=Ledger(home.ledger),
        data_digest=plan.data_digest,
        starts=digests,
        budgets=plan.resolved.search.epochs,
        external=_planned_external(home, plan),
    )


def planned_cases(home: Home, plan: Plan) -> Cases:
    """The images that a sweep was planned with: those fetched from its record, or read from the files of its spec.

    Raises `UserError` where they are others now.
    """
    spec = plan.resolved.spec
    what = f"The images of sweep '{plan.name}'"
    return _planned(home, what, plan.data_digest, plan.cases, lambda: read_own(spec, home.data))


def _planned_external(home: Home, plan: Plan) -> list[ExternalSet]:
    """The external test sets, and what an outer part holds out, in the same way."""
    spec = plan.resolved.spec
    reads: dict[str, Callable[[], Cases]]
    reads = {one.name: partial(load_cases, one.data, spec.settings.model.size, home.data) for one in spec.test}
    if spec.held_out is not None:
        reads[HELD_OUT] = lambda: read_held_out(spec, home.data)[HELD_OUT]
    return [
        ExternalSet(
            name,
            _planned(
                home,
                f"The test set '{name}' of sweep '{plan.name}'",
                plan.external.get(name, ""),
                plan.external_cases.get(name, ""),
                read,
            ),
        )
        for name, read in reads.items()
    ]


def _planned(home: Home, what: str, digest: str, fetched: str, read: Callable[[], Cases]) -> Cases:
    if fetched:
        entry = opened(folder_of(home.data, fetched))
        if entry is None:
            raise UserError(
                f"{what} was fetched into {home.data}, but is missing or damaged there. Start the worker again: it "
                "fetches it anew."
            )
        return cases_of(entry)
    cases = read()
    if cases.digest != digest:
        raise UserError(f"{what} changed since it was started. Start it again.")
    return cases


def _load_planned(network: Any, plan: Plan, file: Path, digest: str) -> None:
    """Give the network the weights of a start. Raises `UserError` where they are not the planned ones."""
    try:
        load_start(network, plan.resolved.settings.model, file)
        if weights_digest(network) == digest:
            return
    except UserError:
        if not plan.cases:
            raise
    if not plan.cases:
        raise UserError(f"The starting weights {file} changed since sweep '{plan.name}' was started. Start it again.")
    file.unlink(missing_ok=True)  # else it would never be fetched again
    raise UserError(
        f"The starting weights of sweep '{plan.name}' were fetched into {file}, but are damaged there, and removed "
        "now. Start the worker again: it fetches them anew."
    )
