"""Scores on external test sets come back from a run as they were recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import trial_info
from tracking.store.external_tags import (
    MOST,
    TAG,
    external_from_tags,
    external_from_text,
    external_text,
    external_to_tags,
)
from tracking.store.schema import trial_to_json
from tracking.store.writer import Tracker
from trainer.errors import UserError

COUNTS = {"clinic": np.random.default_rng(0).integers(0, 2**16, (5, 4, 30)), "b": np.ones((5, 4, 1), np.int64)}


def test_they_come_back_from_tags_and_text() -> None:
    for found in (external_from_tags(external_to_tags(COUNTS)), external_from_text(external_text(COUNTS))):
        assert found is not None and found.keys() == COUNTS.keys()
        assert all(np.array_equal(found[name], counts) for name, counts in COUNTS.items())


def test_without_test_sets_nothing_is_written() -> None:
    assert external_to_tags({}) == {} and external_text({}) == "" and external_from_tags({}) is None


def test_what_takes_too_many_tags_is_left_to_the_artifact() -> None:
    many = {"clinic": np.random.default_rng(0).integers(0, 2**31, (5, 4, 5000))}
    assert len(external_text(many)) > MOST * 5000 and external_to_tags(many) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"clinic": {}}', '{"clinic": {"axes": 3}}'])
def test_damaged_tags_count_as_none(text: str) -> None:
    assert external_from_tags({f"{TAG}0": text}) is None


@pytest.mark.parametrize("role", ["referee", "trial"])
def test_somebody_elses_predictions_have_none(role: Any, tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    info = replace(trial_info("shallow-first", 3), role=role)
    monkeypatch.setattr(tracker, "_scores", lambda run, orders: ())
    monkeypatch.setattr(tracker, "_artifact", lambda *_: None)
    run: Any = SimpleNamespace(
        info=SimpleNamespace(run_id="r", status="FINISHED", artifact_uri=""),
        data=SimpleNamespace(tags={"thaw.trial": trial_to_json(info)}, metrics={}),
    )
    read = partial(tracker._trial, run, 5, {}, has_external=True)
    if role == "referee":
        assert read().external == {}
        return
    with pytest.raises(UserError, match=r"external\.json of run r is missing"):
        read()
