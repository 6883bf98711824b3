"""What a mask's numbers count in a sweep, blocks or convolutions, and where the head trains; in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.record import SweepInfo
from tracking.spec_view import view_spec
from trainer.masks import parse

WORDS = {"block": "block", "conv": "convolution"}


def unit_of(spec: Mapping[str, Any]) -> str:
    """`block` or `conv`: `partition.unit` of a spec; one that names none counts blocks."""
    return view_spec(spec).unit


def head_of(spec: Mapping[str, Any]) -> str:
    """`last`, `always` or `own`: `partition.head` of a spec."""
    return view_spec(spec).head


def unit_word(spec: Mapping[str, Any]) -> str:
    """`block` or `convolution`: what a mask of the sweep counts."""
    return WORDS.get(unit_of(spec), "block")


def own_network(spec: Mapping[str, Any]) -> str:
    """The name of the user's own network that a sweep searched, such as `my.keras`; "" for the built-in U-Net."""
    return view_spec(spec).network.rsplit("/", 1)[-1]


def is_paper_network(spec: Mapping[str, Any]) -> bool:
    """Whether the units are those of the paper's U-Net: no network of the user's own, no table of blocks."""
    return not own_network(spec) and not view_spec(spec).own_blocks


def network_sentence(spec: Mapping[str, Any]) -> str:
    """Which network of the user's own was searched, and how its batch normalisation was treated; "" for the U-Net.

    Values that are not those of thaw's images, and layers that were left out, are named.
    """
    name, view = own_network(spec), view_spec(spec)
    if not name:
        return ""
    how = "adapts to the training images" if view.batch_norm == "adapt" else "keeps its statistics"
    cut = "as model.blocks says" if view.own_blocks else "where the resolution changes"
    return (
        f"The network is {name}, cut into blocks {cut}; batch normalisation in frozen blocks {how} ({view.batch_norm})."
        + ("" if view.reads == (0, 1) else f" It reads values from {view.reads[0]:g} to {view.reads[1]:g}.")
        + (f" Random layers that move images are left out: {', '.join(view.left_out)}." if view.left_out else "")
    )


def numbered(mask: str, spec: Mapping[str, Any], n_blocks: int) -> str:
    """A mask beside its name: `1-5`; where numbers count convolutions they say so: `convolutions 1-9`.

    >>> numbered("1-9", {"partition": {"unit": "conv"}}, 18), numbered("1-5", {}, 9)
    ('convolutions 1-9', '1-5')
    """
    if unit_of(spec) == "block":
        return mask
    return f"convolution{'' if len(parse(mask, n_blocks).blocks) == 1 else 's'} {mask}"


def head_sentence(info: SweepInfo) -> str:
    """Where the head (the last layer with weights) trains: which masks leave it as it was; which network has it."""
    return " ".join(sentence for sentence in (network_sentence(info.spec), _head_sentence(info)) if sentence)


def _head_sentence(info: SweepInfo) -> str:
    word, last = unit_word(info.spec), info.n_blocks
    where = head_of(info.spec)
    if where == "always":
        return (
            f"The head ({info.always_params:,} parameters) trains with every mask, whatever the mask names, and counts "
            "among the trained parameters of each."
        )
    if where == "own":
        return (
            f"The head is a unit of its own, number {last} ({info.block_params[-1]:,} parameters): a mask without "
            f"{last} never trains it."
        )
    return (
        f"The head trains with {word} {last}: a mask without it, such as shallow-k for any k below {last}, never does."
    )
