"""Rules between the sections of a spec, and how many units a mask chooses among."""

from __future__ import annotations

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.validation import partition_of, refuse, rules, units_of
from trainer.config import AugmentConfig, ModelConfig, PartitionConfig, Settings
from trainer.errors import UserError


@pytest.mark.parametrize(
    ("settings", "units"),
    [
        (Settings(), 9),
        (Settings(partition=PartitionConfig(head="own")), 10),
        (Settings(partition=PartitionConfig(head="always")), 9),
        (Settings(partition=PartitionConfig(unit="conv")), 18),
        (Settings(model=ModelConfig(path="a.keras")), None),
        (Settings(model=ModelConfig(blocks=(("*",),))), None),
    ],
)
def test_units_are_known_of_the_built_in_network_only(settings: Settings, units: int | None) -> None:
    assert units_of(settings) == units


@pytest.mark.parametrize(
    ("search", "settings", "said"),
    [
        (Search(), Settings(), None),
        (Search(neurons=(10,)), Settings(), "distinct block numbers from 1 to 9, but got [10]"),
        (Search(neurons=(10,)), Settings(model=ModelConfig(path="a.keras")), None),  # not known before it is looked at
        (Search(space="masks", masks=("12",)), Settings(), "block 12, which does not exist"),
        (Search(space="masks", masks=("12",)), Settings(model=ModelConfig(path="a.keras")), None),
        (Search(train=(("batch_norm", ("frozen", "adapt")),)), Settings(), "what this network does not have"),
        (Search(train=(("batch_norm", ("frozen", "adapt")),)), Settings(model=ModelConfig(path="a.keras")), None),
        (
            Search(strategy="tpe", trials=9),
            Settings(augmentation=AugmentConfig(total=9, order="leaky")),
            "repeats the trials of a grid, but the strategy is 'tpe'",
        ),
        (Search(), Settings(augmentation=AugmentConfig(total=9, order="leaky")), None),
        (
            Search(images=(20, 40)),
            Settings(augmentation=AugmentConfig(total=9, order="leaky")),
            "a smaller labelled set means nothing, but 'search.images' is [20, 40]",
        ),
        (Search(), Settings(folds=1), "'folds' must be at least 2, but got 1"),
    ],
)
def test_rules(search: Search, settings: Settings, said: str | None) -> None:
    broken = list(rules(search, settings))
    assert (broken == []) if said is None else (len(broken) == 1 and said in broken[0])


def test_no_mistake_is_no_refusal_and_several_are_listed() -> None:
    refuse("mine", [])
    with pytest.raises(UserError, match=r"^The spec 'mine' cannot be used:\n  - one\n  - two$"):
        refuse("mine", ["one", "two"])


@pytest.mark.parametrize(
    ("unit", "head", "said"),
    [
        ("convs", "last", "--unit must be one of block, conv, but got 'convs'"),
        ("block", "first", "--head must be one of last, always, own, but got 'first'"),
        ("conv", "own", "'partition.head' must be 'last' or 'always'"),
    ],
)
def test_partition_in_two_words(unit: str, head: str, said: str) -> None:
    assert partition_of("conv", "always") == PartitionConfig("conv", "always")
    with pytest.raises(UserError, match=said.replace(".", r"\.")):
        partition_of(unit, head)
