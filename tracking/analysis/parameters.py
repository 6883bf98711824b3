"""What the two halves of the network hold, beside what the study says of them."""

from __future__ import annotations

from tracking.record import Json, SweepInfo
from tracking.units import head_of, numbered, own_network, study_network, unit_of
from trainer.masks import parse


def parameter_object(info: SweepInfo) -> Json | None:
    """`contracting`, `expanding`, `ratio`, `by_convolution` (the study's cut, or null) and a `note`; null without the
    two named masks. A head that trains with every mask is in neither part.
    """
    if not {"contracting", "expanding"} <= info.named_masks.keys():
        return None
    contracting, expanding = (_held(info.named_masks[name], info.block_params) for name in ("contracting", "expanding"))
    ratio = contracting / max(1, expanding)
    by_convolution, by_block = _cuts(info) or (None, None)
    note = (
        f"Contracting ({numbered(info.named_masks['contracting'], info.spec)}) holds {ratio:.2f} times the parameters "
        f"of expanding ({numbered(info.named_masks['expanding'], info.spec)}): {contracting:,} against {expanding:,}."
    )
    if not study_network(info.spec):
        note += (
            f" Both words mean no more here than the first and the second half of the {info.n_blocks} blocks of "
            f"{own_network(info.spec) or 'this partition'}."
        )
    elif by_convolution is not None and unit_of(info.spec) == "conv":
        note += (
            " The study says that the contracting part has almost half of the expanding part's, and this is the cut "
            f"for which that holds. Cut between blocks, 1-5 against 6-9, it has {by_block:.2f} times as many."
        )
    elif by_convolution is not None:
        note += (
            " The study says that the contracting part has almost half of the expanding part's. That holds only when "
            f"the network is cut between its convolutions, 1-9 against 10 to the end ({by_convolution:.2f})."
        )
    return {"contracting": contracting, "expanding": expanding, "ratio": ratio, "by_convolution": by_convolution,
            "note": note}  # fmt: skip


def _held(mask: str, block_params: list[int]) -> int:
    """Parameters of a written mask such as `1-5` or `1,2,9`."""
    return sum(block_params[block - 1] for block in parse(mask, len(block_params)).blocks)


def _cuts(info: SweepInfo) -> tuple[float, float] | None:
    """Parameters of convolutions 1-9 over those of 10 to the end, and of blocks 1-5 over 6 to the end, the head at the
    end; None for any network but the study's.

    Block 5 of the study's network is convolution 9 (8f to 16f channels, 3x3, bias) and 10 (16f to 16f).
    """
    filters = int(dict(info.spec.get("model", {})).get("filters", 0))
    ninth, tenth = (9 * channels * filters * 16 * filters + 16 * filters for channels in (8, 16))
    conv = unit_of(info.spec) == "conv"
    units = list(info.block_params)
    before, deepest = (8, units[8:10]) if conv else (4, units[4:5])
    expected = (18 if conv else 9) + (head_of(info.spec) == "own")
    if (
        not filters
        or not study_network(info.spec)
        or len(units) != expected
        or deepest != ([ninth, tenth] if conv else [ninth + tenth])
    ):
        return None
    first, rest = sum(units[:before]), sum(units[before + len(deepest) :]) + info.always_params
    return (first + ninth) / (tenth + rest), (first + ninth + tenth) / rest
