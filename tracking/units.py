"""What a mask's numbers count in a sweep, blocks or convolutions, and where the head trains; in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.record import Json, SweepInfo

WORDS = {"block": "block", "conv": "convolution"}


def unit_of(spec: Mapping[str, Any]) -> str:
    """`block` or `conv`: `partition.unit` of a spec; one that names none counts blocks."""
    return str(dict(spec.get("partition") or {}).get("unit", "block"))


def head_of(spec: Mapping[str, Any]) -> str:
    """`last`, `always` or `own`: `partition.head` of a spec."""
    return str(dict(spec.get("partition") or {}).get("head", "last"))


def own_network(spec: Mapping[str, Any]) -> str:
    """The name of the user's own network that a sweep searched, such as `my.keras`; "" for the built-in U-Net."""
    model = dict(spec.get("model") or {})
    return str(model["path"]).rsplit("/", 1)[-1] if model.get("path") else ""


def study_network(spec: Mapping[str, Any]) -> bool:
    """Whether the units are those of the study's U-Net: no network of the user's own, no table of blocks."""
    return not own_network(spec) and not dict(spec.get("model") or {}).get("blocks")


def network_sentence(spec: Mapping[str, Any]) -> str:
    """Which network of the user's own was searched, and how its batch normalisation was treated; "" for the U-Net."""
    name = own_network(spec)
    if not name:
        return ""
    policy = dict(spec.get("train") or {}).get("batch_norm", "frozen")
    how = "adapts to the training pictures" if policy == "adapt" else "keeps its statistics"
    cut = "as model.blocks says" if dict(spec["model"]).get("blocks") else "where the resolution changes"
    return f"The network is {name}, cut into blocks {cut}; batch normalisation in frozen blocks {how} ({policy})."


def unit_word(found: Json) -> str:
    """`block` or `convolution`, for a sweep's summary."""
    return WORDS.get(unit_of(found["settings"]), "block")


def numbered(mask: str, spec: Mapping[str, Any]) -> str:
    """A mask beside its name: `1-5`; where numbers count convolutions they say so: `convolutions 1-9`.

    >>> numbered("1-9", {"partition": {"unit": "conv"}}), numbered("1-5", {})
    ('convolutions 1-9', '1-5')
    """
    if unit_of(spec) == "block":
        return mask
    return f"convolution{'' if mask.isdecimal() else 's'} {mask}"


def head_sentence(info: SweepInfo) -> str:
    """Where the head (the last layer with weights) trains: which masks leave it as it was; which network has it."""
    return " ".join(words for words in (network_sentence(info.spec), _head_sentence(info)) if words)


def _head_sentence(info: SweepInfo) -> str:
    word, last = WORDS.get(unit_of(info.spec), "block"), info.n_blocks
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
