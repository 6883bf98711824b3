"""What stands in keys: what always did, and later settings that are not at their default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from trainer import keys
from trainer.candidate import Candidate
from trainer.config import ModelConfig, TrainConfig
from trainer.keys import fields_in_key, values_left_out


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Made:
    old: int = 3
    later: tuple[str, ...] = ()
    nested: Inner = field(default_factory=Inner)
    required: str = field(kw_only=True)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FOUNDING", {**keys.FOUNDING, "Made": ("old",)})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"old": 3}, {"old": 3}),
        ({"old": 4, "later": ()}, {"old": 4}),
        ({"later": []}, {}),  # as JSON gives it back
        ({"later": ("a",)}, {"later": ("a",)}),
        ({"nested": {"depth": 1}}, {}),
        ({"nested": {"depth": 2}}, {"nested": {"depth": 2}}),
        ({"required": ""}, {"required": ""}),
        ({"of another version": 1}, {"of another version": 1}),
    ],
)
def test_later_fields_stay_out_at_their_default(table: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    assert fields_in_key(table, Made) == expected


def test_a_former_default_stays_out_and_the_new_one_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FORMER_DEFAULTS", {"Made.later": ["before"]})
    assert fields_in_key({"later": ("before",)}, Made) == {}
    assert fields_in_key({"later": ()}, Made) == {"later": ()}


def test_what_is_left_out_today() -> None:
    assert values_left_out(TrainConfig)["batch_norm"] == "frozen"
    assert values_left_out(Candidate)["train"] == []
    assert values_left_out(ModelConfig) | {"blocks": [], "architecture": "", "path": None} == values_left_out(
        ModelConfig
    )


def test_a_dataclass_without_founding_fields_is_refused() -> None:
    with pytest.raises(KeyError, match="Inner"):
        fields_in_key({}, Inner)


@pytest.mark.parametrize(
    ("candidate", "key"),
    [
        (Candidate("1-5", 2, 1e-3), "1f3b6aa05570d20b"),
        (Candidate("none", 0, 1e-3), "d8c2838a685482d2"),
        (Candidate("1", 3, 1e-2, "scratch", 4, "leaky"), "f10963cd14348a7c"),
        (Candidate("1", 3, 1e-2, train=(("batch", 8),)), "173b3158417fc94c"),
    ],
)
def test_candidates_have_the_keys_under_which_they_are_recorded(candidate: Candidate, key: str) -> None:
    """MLflow and Optuna know recorded trials by these digests."""
    assert candidate.key == key
