"""The plan of a sweep: what its launcher fixed once and every worker reads."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeps.environment.home import Home
from sweeps.spec.load import Spec, from_table
from trainer.errors import UserError
from trainer.files import write_atomically


@dataclass(frozen=True)
class Plan:
    """Plain data: the resolved spec as a table, the fold (from 0) of every case, and what the digests must be.

    `identity` is the digest of what the sweep measures; `block_params` the parameters of blocks 1..n, `always_params`
    of what trains whatever the mask; `weights` the file of the starting weights; `sweep_run` the id of the sweep's
    MLflow run; `until` the second (of the epoch) after which nothing new is begun.
    """

    name: str
    spec: dict[str, Any]
    identity: str
    block_params: list[int]
    always_params: int
    fold_of: list[int]
    data_digest: str
    weights: str
    weights_digest: str
    sweep_run: str
    until: float = math.inf

    @property
    def n_blocks(self) -> int:
        """How many units a mask chooses among."""
        return len(self.block_params)

    @property
    def resolved(self) -> Spec:
        """The spec this plan was made from."""
        return from_table(self.spec)


def write_plan(home: Home, plan: Plan) -> None:
    """Keep a plan for the workers of its sweep."""
    write_atomically(home.plan(plan.name), lambda file: file.write(json.dumps(asdict(plan)).encode()))


def read_plan(home: Home, sweep: str) -> Plan:
    """Read a plan back; raises `UserError` where there is none."""
    path: Path = home.plan(sweep)
    if not path.exists():
        raise UserError(f"There is no plan of a sweep '{sweep}' in {home.root}. Start it with `thaw run` first.")
    return Plan(**json.loads(path.read_text()))
