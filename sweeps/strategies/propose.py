"""What a search does next: the strategy's next candidate, as long as the budget lasts.

A strategy is a pure function `(space, history, seed) -> candidate`: the same arguments give the same answer, so any
worker can ask it, and a search goes on after a crash as if nothing had happened. It stays inside the space and never
proposes a candidate that `history` knows. None means: nothing more now. With trials still open that means to wait for
them, with none open that the search is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module

from sweeps.spec.factorial_designs import design, summary
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space
from sweeps.spec.strategy_names import PROBED
from sweeps.strategies.history import History, PastTrial, Propose
from trainer.candidate import Candidate
from trainer.errors import UserError

Strategy = Callable[[Space, History, int], Candidate | None]

MODULE_OF = {  # strategy -> the module of its function; imported when asked for, since Optuna and SciPy take seconds
    "guided": "sweeps.strategies.guided",
    "greedy": "sweeps.strategies.greedy",
    "tpe": "sweeps.strategies.optuna_samplers",
    "nsga2": "sweeps.strategies.optuna_samplers",
    "random": "sweeps.strategies.optuna_samplers",
    "qmc": "sweeps.strategies.optuna_samplers",
}


def strategy_of(name: str) -> Strategy:
    """The function of a strategy that proposes; it has the strategy's name."""
    strategy: Strategy = getattr(import_module(MODULE_OF[name]), name)
    return strategy


def proposer(
    search: Search, space: Space, seed: int, deadline: float, probe: Callable[[], Mapping[int, float]]
) -> Propose:
    """The next candidate after the trials so far; none when the budget is spent or the strategy has no more.

    `probe` measures each block alone, or reads what it measured; it is asked only where the strategy starts from that.
    Nothing new is proposed after the `deadline` (Unix time).
    """
    strategy = strategy_of(search.strategy)

    def propose(trials: tuple[PastTrial, ...]) -> tuple[Candidate, ...]:
        if time.time() >= deadline or is_spent(search, History(trials)):
            return ()
        history = History(trials, probe() if search.strategy in PROBED else {})
        candidate = None if is_spent(search, history) else strategy(space, history, seed)
        return () if candidate is None else (candidate,)

    return propose


def check_budget(search: Search, space: Space, start: Sequence[Candidate], folds: int) -> None:
    """Raise `UserError` where a budget does not even last for what the search starts from: it would find nothing."""
    trainings = folds * len({candidate.training for candidate in start if candidate.epochs})
    trainings += len(space.varied) if search.strategy in PROBED else 0
    for key, limit, needed in (("trials", search.trials, len(start)), ("trainings", search.trainings, trainings)):
        if search.proposes and 0 < limit < needed:
            raise UserError(
                f"'search.{key}' must be at least {needed} here, but got {limit}: the baselines and masks that every "
                f"search starts from are {len(start)} trials and {trainings} trainings"
                f"{', the probe of each block included' if search.strategy in PROBED else ''}. Give more, or 0 for no "
                "limit."
            )


def is_spent(search: Search, history: History) -> bool:
    """Whether the budget of trials or trainings is used up. What failed or runs is a trial, too: it was handed out."""
    if search.trials and len(history.trials) >= search.trials:
        return True
    return bool(search.trainings) and history.trainings >= search.trainings


def planned_work(search: Search, missing: int, total: int, recorded_trials: int) -> str:
    """The work ahead as text: what is missing of a list, or what a search starts from and how far it may go."""
    if not search.proposes:
        return f"{missing} of {total} trials to run"
    limits = f"{budget(search)}; {recorded_trials} recorded"
    return f"{missing} trials to start from, then {searcher_name(search)} proposes ({limits})"


def searcher_name(search: Search) -> str:
    """The name of the strategy for a reader."""
    return f"KerasTuner's {search.strategy}" if search.engine == "keras-tuner" else search.strategy


def budget(search: Search) -> str:
    """The limits of a search as text."""
    limits = {"trials": search.trials, "trainings": search.trainings, "hours": search.hours}
    return " and ".join(f"{number:g} {unit}" for unit, number in limits.items() if number) or "until it ends by itself"


def warnings(search: Search, n_blocks: int) -> Iterator[str]:
    """Notes before a sweep starts: which effects a factorial design cannot tell apart."""
    if search.strategy == "factorial":
        yield f"Design: {summary(design(n_blocks, search.cells))}"
