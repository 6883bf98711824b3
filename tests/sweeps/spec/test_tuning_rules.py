"""The rules of how a block is tuned: budgets that reach the mask, settings that matter, what a network must have."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.spec.load import load_spec
from sweeps.spec.search_section import Search
from sweeps.spec.tuning_rules import network_rules, tuning_mistakes
from trainer.config import TrainConfig
from trainer.errors import UserError

BOTH = ("schedule", ("at-once", "head-first"))


@pytest.mark.parametrize(
    ("search", "train", "said"),
    [
        ({"epochs": (3, 12)}, {}, ""),
        ({"epochs": (4, 12)}, {"schedule": "head-first"}, ""),
        ({"epochs": (3, 12)}, {"schedule": "head-first"}, "(train.head_epochs = 3, which the baselines have) where"),
        ({"epochs": (3, 12), "train": (BOTH,)}, {}, "else the mask would never train, but got [3, 12]"),
        ({"epochs": (12,), "train": (("head_epochs", (2, 12)),)}, {"schedule": "head-first"}, "head_epochs = 12"),
        ({"epochs": (12,), "train": (("head_epochs", (2, 4)),)}, {"schedule": "head-first"}, ""),
        ({"epochs": (12,), "train": (BOTH, ("head_epochs", (2, 4)))}, {}, "'search.train.head_epochs' searches what"),
        ({"train": (("lora_rank", (2, 4)),)}, {"tune": "lora"}, ""),
        ({"train": (("lora_rank", (2, 4)), ("tune", ("all", "lora")))}, {}, "only where 'train.tune' is 'lora'"),
    ],
)
def test_what_any_network_asks_for(search: dict[str, Any], train: dict[str, Any], said: str) -> None:
    found = list(tuning_mistakes(Search(**search), TrainConfig(**train)))
    assert [said in mistake for mistake in found] == ([True] if said else [])


@pytest.mark.parametrize("there", [True, False])
def test_what_the_network_must_have(there: bool) -> None:
    search, train = Search(train=(("tune", ("all", "lora")), BOTH)), TrainConfig(tune="lora")
    found = list(network_rules(search, train, has_kernel=there, head="out/last", head_learns=there))
    said = ("'train.tune' = 'lora' adapts", "'search.train.tune' = 'lora' adapts", "'search.train.schedule' = 'head-fi")
    assert [mistake.startswith(words) for mistake, words in zip(found, said if not there else (), strict=True)] == (
        [] if there else [True] * 3
    )
    assert there or "but 'out/last' has none that can be trained" in found[-1]


def test_a_spec_says_all_of_it_at_once() -> None:
    sets = ["train.schedule=head-first", "search.epochs=[2]", "search.train.lora_rank=[0, 2]", "train.head_epochs=0"]
    with pytest.raises(UserError, match=r"train.head_epochs' must be at least 1.*") as told:
        load_spec("smoke", sets=[*sets, "train.lora_rank=0"])
    for words in (
        "'train.lora_rank' must be at least 1",
        "'search.train.lora_rank' must be at least 1, but got [0, 2]",
    ):
        assert words in str(told.value)
    with pytest.raises(UserError, match=r"'search.train.head_epochs' must be distinct whole numbers"):
        load_spec(
            "smoke", sets=["train.schedule=head-first", "search.epochs=[9]", "search.train.head_epochs=[[1], 'a']"]
        )
