"""Forward selection on made-up landscapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.greedy import _best, greedy
from sweeps.strategies.history import History, PastTrial
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.masks import parse

GAINS = {1: 0.06, 2: 0.03, 3: -0.01, 4: 0.05, 5: -0.02}
SUBSETS = Search(space="subsets", epochs=(4, 8), learning_rate=(1e-3,))
Landscape = Callable[[Candidate], float | None]


def space(**changes: Any) -> Space:
    return space_of(replace(SUBSETS, **changes), [5, 4, 3, 2, 1], Settings())


def additive(candidate: Candidate) -> float:
    return 0.5 + sum(GAINS[block] for block in parse(candidate.mask, 5).blocks) + 0.01 * (candidate.epochs == 4)


def search(inside: Space, landscape: Landscape, known: tuple[PastTrial, ...] = ()) -> list[str]:
    """Everything that is proposed, one after the other, until nothing is."""
    history, found = History(known), []
    while (candidate := greedy(inside, history, 0)) is not None:
        score = landscape(candidate)
        seen = PastTrial(candidate, "failed" if score is None else "done", score, parameters=len(candidate.mask))
        history = History((*history.trials, seen))
        found.append(f"{candidate.mask} {candidate.epochs}")
    return found


def test_one_block_is_added_at_a_time_until_none_gains() -> None:
    rounds = "1 2 3 4 5", "1-2 1,3 1,4 1,5", "1-2,4 1,3-4 1,4-5", "1-4 1-2,4-5"
    largest = [f"{mask} 8" for masks in rounds for mask in masks.split()]
    assert search(space(), additive) == [*largest, "1-2,4 4"]  # the last: the winner with the other epoch count


@pytest.mark.parametrize(
    ("changes", "best", "steps"),
    [
        ({"max_blocks": 2}, "1,4", 5 + 4),
        ({"must_train": (3,)}, "1-4", 1 + 4 + 3 + 2 + 1),
        ({"must_freeze": (1,)}, "2,4", 4 + 3 + 2),
        ({"space": "orders"}, "1-2", 2 + 2),
        ({"space": "masks", "masks": ("1,4", "2-3", "1-2,4-5", "all")}, "1-2,4-5", 2 + 1 + 1),
    ],
)
def test_constraints_and_other_spaces_are_kept(changes: dict[str, Any], best: str, steps: int) -> None:
    inside = space(**changes)
    found = search(inside, additive)
    assert {parse(one.split()[0], 5) for one in found} <= set(inside.masks)
    assert found[-1] == f"{best} 4" and len(found) == steps + 1


def test_a_round_is_handed_out_whole_and_then_awaited() -> None:
    history = History()
    for block in range(1, 6):
        candidate = greedy(space(), history, 0)
        assert candidate is not None and candidate.mask == str(block)
        history = History((*history.trials, PastTrial(candidate, "open")))
    assert greedy(space(), history, 0) is None
    scored = [PastTrial(one.candidate, "done", additive(one.candidate)) for one in history.trials]
    assert greedy(space(), History((*scored[:4], history.trials[4])), 0) is None
    following = greedy(space(), History(tuple(scored)), 0)
    assert following is not None and following.mask == "1-2"


def test_what_is_known_is_not_tried_again_and_changes_nothing() -> None:
    known = tuple(
        PastTrial(one, "done", additive(one)) for one in (Candidate("1,4", 8, 1e-3), Candidate("all", 8, 1e-3))
    )
    whole = search(space(), additive)
    assert search(space(), additive, known) == [one for one in whole if one != "1,4 8"]


def test_failures_are_passed_over_and_nothing_but_failures_ends_the_search() -> None:
    assert search(space(), lambda one: None if "1" in one.mask else additive(one))[-1] == "2,4 4"
    assert search(space(), lambda one: None) == [f"{block} 8" for block in range(1, 6)]


def test_a_dropped_candidate_counts_with_its_estimate_and_ties_go_to_fewer_parameters() -> None:
    singles = [Candidate(str(block), 8, 1e-3) for block in range(1, 6)]
    scores = (0.5, 0.7, 0.7, 0.6, 0.4)
    trials = tuple(
        PastTrial(one, "dropped", score, parameters=9 - block)
        for block, (one, score) in enumerate(zip(singles, scores, strict=True))
    )
    following = greedy(space(), History(trials), 0)
    assert following is not None and following.mask == "1,3"


def test_a_larger_set_that_is_only_as_good_ends_the_search() -> None:
    flat = {"1 8": 0.6, "1-2 8": 0.6}
    found = search(space(), lambda one: flat.get(f"{one.mask} {one.epochs}", 0.5))
    assert found == [*(f"{block} 8" for block in range(1, 6)), "1-2 8", "1,3 8", "1,4 8", "1,5 8", "1 4"]


def test_the_winner_is_tried_with_everything_else_that_is_searched() -> None:
    inside = space(learning_rate=(1e-2, 1e-3), train=(("batch", (8, 4)),), max_blocks=1, epochs=(2, 4, 8))
    history, found = History(), []
    while (candidate := greedy(inside, history, 0)) is not None:
        found.append(candidate)
        history = History((*history.trials, PastTrial(candidate, "done", additive(candidate))))
    assert {(one.epochs, one.learning_rate, one.train) for one in found[:5]} == {(8, 1e-2, (("batch", 8),))}
    assert {one.mask for one in found[5:]} == {"1"} and len(set(found)) == 5 + 3 * 2 * 2 - 1
    assert [one.epochs for one in found[5:]] == [8] * 3 + [4] * 4 + [2] * 4


def test_of_equal_scores_with_equal_parameters_the_first_counts() -> None:
    seen = [PastTrial(Candidate(mask, 8, 1e-3), "done", 0.5, parameters=3) for mask in ("2", "4")]
    assert _best(seen) is seen[0] and _best(seen[::-1]) is seen[1] and _best([]) is None
