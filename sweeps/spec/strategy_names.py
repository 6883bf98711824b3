"""The strategies by name: which list all candidates beforehand, which propose one after the other, and where each is.

A strategy that proposes is a pure function `(space, history, seed) -> candidate`; the same arguments give the same
answer, so any worker can ask it and a search goes on after a crash as if nothing had been. It stays inside the space
and never names a candidate that `history` knows. None says: nothing more now. With trials still open that means to
wait for them, with none open that the search is over.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from tracking.record import LISTS as LISTS  # `exhaustive` is the grid under the name it has for subsets

if TYPE_CHECKING:
    from sweeps.spec.space import Space
    from sweeps.strategies.history import History
    from trainer.config import Candidate

    Strategy = Callable[[Space, History, int], Candidate | None]

PROPOSING = {  # name -> where its function is; imported when asked for, since Optuna and scikit-learn take seconds
    "guided": "sweeps.strategies.guided",
    "greedy": "sweeps.strategies.greedy",
    "tpe": "sweeps.strategies.optuna_samplers",
    "nsga2": "sweeps.strategies.optuna_samplers",
    "random": "sweeps.strategies.optuna_samplers",
    "qmc": "sweeps.strategies.optuna_samplers",
}
ENDING = ("greedy", "grid")  # end by themselves; the others propose until their budget or the space is used up
PROBED = ("guided",)  # start from a probe of each block alone
PROBE_EPOCHS = 3
KERAS_TUNER = ("random", "grid", "bayesian")


def strategy_of(name: str) -> Strategy:
    """The function of a strategy that proposes; it is called like its name."""
    found: Strategy = getattr(import_module(PROPOSING[name]), name)
    return found
