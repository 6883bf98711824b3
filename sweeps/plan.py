"""The plan of a sweep: what its launcher fixed once and every worker reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeps.home import Home
from sweeps.spec import Spec, from_table
from trainer.config import UserError
from trainer.files import write_atomically


@dataclass(frozen=True)
class Plan:
    """Plain data: the resolved spec as a table, the fold (from 0) of every case, and what the digests must be.

    `weights` is the file of the starting weights, `sweep_run` the id of the sweep's MLflow run.
    """

    name: str
    spec: dict[str, Any]
    n_blocks: int
    fold_of: list[int]
    data_digest: str
    weights: str
    weights_digest: str
    sweep_run: str

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
