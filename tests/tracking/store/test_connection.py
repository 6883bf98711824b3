from __future__ import annotations

import time

import pytest

from tests.tracking.made_up import sweep_info, trial_info
from tracking.store.writer import Tracker
from trainer.errors import UserError


@pytest.mark.parametrize(
    "uri",
    ["http://ann:hush@127.0.0.1:9", "sqlite:////proc/nowhere/mlflow.db", "nonsense://ann:hush@host/db"],
)
def test_a_store_that_cannot_be_opened_says_so_soon_and_keeps_secrets(uri: str) -> None:
    begun = time.monotonic()
    with pytest.raises(UserError, match="must be reachable") as caught:
        Tracker.connect(uri)
    assert time.monotonic() - begun < 8
    assert "hush" not in str(caught.value)


def test_more_trials_than_a_page_are_all_found(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.store.connection.PAGE", 2)
    sweep = tracker.open_sweep(sweep_info())
    for depth in range(1, 6):
        tracker.open_trial(sweep, trial_info("shallow-first", depth))
    assert len(tracker.trials(sweep)) == 5
