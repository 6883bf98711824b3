"""Lists in windows: every candidate once, few at a time, whatever the others became."""

from __future__ import annotations

import pytest

from sweeps.strategies.history import PastTrial, Status
from sweeps.strategies.list_windows import next_of_list, not_handed_out
from trainer.candidate import Candidate

LIST = tuple(Candidate(str(block), 2, 1e-3) for block in range(1, 8))


def test_a_list_comes_window_by_window_in_its_order() -> None:
    propose = next_of_list(LIST, 3)
    trials: tuple[PastTrial, ...] = ()
    windows = []
    while window := propose(trials):
        windows.append(window)
        trials = (*trials, *(PastTrial(candidate, "done", 0.5) for candidate in window))
    assert windows == [LIST[:3], LIST[3:6], LIST[6:]]


@pytest.mark.parametrize("status", ["done", "dropped", "failed", "open"])
def test_what_was_handed_out_is_not_handed_out_again_whatever_became_of_it(status: Status) -> None:
    trials = [PastTrial(candidate, status) for candidate in (LIST[4], LIST[0], Candidate("9", 2, 1e-3))]
    assert list(not_handed_out(LIST, trials)) == [*LIST[1:4], *LIST[5:]]
