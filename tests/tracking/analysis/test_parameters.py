from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info
from tracking.analysis.parameters import half_parameters

PAPER = [37_568, 221_440, 885_248, 3_539_968, 14_157_824, 9_438_208, 2_359_808, 590_080, 147_649]


def test_the_papers_network() -> None:
    found = half_parameters(replace(sweep_info(), block_params=PAPER, spec={"model": {"filters": 64}}))
    assert found is not None
    assert (found.contracting, found.expanding) == (18_842_048, 12_535_745)
    assert found.ratio == pytest.approx(1.503, abs=5e-4)
    # Convolution 9 goes from 512 to 1024 channels, 10 from 1024 to 1024: 3 x 3 weights and a bias each.
    ninth, tenth = 9 * 512 * 1024 + 1024, 9 * 1024 * 1024 + 1024
    assert found.by_convolution == (sum(PAPER[:4]) + ninth) / (tenth + sum(PAPER[5:]))
    assert "1.50 times" in found.note and "(0.43)" in found.note


def convolutions(filters: int) -> list[int]:
    """Parameters of the paper's 18 convolutions, 3x3 with biases: widths 1, 2, 4, 8, 16, 8, 4, 2, 1 times `filters`."""
    widths = [filters * width for width in (1, 2, 4, 8, 16, 8, 4, 2, 1)]
    ins = [1, *widths[:4], *(below + skip for below, skip in zip(widths[4:], widths[3::-1], strict=False))]
    pairs = [(9 * inside * width + width, 9 * width * width + width) for inside, width in zip(ins, widths, strict=True)]
    return [count for pair in pairs for count in pair]


@pytest.mark.parametrize("head", ["last", "always"])
def test_the_papers_network_by_convolution(head: str) -> None:
    params = convolutions(64)
    assert [params[k] + params[k + 1] for k in range(0, 18, 2)][:8] == PAPER[:8]
    params[-1] += 65 if head == "last" else 0
    info = replace(
        sweep_info(),
        n_blocks=18,
        block_params=params,
        always_params=65 if head == "always" else 0,
        named_masks={"contracting": "1-9", "expanding": "10-18"},
        spec={"model": {"filters": 64}, "partition": {"unit": "conv", "head": head}},
    )
    found = half_parameters(info)
    assert found is not None and found.by_convolution == pytest.approx(sum(params[:9]) / (sum(PAPER) - sum(params[:9])))
    assert "(convolutions 1-9) holds 0.43 times" in found.note and "it has 1.50 times as many" in found.note


@pytest.mark.parametrize(
    ("head", "params", "always"), [("always", [*PAPER[:8], 147_584], 65), ("own", [*PAPER[:8], 147_584, 65], 0)]
)
def test_the_cut_is_the_same_wherever_the_head_trains(head: str, params: list[int], always: int) -> None:
    spec = {"model": {"filters": 64}, "partition": {"unit": "block", "head": head}}
    info = replace(
        sweep_info(),
        n_blocks=len(params),
        block_params=params,
        always_params=always,
        spec=spec,
        named_masks={"contracting": "1-5", "expanding": f"6-{len(params)}"},
    )
    found = half_parameters(info)
    plain = half_parameters(replace(sweep_info(), block_params=PAPER, spec={"model": {"filters": 64}}))
    assert found is not None and plain is not None and found.by_convolution == plain.by_convolution


@pytest.mark.parametrize("spec", [{}, {"model": {"filters": 64}}, {"model": {"filters": 8}}])
def test_no_word_on_convolutions_of_another_network(spec: dict[str, dict[str, int]]) -> None:
    found = half_parameters(replace(sweep_info(), spec=spec))
    assert found is not None and found.by_convolution is None and "paper" not in found.note


def test_a_network_without_the_two_parts() -> None:
    assert half_parameters(replace(sweep_info(), named_masks={"all": "all"})) is None


def test_masks_are_read_as_everywhere() -> None:
    one = replace(sweep_info(), n_blocks=1, block_params=[640], named_masks={"contracting": "all", "expanding": "none"})
    found = half_parameters(one)
    assert found is not None and (found.contracting, found.expanding, found.ratio) == (640, 0, 640)
    sparse = half_parameters(replace(sweep_info(), named_masks={"contracting": "1,3", "expanding": "deep-2"}))
    assert sparse is not None and (sparse.contracting, sparse.expanding) == (640 + 13952, 9280 + 2329)
