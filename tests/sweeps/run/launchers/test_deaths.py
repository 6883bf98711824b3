"""A worker's place is filled again as long as whoever takes it gets further."""

from __future__ import annotations

import pytest

from sweeps.run.launchers.deaths import Deaths
from sweeps.run.messages import Failed, FoldFinished, Kept, Message, Ready

FOLD, LATER, STEP = FoldFinished("t", "a", 1, 2, 0.5), FoldFinished("t", "a", 1, 4, 0.5), Kept("a", 2, 0, 3)


@pytest.mark.parametrize(
    ("heard", "replaced"),
    [
        ([None, None, None], True),
        ([None, None, None, None], False),
        ([Ready(), Ready(), Ready(), Ready()], False),
        ([FOLD, FOLD, FOLD], True),
        ([FOLD, FOLD, FOLD, FOLD], False),  # what comes from the ledger again is no progress
        ([FOLD, None, LATER, None, STEP, FOLD, LATER], True),
        ([STEP, None, None, FOLD, None], False),
        ([None, None, None, Failed("a", "given up"), None, None], True),
    ],
)
def test_three_deaths_without_progress_are_forgiven(heard: list[Message | None], replaced: bool) -> None:
    """One worker after the other takes a place; each says at most one thing, then it dies."""
    deaths = Deaths()
    for message in heard:
        if message is not None:
            deaths.hear(1, message)
        again = deaths.may_be_replaced(1)
    assert again == replaced and deaths.may_be_replaced(2)
