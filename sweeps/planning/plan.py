"""The plan of a sweep: what its launcher fixed once and every worker reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sweeps.environment.home import Home
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.spec.load import as_table, from_table
from trainer.candidate import PRETRAINED
from trainer.errors import UserError
from trainer.files import write_atomically


@dataclass(frozen=True)
class Plan:
    """The resolved sweep, and what was fixed after reading the data: the fold (from 0) of every case, all digests.

    `identity` is the digest of what the sweep measures; `weights` the file of the starting weights; `sweep_run` the id
    of the sweep's MLflow run; nothing new is begun after the `deadline` (Unix time). `arithmetic`: how it is computed
    (`sweeps.planning.same_arithmetic`); empty in a plan of before that was kept. `cases`: the name below the home's
    data under which exactly these cases lie; empty where they are read from the files that the spec names. `external`:
    the digest of each external test set, by name; `external_cases`: what `cases` is, of each that was fetched.
    `starts`: `Candidate.origin` -> file and digest of the weights of each further start.
    """

    name: str
    resolved: ResolvedSweep
    identity: str
    fold_of: tuple[int, ...]
    data_digest: str
    weights: str
    weights_digest: str
    sweep_run: str
    deadline: float = math.inf
    arithmetic: Mapping[str, str] = field(default_factory=dict)
    cases: str = ""
    external: Mapping[str, str] = field(default_factory=dict)
    external_cases: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def start_files(self) -> dict[str, tuple[str, str]]:
        """The file and the digest of all weights that are started from, fresh ones left out, by `Candidate.origin`."""
        return {PRETRAINED: (self.weights, self.weights_digest), **self.starts}


def write_plan(home: Home, plan: Plan) -> None:
    """Keep a plan for the workers of its sweep."""
    write_atomically(home.plan(plan.name), lambda file: file.write(plan_to_json(plan).encode()))


def plan_to_json(plan: Plan) -> str:
    """A plan as text. Space and list are not written: they follow from spec and units."""
    resolved = plan.resolved
    table = {item.name: getattr(plan, item.name) for item in fields(plan) if item.name != "resolved"}
    table |= {"spec": as_table(resolved.spec), "block_params": resolved.block_params}
    table |= {"always_params": resolved.always_params, "bare": resolved.bare}
    return json.dumps(table)


def read_plan(home: Home, sweep: str) -> Plan:
    """Read a plan back, its files where they lie in this home; raises `UserError` where there is no plan."""
    path: Path = home.plan(sweep)
    if not path.exists():
        raise UserError(f"There is no plan of a sweep '{sweep}' in {home.root}. Start it with `thaw run` first.")
    return plan_from_json(path.read_bytes(), home, str(path))


def plan_from_json(text: bytes, home: Home, place: str) -> Plan:
    """The plan in a text that `plan_to_json` wrote, its files where they lie in this home.

    Raises `UserError`, naming the `place` of the text, for any other.
    """
    try:
        return _plan_of(json.loads(text.decode()), home)
    except UserError as error:
        raise _damaged(place, error) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise _damaged(place, error) from error


def _damaged(place: str, error: Exception) -> UserError:
    return UserError(
        f"A plan must be as `thaw run` wrote it, but {place} is damaged or of another thaw ({error}). Start the sweep "
        "again with its command: finished work is kept."
    )


def _plan_of(table: dict[str, Any], home: Home) -> Plan:
    """The plan in a table that `write_plan` wrote. Raises all kinds of errors for any other."""
    if "until" in table:  # the deadline's name in homes of before
        table["deadline"] = table.pop("until")
    units = table.pop("block_params"), table.pop("always_params")
    table["fold_of"] = tuple(table["fold_of"])
    table["weights"] = _own_file(table["weights"], home.weights)
    table["starts"] = {
        str(origin): (_own_file(file, home.weights), str(digest))
        for origin, (file, digest) in table.get("starts", {}).items()
    }
    spec = table.pop("spec")
    if spec.get("model", {}).get("file"):
        spec["model"]["file"] = _own_file(spec["model"]["file"], home.networks)
    numbers = [*units[0], units[1], *table["fold_of"]]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("blocks and folds are whole numbers")
    bare = tuple((str(tune), tuple(map(int, blocks))) for tune, blocks in table.pop("bare", ()))
    plan = Plan(resolved=resolve(from_table(spec), *units, bare), **table)
    if wrong := [
        item.name for item in fields(Plan) if item.type == "str" and not isinstance(getattr(plan, item.name), str)
    ]:
        raise ValueError(f"{', '.join(wrong)}: text is wanted")
    if not isinstance(plan.deadline, int | float):
        raise ValueError("deadline: a number is wanted")
    for table_of_texts in (plan.arithmetic, plan.external, plan.external_cases):
        if not all(isinstance(text, str) for text in table_of_texts.values()):
            raise ValueError("arithmetic and test sets: texts are wanted")
    return plan


def _own_file(path: str, folder: Path) -> str:
    """A file that is named by its content, in `folder` of this home: the home may have been moved or copied since."""
    own = folder.resolve() / Path(path).name
    return str(own) if own.exists() else path
