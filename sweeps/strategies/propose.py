"""What a search does next: the strategy's next candidate, as long as the budget lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, listed
from sweeps.spec.strategy_names import PROBED, strategy_of
from sweeps.strategies.history import History, Seen
from trainer.config import Candidate, Settings, UserError


def proposer(
    search: Search, space: Space, seed: int, until: float, probe: Callable[[], Mapping[int, float]]
) -> Callable[[tuple[Seen, ...]], Candidate | None]:
    """The next candidate after those seen so far; None when the budget is spent or the strategy has no more.

    `probe` measures each block alone, or reads what it measured; it is asked only where the strategy starts from that.
    `until` is the second (of the epoch) after which nothing new is begun.
    """
    strategy = strategy_of(search.strategy)

    def propose(seen: tuple[Seen, ...]) -> Candidate | None:
        if time.time() >= until or spent(search, History(seen)):
            return None
        history = History(seen, probe() if search.strategy in PROBED else {})
        return None if spent(search, history) else strategy(space, history, seed)

    return propose


def check_budget(search: Search, space: Space, settings: Settings) -> None:
    """Raise `UserError` where a budget does not even last for what the search starts from: it would find nothing."""
    start = listed(search, space, settings)
    trainings = settings.folds * len({one.training for one in start if one.epochs})
    trainings += len(space.varied) if search.strategy in PROBED else 0
    for key, given, needed in (("trials", search.trials, len(start)), ("trainings", search.trainings, trainings)):
        if search.proposes and 0 < given < needed:
            raise UserError(
                f"'search.{key}' must be at least {needed} here, but got {given}: the baselines and masks that every "
                f"search starts from are {len(start)} trials and {trainings} trainings"
                f"{', the probe of each block included' if search.strategy in PROBED else ''}. Give more, or 0 for no "
                "limit."
            )


def spent(search: Search, history: History) -> bool:
    """Whether the budget of trials or trainings is used up. What failed or runs is a trial, too: it was handed out."""
    if search.trials and len(history.trials) >= search.trials:
        return True
    return bool(search.trainings) and history.trainings >= search.trainings
