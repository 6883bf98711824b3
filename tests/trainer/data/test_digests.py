"""What images are known by: their content, and their files for as long as these stay as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.config import DataConfig
from trainer.data.digests import content_digest, files_digest, table_digest
from trainer.data.pairing.pairs import Layout, Pair

IMAGES, MASKS = np.zeros((2, 4, 4), np.float32), np.zeros((2, 4, 4), np.uint8)
SAME: dict[str, Any] = {"images": IMAGES, "masks": MASKS, "names": ("a", "b"), "labels": ("", "")}


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.where(np.arange(32).reshape(2, 4, 4) == 5, np.float32(0.5), IMAGES)},
        {"masks": np.ones_like(MASKS)},
        {"names": ("b", "a")},
        {"labels": ("", "benign")},
        {"images": IMAGES.reshape(1, 8, 4), "masks": MASKS.reshape(1, 8, 4)},
    ],
)
def test_anything_that_is_trained_on_changes_the_content(change: dict[str, Any]) -> None:
    assert content_digest(**SAME) == content_digest(**SAME)
    assert content_digest(**SAME | change) != content_digest(**SAME)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    for name in ("a.png", "a_mask.png"):
        (tmp_path / name).write_text(name)
    return Layout("suffix", (Pair("a", tmp_path / "a.png", (tmp_path / "a_mask.png",), ""),), ())


def test_files_are_read_once_and_again_when_one_changes(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_digest(layout, tmp_path, tmp_path / "cache")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", None)  # nobody may read an image again
        assert files_digest(layout, tmp_path, tmp_path / "cache") == before
    (tmp_path / "a_mask.png").write_text("other")
    assert files_digest(layout, tmp_path, tmp_path / "cache") != before


def test_the_folder_may_move_but_its_bytes_count(layout: Layout, tmp_path: Path) -> None:
    image = layout.pairs[0].image
    before = files_digest(layout, tmp_path, tmp_path / "cache")
    os.utime(image, (1, 1))  # another time, the same bytes: read again, the same digest
    assert files_digest(layout, tmp_path, tmp_path / "cache") == before
    (remembered, *_) = (tmp_path / "cache" / "listings").iterdir()
    remembered.write_text("damaged")
    assert files_digest(layout, tmp_path, tmp_path / "cache") == before


def test_another_table_of_patients_is_another_digest(tmp_path: Path) -> None:
    table = tmp_path / "patients.csv"
    table.write_text("image,patient\na,1\n")
    config = DataConfig(patients=str(table))
    before = table_digest(config)
    table.write_text("image,patient\na,2\n")
    assert len(before) == 64 and table_digest(config) != before and table_digest(DataConfig()) == ""
