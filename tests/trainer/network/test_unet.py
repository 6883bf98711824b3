"""The study's network: its numbers, its blocks, its refusals."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.masks import parse
from trainer.network.blocks import partition, trainable_parameters
from trainer.network.unet import unet

PROTOCOL = [37_568, 221_440, 885_248, 3_539_968, 14_157_824, 9_438_208, 2_359_808, 590_080, 147_584 + 65]


def test_parameters_of_the_full_network_are_those_of_the_protocol() -> None:
    network = unet(ModelConfig(size=256, filters=64))
    blocks = partition(network)
    assert network.count_params() == 31_377_793
    assert [block.parameters for block in blocks] == PROTOCOL
    assert trainable_parameters(blocks, parse("contracting", 9)) > trainable_parameters(blocks, parse("expanding", 9))


def test_output_is_one_logit_per_pixel_and_seeded() -> None:
    config = ModelConfig(size=32, filters=2)
    image = np.full((1, 32, 32, 1), 0.5, np.float32)
    first, again, other = (unet(config, seed)(image) for seed in (3, 3, 4))
    assert first.shape == (1, 32, 32, 1)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (ModelConfig(size=40), "multiple of 16.*got 40"),
        (ModelConfig(size=16), "at least 32, but got 16"),
        (ModelConfig(filters=0), "at least 1, but got 0"),
        (ModelConfig(dropout=1.0), "in \\[0, 1\\)"),
    ],
)
def test_impossible_networks_are_refused(config: ModelConfig, words: str) -> None:
    with pytest.raises(UserError, match=words):
        unet(config)
