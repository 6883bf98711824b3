"""Which trained weights a sweep holds in its home's ledger: a small file per candidate, `sweeps/NAME/weights/KEY.json`.

Several sweeps share a ledger, so weights go only when no sweep holds them any more. The file is written before a
candidate is trained: whatever crashes, nothing lies in the ledger that nobody answers for. Sweeps of before there were
such files hold nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeps.environment.home import Home
from trainer.candidate import Candidate
from trainer.files import write_atomically
from trainer.training.ledger import Ledger


@dataclass(frozen=True)
class Holding:
    """A candidate whose weights a sweep holds. `trainings`: the ledger's keys, fold by fold.

    `competes`: it may win; `half`: it is contracting or expanding. `dice`: its mean Dice, None while it trains
    or waits. `recorded`: in MLflow; `uploaded`: with its weights. `state`:
    a larger budget may go on from it.
    """

    candidate: Candidate
    trainable_params: int
    trainings: tuple[str, ...]
    competes: bool = True
    half: str = ""
    dice: float | None = None
    recorded: bool = False
    uploaded: bool = False
    state: bool = True


def hold(home: Home, sweep: str, holding: Holding) -> None:
    """Hold the weights of a candidate, or hold them otherwise than before."""
    path = _path(home, sweep, holding)
    write_atomically(path, lambda file: file.write(json.dumps(asdict(holding)).encode()))


def held_by(home: Home, sweep: str) -> list[Holding]:
    """All that a sweep holds. A damaged file counts as none: its weights stay until the training is held again."""
    return list(_read(home.holdings(sweep)))


def let_go(home: Home, sweep: str, holding: Holding, *, but_fold: int | None = None, all_budgets: bool = False) -> None:
    """Hold the weights of a candidate no longer; what no sweep holds then leaves the ledger, scores never.

    `but_fold`: the one, from 1, whose weights stay all the same. `all_budgets`: those of its training's other budgets,
    too.
    """
    others = _others(home, sweep, holding)
    held = {(key, other.candidate.epochs) for other in others for key in other.trainings}
    for fold, key in enumerate(holding.trainings, 1):
        entry = Ledger(home.ledger).entry(key)
        for epochs in entry.budgets() if all_budgets else [holding.candidate.epochs]:
            if (key, epochs) not in held and fold != but_fold:
                entry.lose_weights(epochs)
    lose_states(home, sweep, holding)
    _path(home, sweep, holding).unlink(missing_ok=True)


def lose_states(home: Home, sweep: str, holding: Holding) -> None:
    """Forget where the trainings of a candidate stand, but for what others hold: no larger budget follows."""
    states = {key for other in _others(home, sweep, holding) if other.state for key in other.trainings}
    for key in holding.trainings:
        if key not in states:
            Ledger(home.ledger).entry(key).lose_state()


def _others(home: Home, sweep: str, holding: Holding) -> list[Holding]:
    """Everything else that any sweep of this home holds of the same trainings."""
    mine, keys = _path(home, sweep, holding), set(holding.trainings)
    folders = home.root.glob("sweeps/*/weights")
    return [other for folder in folders for other in _read(folder, but=mine) if keys & set(other.trainings)]


def _path(home: Home, sweep: str, holding: Holding) -> Path:
    return home.holdings(sweep) / f"{holding.candidate.key}.json"


def _read(folder: Path, but: Path | None = None) -> Iterator[Holding]:
    for path in sorted(folder.glob("*.json")):
        if path != but:
            try:
                yield _holding(json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                continue


def _holding(table: dict[str, Any]) -> Holding:
    candidate = table.pop("candidate")
    candidate["train"] = tuple((name, value) for name, value in candidate["train"])
    return Holding(**table | {"candidate": Candidate(**candidate), "trainings": tuple(table["trainings"])})
