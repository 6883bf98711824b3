"""JSRT's headerless files: read the right way round in brightness, and refused where their bytes cannot be theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.data.formats.jsrt import BYTES, SIDE, TOP, check_length, read_raw
from trainer.errors import UserError


def test_values_are_inverted_and_scaled_high_byte_first(tmp_path: Path) -> None:
    values = np.zeros((SIDE, SIDE), ">u2")
    values[0, :3] = 0, TOP, 1024
    values.tofile(tmp_path / "a.IMG")
    image = read_raw(tmp_path / "a.IMG")
    assert image.shape == (SIDE, SIDE) and image.dtype == np.float32
    np.testing.assert_allclose(image[0, :3], [1, 0, 1 - 1024 / TOP], rtol=1e-6)


@pytest.mark.parametrize(
    ("largest", "words"),
    [
        (0x1010, r"12-bit values \(0 to 4095\).*holds 4112\. Download it again"),
        (0x0100, None),
        (0xFF0F, "holds 65295. Its bytes are in the other order"),  # 4095 with its bytes swapped
    ],
)
def test_more_than_twelve_bits_are_refused_with_the_remedy(tmp_path: Path, largest: int, words: str | None) -> None:
    np.full((SIDE, SIDE), largest, ">u2").tofile(tmp_path / "a.IMG")
    if words is None:
        assert read_raw(tmp_path / "a.IMG").max() < 1
    else:
        with pytest.raises(UserError, match=words):
            read_raw(tmp_path / "a.IMG")


@pytest.mark.parametrize(("extra", "words"), [(-1, "is truncated: 8,388,607 bytes"), (1, "is of another size")])
def test_the_length_is_all_there_is_to_go_by(tmp_path: Path, extra: int, words: str) -> None:
    (tmp_path / "a.IMG").write_bytes(bytes(BYTES + extra))
    with pytest.raises(UserError, match=words):
        check_length(tmp_path / "a.IMG")
