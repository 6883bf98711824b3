"""A sweep's spec as a report reads it: the few settings that it speaks of, each with its default, read in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.candidate import own_start_of


@dataclass(frozen=True)
class SpecView:
    """Settings of a resolved spec. What an older spec does not name has the default of its time.

    `unit`: what masks count, `block` or `conv` (`partition.unit`). `head`: where the head trains, `last`, `always` or
    `own` (`partition.head`). `network`: path of the user's own network (`model.path`), "" for the built-in U-Net.
    `own_blocks`: whether a table names the blocks (`model.blocks`). `filters`: width of the U-Net's first level, 0
    where it is not named. `batch_norm`: `frozen` or `adapt` (`train.batch_norm`). `orders`, `seeds`: `search.orders`
    and `search.seeds`, empty where the spec leaves them to the sweep; so are `start_seeds`. `starts`: (name, what) of
    `search.starts`. `space`: `search.space`, "" where not named.
    `reads`: lowest and highest value of the images as the network reads them (`model.reads`). `left_out`: random layers
    of the user's own network that its copy leaves out (`model.still`).
    """

    unit: str = "block"
    head: str = "last"
    network: str = ""
    own_blocks: bool = False
    filters: int = 0
    batch_norm: str = "frozen"
    orders: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    starts: tuple[tuple[str, str], ...] = ()
    start_seeds: tuple[int, ...] = ()
    space: str = ""
    reads: tuple[float, ...] = (0.0, 1.0)
    left_out: tuple[str, ...] = ()

    @property
    def own_start(self) -> str:
        """What the user calls the sweep's own start, the first with weights; "" where one start is all there is."""
        own = own_start_of(self.starts)
        return own[0] if own is not None and len(self.starts) > 1 else ""


def view_spec(spec: Mapping[str, Any]) -> SpecView:
    """The settings of a spec as it was recorded.

    >>> view_spec({"partition": {"unit": "conv"}, "search": {"seeds": [0, 1]}}).seeds
    (0, 1)
    """
    partition, model, train, search = (dict(spec.get(name) or {}) for name in ("partition", "model", "train", "search"))
    return SpecView(
        unit=str(partition.get("unit", "block")),
        head=str(partition.get("head", "last")),
        network=str(model.get("path") or ""),
        own_blocks=bool(model.get("blocks")),
        filters=int(model.get("filters", 0)),
        batch_norm=str(train.get("batch_norm", "frozen")),
        orders=tuple(search.get("orders") or ()),
        seeds=tuple(int(seed) for seed in search.get("seeds") or ()),
        starts=tuple((str(name), str(what)) for name, what in search.get("starts") or ()),
        start_seeds=tuple(int(seed) for seed in search.get("start_seeds") or ()),
        space=str(search.get("space") or ""),
        reads=tuple(float(bound) for bound in model.get("reads") or (0.0, 1.0)),
        left_out=tuple(map(str, model.get("still") or ())),
    )
