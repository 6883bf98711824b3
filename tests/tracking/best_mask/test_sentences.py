from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.tracking.best_mask.made_up_answers import TWO_SETTINGS, against, candidate, compared, ranking
from tests.tracking.made_up import sweep_info
from tracking.best_mask.ranking import CheapestChoice
from tracking.best_mask.sentences import ahead, cheapest_choice, digits, notes, percent, sentence

SCORE = "Dice 0.80 (0.81 before allowing for the search over 41 masks)"
ISSUE = (
    f"Thaw blocks 1-5: {SCORE}; 0.08 [0.02, 0.14] above expanding, 0.01 [−0.03, 0.05] above all; 4 cheaper masks tie, "
    "the smallest is 1-3 with 5 % of the parameters."
)
ALONE = (compared("1-5", 0.81, 600), compared("6-9", 0.72, 390, tied=False))
TWO_RATES = {"settings": TWO_SETTINGS, "best": candidate("1-5", 0.81, 600, train={"batch": 8})}
LOW = {"best": candidate("1-5", 0.04, 600)}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ISSUE),
        ({"synthetic": True}, f"{ISSUE} Synthetic data: no claim about real images."),
        ({"compared": ALONE}, "; no cheaper mask ties."),
        (
            {"compared": (compared("3", 0.8, 3), *ALONE)},
            "; 1 cheaper mask ties, it is 3 with 0.3 % of the parameters.",
        ),
        ({"best": candidate("all", 0.81, 1000)}, f"Thaw all blocks: {SCORE}"),
        ({"best": candidate("3", 0.81, 60)}, f"Thaw block 3: {SCORE}"),
        (
            TWO_RATES,
            "Thaw blocks 1-5 (12 epochs, lr 0.001, batch 8): Dice 0.80 (0.81 before allowing for the search "
            "over 41 candidates)",
        ),
        ({"corrected": None}, "Dice 0.81 (not corrected for the search over 41 masks)"),
        (
            {"against": (against("zero-shot", 0.02, -0.03, 0.07),)},
            "; not shown to be better than no training at all (0.02 [−0.03, 0.07] above zero-shot)",
        ),
        (
            {"against": (against("zero-shot", -0.03, -0.1, 0.04, dice=0.85),)},
            "Thaw nothing: without any training the Dice is 0.85; the best of 41 masks, blocks 1-5, has 0.80 (0.81 "
            "before allowing for the search over 41 masks), 0.03 [−0.04, 0.10] below zero-shot.",
        ),
        (
            {"against": (against("zero-shot", 0.5, 0.4, 0.6), against("scratch", -0.04, -0.09, 0.01))},
            "; all blocks from scratch score higher (0.04 [−0.01, 0.09] below scratch)",
        ),
        (LOW, "No answer: no mask of 41 scores more than 0.04 Dice, so the networks find almost nothing. Train longer"),
        (
            {"compared": ranking().compared[:5], "against": (against("all", 0.01, -0.03, 0.05),)},
            "No difference shown among 41 masks: highest is blocks 1-5: Dice 0.80",
        ),
    ],
)
def test_the_sentence(more: dict[str, Any], words: str) -> None:
    assert words in sentence(ranking(**more), sweep_info())


def test_a_difference_from_a_reference_is_a_difference_though_all_tie() -> None:
    assert sentence(ranking(compared=ranking().compared[:5]), sweep_info()).startswith("Thaw blocks 1-5")


def test_only_two_references_are_named() -> None:
    three = tuple(against(name, 0.1, 0.05, 0.15) for name in ("expanding", "contracting", "all"))
    words = sentence(ranking(against=three), sweep_info())
    assert "above expanding, 0.10 [0.05, 0.15] above all" in words and "contracting" not in words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "choice: 1-3, 50 parameters, Dice 0.790: the cheapest mask above 0.785, the best minus its SEM."),
        (
            {"settings": TWO_SETTINGS},
            "choice: 1-3 at 12 epochs, lr 0.001, 50 parameters, Dice 0.790: the cheapest cand",
        ),
    ],
)
def test_the_cheapest_choice(more: dict[str, Any], words: str) -> None:
    assert words in cheapest_choice(ranking(**more))


def test_networks_that_learned_nothing_have_no_cheapest_choice() -> None:
    cheap = CheapestChoice(**vars(candidate("1-3", 0.04, 50)), floor=0.03)
    assert cheapest_choice(ranking(**LOW, one_standard_error=cheap)) == ""


def test_the_notes_say_what_was_left_out() -> None:
    words = " ".join(notes(ranking(dropped=3, failed=1, against=()), sweep_info()))
    for expected in (
        "3 trials dropped before the last fold",
        "1 trial failed; left out",
        "2,000 times",
        "Not measured at the settings compared: expanding and all",
    ):
        assert expected in words
    assert "Expect the winner to score less" in " ".join(notes(ranking(corrected=None), sweep_info()))


@pytest.mark.parametrize(
    ("value", "words"), [(0.804, "0.80"), (-0.03, "−0.03"), (-0.001, "0.00"), (math.nan, "–"), (1.0, "1.00")]
)
def test_digits(value: float, words: str) -> None:
    assert digits(value) == words


def test_small_things() -> None:
    assert [percent(share) for share in (1.0, 0.05, 0.0061, 0.01)] == ["100 %", "5 %", "0.6 %", "1 %"]
    untested = against("all", 0.1, math.nan, math.nan, note="only one fold")
    assert ahead(untested) == "0.10 (no interval: only one fold) above all"
    assert ahead(replace(untested, mean=-0.2)) == "0.20 (no interval: only one fold) below all"
