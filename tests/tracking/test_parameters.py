from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info
from tracking.parameters import parameter_object

STUDY = [37_568, 221_440, 885_248, 3_539_968, 14_157_824, 9_438_208, 2_359_808, 590_080, 147_649]


def test_the_studys_network() -> None:
    found = parameter_object(replace(sweep_info(), block_params=STUDY, spec={"model": {"filters": 64}}))
    assert found is not None
    assert (found["contracting"], found["expanding"]) == (18_842_048, 12_535_745)
    assert found["ratio"] == pytest.approx(1.503, abs=5e-4)
    # Convolution 9 goes from 512 to 1024 channels, 10 from 1024 to 1024: 3 x 3 weights and a bias each.
    ninth, tenth = 9 * 512 * 1024 + 1024, 9 * 1024 * 1024 + 1024
    assert found["by_convolution"] == (sum(STUDY[:4]) + ninth) / (tenth + sum(STUDY[5:]))
    assert "1.50 times" in found["note"] and "(0.43)" in found["note"]


@pytest.mark.parametrize("spec", [{}, {"model": {"filters": 64}}, {"model": {"filters": 8}}])
def test_no_word_on_convolutions_of_another_network(spec: dict[str, dict[str, int]]) -> None:
    found = parameter_object(replace(sweep_info(), spec=spec))
    assert found is not None and found["by_convolution"] is None and "study" not in found["note"]


def test_a_network_without_the_two_parts() -> None:
    assert parameter_object(replace(sweep_info(), named_masks={"all": "all"})) is None
