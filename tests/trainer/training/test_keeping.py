"""A state is kept every few minutes, and so rarely that it takes little of the time."""

from __future__ import annotations

import pytest

from trainer.training.keeping import KEEP_SECONDS, KeepPace


@pytest.mark.parametrize(("cost", "pause"), [(0.0, KEEP_SECONDS), (3.0, KEEP_SECONDS), (10.0, 500.0)])
def test_the_next_state_is_due_after_minutes_or_fifty_times_what_the_last_one_took(cost: float, pause: float) -> None:
    now = [1000.0]
    pace = KeepPace(lambda: now[0])
    now[0] += KEEP_SECONDS - 1
    assert not pace.is_due()
    now[0] += 1
    assert pace.is_due()

    def keep() -> None:
        now[0] += cost

    pace.timed(keep)
    now[0] += pause - 1
    assert not pace.is_due()
    now[0] += 1
    assert pace.is_due()
