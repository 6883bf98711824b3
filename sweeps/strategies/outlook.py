"""What a sweep is going to do, in words."""

from __future__ import annotations

from collections.abc import Iterator

from sweeps.spec.factorial_designs import design, summary
from sweeps.spec.search_section import Search


def to_do(search: Search, missing: int, listed: int, recorded: int) -> str:
    """How much is about to run: what is missing of a list, or what a search starts from and how far it may go."""
    if not search.proposes:
        return f"{missing} of {listed} trials to run"
    return f"{missing} trials to start from, then {who(search)} proposes ({budget(search)}; {recorded} recorded)"


def who(search: Search) -> str:
    """The strategy as a reader knows it."""
    return f"KerasTuner's {search.strategy}" if search.engine == "keras-tuner" else search.strategy


def budget(search: Search) -> str:
    """How far a search may go."""
    limits = {"trials": search.trials, "trainings": search.trainings, "hours": search.hours}
    return " and ".join(f"{number:g} {unit}" for unit, number in limits.items() if number) or "until it ends by itself"


def warnings(search: Search, n_blocks: int) -> Iterator[str]:
    """What to know before it starts: which effects a designed part cannot tell apart."""
    if search.strategy == "factorial":
        yield f"Design: {summary(design(n_blocks, search.cells))}"
