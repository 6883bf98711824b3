from __future__ import annotations

import numpy as np
import pytest

from trainer.channels import as_grey, in_channels, luminance, with_channels

GREY = np.random.default_rng(0).random((2, 4, 5), np.float32)
COLOUR = np.random.default_rng(1).random((2, 4, 5, 3), np.float32)


def test_grey_is_the_luminance_and_equal_channels_give_exactly_their_value() -> None:
    assert as_grey(GREY) is GREY
    np.testing.assert_array_equal(luminance(np.repeat(GREY[..., None], 3, axis=-1)), GREY)
    np.testing.assert_allclose(as_grey(COLOUR), COLOUR @ [0.299, 0.587, 0.114], atol=1e-6)


def test_a_network_is_given_the_channels_that_it_reads() -> None:
    assert [with_channels(GREY).shape, in_channels(COLOUR, 3).shape] == [(2, 4, 5, 1), (2, 4, 5, 3)]
    np.testing.assert_array_equal(in_channels(GREY, 3), np.stack([GREY] * 3, axis=-1))
    with pytest.raises(ValueError, match="images of 3 channels do not fit a network that reads 1"):
        in_channels(COLOUR, 1)
