"""The rules of how a block is tuned: `train.tune` and `train.schedule`, also where `[search.train]` varies them."""

from __future__ import annotations

from collections.abc import Iterator

from sweeps.spec.search_section import Search
from trainer.candidate import TrainValue
from trainer.config import TrainConfig

# A setting -> the one that must have a value for it to change anything.
ONLY_WITH = {"lora_rank": ("tune", "lora"), "head_epochs": ("schedule", "head-first")}


def tuning_mistakes(search: Search, train: TrainConfig) -> Iterator[str]:
    """The rules that hold for any network."""
    alone = max(epochs for epochs in _values("head_epochs", search, train) if isinstance(epochs, int))
    key = "train.head_epochs" if alone == train.head_epochs else "search.train.head_epochs"
    if "head-first" in _values("schedule", search, train) and any(epochs <= alone for epochs in search.epochs):
        baselines = ", which the baselines have" if key == "train.head_epochs" else ""
        yield (
            f"'search.epochs' must all be larger than the epochs for which the head trains alone ({key} = "
            f"{alone}{baselines}) where 'head-first' may be chosen, else the mask would never train, but got "
            f"{list(search.epochs)}."
        )
    for name, (other, value) in ONLY_WITH.items():
        others = dict(search.train).get(other, (getattr(train, other),))
        if name in dict(search.train) and any(one != value for one in others):
            yield (
                f"'search.train.{name}' searches what changes something only where 'train.{other}' is '{value}': set "
                "that for all candidates, or leave this out."
            )


def network_rules(
    search: Search, train: TrainConfig, *, has_kernel: bool, head: str, head_learns: bool
) -> Iterator[str]:
    """The rules that need a look at the network: whether it has a kernel to adapt; the path of its head, and whether
    that has weights that can be trained.
    """
    for key in _keys("tune", "lora", search, train) if not has_kernel else ():
        yield (
            f"'{key}' = 'lora' adapts kernels of convolutions and dense layers, but this network has none. Leave it "
            "out."
        )
    for key in _keys("schedule", "head-first", search, train) if not head_learns else ():
        yield (
            f"'{key}' = 'head-first' trains the last layer with weights alone, but '{head}' has none that can be "
            "trained. Leave it out."
        )


def _values(name: str, search: Search, train: TrainConfig) -> list[TrainValue]:
    """What a setting may be: the sweep's own value, which its baselines have, and those that are searched, which may
    still be of any type.
    """
    return [getattr(train, name), *dict(search.train).get(name, ())]


def _keys(name: str, value: str, search: Search, train: TrainConfig) -> Iterator[str]:
    """The keys of a spec that choose a value."""
    if getattr(train, name) == value:
        yield f"train.{name}"
    if value in dict(search.train).get(name, ()):
        yield f"search.train.{name}"
