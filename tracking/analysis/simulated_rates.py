"""How often the printed tests find something where there is nothing, for the pages that print them.

Rates of 5,000 simulated sweeps of 17 equally good masks in five folds, with errors of the sizes that were measured on
trainings of disjoint data sets (docs/protocol.md, "Statistics"). `python -m tests.tracking.false_positives` simulates
them again; tests/tracking/analysis/test_false_positive_rates.py holds these numbers to it.
"""

from __future__ import annotations

from typing import Literal

Test = Literal[
    "contracting − expanding",
    "area between the curves",
    "both after Holm",
    "eight depths after Holm",
    "17 masks at two budgets after Holm",
    "any mask not tied with the best, all pairs",
    "the winner against three references after Holm",
    "effects of blocks after Holm",
    "effects of pairs of blocks after Holm",
    "starts after Holm",
    "masks over all starts after Holm",
    "interactions of start and mask after Holm",
    "contracting − expanding, three pre-trainings",
    "starts after Holm, three pre-trainings",
    "masks over all starts after Holm, three pre-trainings",
    "interactions of start and mask after Holm, three pre-trainings",
    "two sweeps",
]

RATES: dict[Test, float] = {  # in %, nominal 5
    "contracting − expanding": 3.2,
    "area between the curves": 3.4,
    "both after Holm": 3.2,
    "eight depths after Holm": 2.8,
    "17 masks at two budgets after Holm": 2.7,
    "any mask not tied with the best, all pairs": 0.6,
    "the winner against three references after Holm": 3.8,
    "effects of blocks after Holm": 2.9,
    "effects of pairs of blocks after Holm": 3.7,
    "starts after Holm": 3.0,
    "masks over all starts after Holm": 2.6,
    "interactions of start and mask after Holm": 3.2,
    "contracting − expanding, three pre-trainings": 2.8,
    "starts after Holm, three pre-trainings": 2.6,
    "masks over all starts after Holm, three pre-trainings": 2.2,
    "interactions of start and mask after Holm, three pre-trainings": 1.8,
    "two sweeps": 2.7,
}


def false_positives(*tests: Test) -> str:
    """What to print beside these tests.

    >>> false_positives("two sweeps").startswith("False positives (nominal 5 %; simulated")
    True
    """
    rates = ", ".join(f"{test} {RATES[test]:.1f} %" for test in tests)
    equal = "three starts and three masks, all equal," if "start" in tests[0] else "17 equal masks"
    return f"False positives (nominal 5 %; simulated with five folds, {equal} and errors as measured): {rates}."
