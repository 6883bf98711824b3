"""The parts that are held out: groups whole, each case once, and none with a say in how the others are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.data.png_files import png_of
from trainer.config import DataConfig
from trainer.data.cases import Cases, load_cases
from trainer.data.outer_parts import check_intensity, make_parts, some_cases
from trainer.errors import UserError


def made_up(groups: int = 12, per_group: int = 2, empty: int = 0) -> Cases:
    """Cases in groups; the masks of the first `empty` have nothing marked."""
    n = groups * per_group
    images = np.random.default_rng(0).random((n, 8, 8), np.float32)
    masks = np.ones((n, 8, 8), np.uint8) * (np.arange(n) >= empty)[:, None, None].astype(np.uint8)
    return Cases(
        *(images, masks, tuple(f"case {case}" for case in range(n)), ("",) * n, np.arange(n) // per_group),
        *("flat", "made up", False, (), "d" * 64),
        spacing=np.arange(2.0 * n).reshape(n, 2),
    )


def test_each_case_is_held_out_once_with_its_whole_group() -> None:
    cases = made_up()
    part_of = make_parts(cases, 3, 5, seed=0)
    assert np.bincount(part_of).tolist() == [8, 8, 8]
    assert all(len(set(part_of[cases.groups == group])) == 1 for group in range(12))
    np.testing.assert_array_equal(part_of, make_parts(cases, 3, 5, seed=0))
    assert (part_of != make_parts(cases, 3, 5, seed=1)).any()


@pytest.mark.parametrize(
    ("cases", "parts", "words"),
    [
        (made_up(4), 5, r"got outer=5 for 4 groups of 8 images"),
        (made_up(6), 2, r"without part 1 of outer=2 has 6 of 12 images. .*folds=5 for 3 groups of 6 images"),
        (made_up(12, 1, empty=11), 2, r"held out and left, but part \d of outer=2 (holds none|leaves none)"),
        (replace(made_up(3), groups=np.array([0] * 4 + [1, 2])), 3, "folds=5 for 2 groups"),
    ],
)
def test_parts_that_cannot_be_are_refused(cases: Cases, parts: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_parts(cases, parts, 5, seed=0)


def test_some_cases_are_those_of_the_whole_under_a_digest_of_their_own() -> None:
    whole = made_up()
    some = some_cases(whole, np.array([2, 3, 20]))
    assert some.names == ("case 2", "case 3", "case 20") and some.groups.tolist() == [1, 1, 10]
    np.testing.assert_array_equal(some.images, whole.images[[2, 3, 20]])
    assert some.spacing is not None and some.spacing[2].tolist() == [40, 41]
    digests = {whole.digest, some.digest, some_cases(whole, np.array([2, 3])).digest}
    others = some_cases(replace(whole, digest="e" * 64), np.array([2, 3, 20]))
    assert len(digests | {others.digest}) == 4


def sixteen_bits(folder: Path, highest: list[int]) -> DataConfig:
    """A set of PNG files of 16 bits, the brightest pixel of each given."""
    for number, high in enumerate(highest):
        pixels = np.random.default_rng(number).integers(0, high, (16, 16))
        pixels[0, 0] = high
        (folder / f"{number}.png").write_bytes(png_of(pixels))
        Image.fromarray(np.eye(16, dtype=np.uint8) * 255).save(folder / f"{number}_mask.png")
    return DataConfig(path=str(folder))


@pytest.mark.parametrize(
    ("highest", "sets", "decides"),
    [
        ([4000, 4000, 900, 4000], {}, False),
        ([4000, 900, 900, 900], {}, True),  # without the first all would be read as 10 bits
        ([4000, 900, 900, 900], {"range": (0.0, 4095.0)}, False),
        ([4000, 900, 900, 900], {"intensity": "image"}, False),
        ([4000, 4000, 4000, 4000], {"names": "hide"}, True),  # which file is which is not known
    ],
)
def test_a_part_that_decides_what_is_white_is_refused(
    tmp_path: Path, highest: list[int], sets: dict[str, object], decides: bool
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    config = replace(sixteen_bits(folder, highest), **sets)  # type: ignore[arg-type]
    cases = load_cases(config, 16, tmp_path / "cache")
    if not decides:
        check_intensity(cases, np.arange(4), config)
        return
    with pytest.raises(UserError, match=r"--set 'data.range=\[0, 4095\]' is what all of them give"):
        check_intensity(cases, np.arange(4), config)
