"""A share of the cases; all thousand by `python -m tests.tracking.recording.exactly_once --cases 1000`."""

from __future__ import annotations

import pytest

from tests.tracking.recording.exactly_once import run_case


@pytest.mark.parametrize("seed", range(16))
def test_whatever_fails_everything_is_recorded_once(seed: int) -> None:
    run_case(seed)
