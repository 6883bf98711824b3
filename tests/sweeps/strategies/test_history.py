"""What a search knows: nothing twice, and every training that was paid for."""

from __future__ import annotations

from sweeps.strategies.history import History, PastTrial, Status
from trainer.candidate import Candidate

CANDIDATES = [Candidate(str(block), 2, 1e-3) for block in range(1, 5)]


def test_whatever_became_of_a_candidate_it_is_known() -> None:
    statuses: tuple[Status, ...] = ("done", "dropped", "failed", "open")
    trials = tuple(PastTrial(candidate, status) for candidate, status in zip(CANDIDATES, statuses, strict=True))
    assert History(trials).known == frozenset(CANDIDATES)


def test_what_was_begun_counts_and_the_probe_too() -> None:
    done, dropped, failed, waiting = CANDIDATES
    trials = (
        PastTrial(done, "done", 0.5, 5),
        PastTrial(dropped, "dropped", 0.3, 2),
        PastTrial(failed, "failed"),  # at least one
        PastTrial(waiting, "open"),
    )
    assert History(trials).trainings == 5 + 2 + 1 + 1
    assert History((PastTrial(done, "done", 0.5),), {1: 0.1, 2: 0.2}).trainings == 2  # all of it out of the ledger
