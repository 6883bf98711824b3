"""How often each printed test finds something where there is nothing; `-n 0 -s` shows the rates.

The generator and where its numbers are from: tests/tracking/equal_masks.py. `python -m tests.tracking.false_positives`
makes the table of docs/protocol.md, of 5,000 sweeps.
"""

from __future__ import annotations

import math

import pytest

from tests.tracking.false_positives import NOMINAL, NOT_PRINTED, SCENARIOS, WINNER, rates, show
from tracking.analysis.simulated_rates import RATES

SWEEPS = 300
TOO_SURE = 0.065


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, float]]:
    simulated = {scenario.name: rates(scenario, SWEEPS, seed=11, winners=False) for scenario in SCENARIOS}
    show(simulated)
    return simulated


def three_errors(rate: float, sweeps: int = SWEEPS) -> float:
    """Three standard errors of a rate over so many sweeps."""
    return 3 * math.sqrt(rate * (1 - rate) / sweeps)


def test_the_rates_that_pages_print_are_those_of_the_measured_errors(found: dict[str, dict[str, float]]) -> None:
    for test, percent in RATES.items():
        if test != WINNER:
            assert found["measured"][test] == pytest.approx(percent / 100, abs=three_errors(percent / 100)), test


def test_no_printed_test_is_too_sure_with_the_errors_as_measured(found: dict[str, dict[str, float]]) -> None:
    most = TOO_SURE + three_errors(TOO_SURE)
    assert {test: rate for test, rate in found["measured"].items() if test in RATES and rate > most} == {}


def test_the_generator_catches_a_test_that_is_too_sure(found: dict[str, dict[str, float]]) -> None:
    other = {name: rate for name, rate in found["most"].items() if NOT_PRINTED in name}
    assert len(other) == 2 and min(other.values()) > NOMINAL + three_errors(NOMINAL)


@pytest.mark.slow
def test_the_winner_is_not_too_sure_of_its_lead() -> None:
    sweeps = 1000
    (measured,) = (scenario for scenario in SCENARIOS if scenario.name == "measured")
    rate = rates(measured, sweeps, seed=12)[WINNER]
    assert rate == pytest.approx(RATES[WINNER] / 100, abs=three_errors(RATES[WINNER] / 100, sweeps))
