"""What the two halves of the network hold, beside what the paper says of them."""

from __future__ import annotations

from dataclasses import dataclass

from tracking.analysis.comparisons import SIDES
from tracking.record import SweepInfo
from tracking.spec_view import view_spec
from tracking.units import is_paper_network, numbered, own_network
from trainer.masks import parse


@dataclass(frozen=True)
class Parameters:
    """How many parameters the two named masks train: `contracting`, `expanding` and their `ratio`; a head that trains
    with every mask is in neither. `by_convolution`: the ratio when the paper's network is cut between its convolutions
    9 and 10, None for any other network. `note`: what that means.
    """

    contracting: int
    expanding: int
    ratio: float
    by_convolution: float | None
    note: str


def half_parameters(info: SweepInfo) -> Parameters | None:
    """The parameters of both halves; None without the two named masks."""
    if not set(SIDES) <= info.named_masks.keys():
        return None
    contracting, expanding = (_parameters_of(info.named_masks[name], info) for name in SIDES)
    by_convolution, by_block = _cuts(info) or (None, None)
    return Parameters(
        contracting,
        expanding,
        contracting / max(1, expanding),
        by_convolution,
        _counts(contracting, expanding, info) + _paper(by_convolution, by_block, info),
    )


def _parameters_of(mask: str, info: SweepInfo) -> int:
    """Parameters of the blocks that a written mask trains."""
    return sum(info.block_params[block - 1] for block in parse(mask, info.n_blocks).blocks)


def _counts(contracting: int, expanding: int, info: SweepInfo) -> str:
    masks = [numbered(info.named_masks[name], info.spec, info.n_blocks) for name in SIDES]
    return (
        f"Contracting ({masks[0]}) holds {contracting / max(1, expanding):.2f} times the parameters of expanding "
        f"({masks[1]}): {contracting:,} against {expanding:,}."
    )


def _paper(by_convolution: float | None, by_block: float | None, info: SweepInfo) -> str:
    """What the paper says of its two parts, and for which cut that holds; of another network, that it says nothing."""
    if not is_paper_network(info.spec):
        return (
            f" Both words mean no more here than the first and the second half of the {info.n_blocks} blocks of "
            f"{own_network(info.spec) or 'this partition'}."
        )
    if by_convolution is None:
        return ""
    if view_spec(info.spec).unit == "conv":
        return (
            " The paper says that the contracting part has almost half of the expanding part's, and this is the cut "
            f"for which that holds. Cut between blocks, 1-5 against 6-9, it has {by_block:.2f} times as many."
        )
    return (
        " The paper says that the contracting part has almost half of the expanding part's. That holds only when "
        f"the network is cut between its convolutions, 1-9 against 10 to the end ({by_convolution:.2f})."
    )


def _cuts(info: SweepInfo) -> tuple[float, float] | None:
    """Parameters of convolutions 1-9 over those of 10 to the end, and of blocks 1-5 over 6 to the end, the head at the
    end; None for any network but the paper's.

    Block 5 of the paper's network is convolution 9 (8f to 16f channels, 3x3, bias) and 10 (16f to 16f).
    """
    spec, units = view_spec(info.spec), list(info.block_params)
    filters, conv = spec.filters, spec.unit == "conv"
    ninth, tenth = (9 * channels * filters * 16 * filters + 16 * filters for channels in (8, 16))
    before, deepest = (8, units[8:10]) if conv else (4, units[4:5])
    expected = (18 if conv else 9) + (spec.head == "own")
    if (
        not filters
        or not is_paper_network(info.spec)
        or len(units) != expected
        or deepest != ([ninth, tenth] if conv else [ninth + tenth])
    ):
        return None
    first, rest = sum(units[:before]), sum(units[before + len(deepest) :]) + info.always_params
    return (first + ninth) / (tenth + rest), (first + ninth + tenth) / rest
