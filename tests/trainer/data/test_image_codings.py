"""One image in every coding that people have: read as the same grey, or refused in words, alone as in its set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.trainer.data.image_codings import CODINGS, RAMP, Coding, read, written
from trainer.config import DataConfig
from trainer.data.images import read_grey
from trainer.data.intensity import IntensityRule, Limits, decide, rule_of
from trainer.errors import UserError


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_a_coding_is_read_right_or_refused_as_a_set_and_in_part(tmp_path: Path, coding: Coding) -> None:
    paths, greys = written(coding, tmp_path)
    for part in (slice(None), slice(0, 1), slice(1, 2), slice(2, 3)):
        if coding.refused:
            with pytest.raises(UserError, match=coding.refused):
                read(paths[part])
            continue
        rule, read_greys = read(paths[part])
        assert rule_of(rule.table()) == rule
        assert coding.says in " ".join(rule.notes)
        assert bool(rule.notes) == bool(coding.says)
        assert rule.is_plain == (not coding.says)
        for grey, image in zip(greys[part], read_greys, strict=True):
            assert image.dtype == np.float32
            np.testing.assert_allclose(image, coding.truth(grey), atol=coding.tolerance + 1e-6)


def test_where_a_part_would_be_read_otherwise_the_set_says_how_to_hold_it(tmp_path: Path) -> None:
    for number, top in enumerate((4095, 700)):
        Image.fromarray(np.round(RAMP * top).astype(np.uint16)).save(tmp_path / f"x{number}.png")
    whole, _ = read([tmp_path / "x0.png", tmp_path / "x1.png"])
    (advice,) = (note for note in whole.notes if "by themselves" in note)
    assert "1 of 2 images" in advice and "data.range=[0, 4095]" in advice
    part = decide([(tmp_path / "x1.png", None)], DataConfig(range=(0, 4095)))
    for rule in (whole, part):
        np.testing.assert_allclose(read_grey(tmp_path / "x1.png", None, rule), RAMP * 700 / 4095, atol=1e-3)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (DataConfig(intensity="file"), RAMP * 2000 / 65535),
        (DataConfig(intensity="image"), RAMP),
        (DataConfig(range=(0, 1000)), np.clip(RAMP * 2, 0, 1)),
        (DataConfig(range=(-2000, 2000)), RAMP / 2 + 0.5),
    ],
)
def test_the_rule_that_is_asked_for(tmp_path: Path, config: DataConfig, expected: NDArray[np.float64]) -> None:
    Image.fromarray(np.round(RAMP * 2000).astype(np.uint16)).save(tmp_path / "x.png")
    rule = decide([(tmp_path / "x.png", None)], config)
    np.testing.assert_allclose(read_grey(tmp_path / "x.png", None, rule), expected, atol=1e-3)


def test_what_a_network_was_trained_with_stands(tmp_path: Path) -> None:
    """And what its set did not hold is decided from the images given."""
    Image.fromarray(np.round(RAMP * 700).astype(np.uint16)).save(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "y.tif", (RAMP * 255).astype(np.float32), photometric="minisblack")
    known = IntensityRule(integers=Limits(0, 4095))
    rule = decide([(tmp_path / "x.png", None), (tmp_path / "y.tif", None)], DataConfig(), known)
    assert (rule.integers, rule.floats) == (Limits(0, 4095), Limits(0, 255))


def test_floats_of_two_scales_in_one_set_are_refused(tmp_path: Path) -> None:
    for number, top in enumerate((1, 255)):
        tifffile.imwrite(tmp_path / f"{number}.tif", (RAMP * top).astype(np.float32), photometric="minisblack")
    with pytest.raises(UserError, match=r"hold 0 to 255.*data\.range"):
        decide([(tmp_path / f"{number}.tif", None) for number in range(2)], DataConfig())


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\0\0\0\x18ftypheic", r"it is HEIC"),
        (b"\x93NUMPY\x01\0", r"it is a NumPy array"),
        (bytes(128) + b"DICM", r"it is DICOM \(name it \.dcm\)"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path: Path, start: bytes, words: str) -> None:
    (tmp_path / "x.png").write_bytes(start + bytes(200))
    with pytest.raises(UserError, match=words):
        read([tmp_path / "x.png"])


@pytest.mark.parametrize(
    "config", [DataConfig(intensity="file"), DataConfig(intensity="image"), DataConfig(range=(0, 900))]
)
def test_what_was_asked_for_in_training_is_kept_for_predictions(tmp_path: Path, config: DataConfig) -> None:
    Image.fromarray(np.round(RAMP * 700).astype(np.uint16)).save(tmp_path / "x.png")
    trained = decide([(tmp_path / "x.png", None)], config)
    assert decide([(tmp_path / "x.png", None)], DataConfig(), rule_of(trained.table())) == trained
