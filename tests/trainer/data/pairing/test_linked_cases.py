"""A case that a link reaches a second time is one case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.data.drawn import touch
from trainer.config import DataConfig
from trainer.data.pairing.sources import find
from trainer.errors import UserError


def test_a_case_behind_a_second_link_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "set/p1/images/1.png", "set/p1/masks/1.png", "more/images/2.png", "more/masks/2.png")
    for name in ("p2", "p3"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "more")
    match = find(DataConfig(str(tmp_path / "set")))
    assert [pair.name for pair in match.pairs] == ["p1/images/1", "p2/images/2"]
    assert match.notes[-1] == "1 image reached a second time by a link, read once (2.png)"


def test_one_image_in_two_classes_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "images/benign/1.png", "masks/benign/1.png")
    for kind in ("images", "masks"):
        (tmp_path / kind / "malignant").symlink_to("benign")
    with pytest.raises(UserError, match=r"by a link .*malignant.1\.png is .*'malignant' and 'benign'"):
        find(DataConfig(str(tmp_path)))


def test_links_to_different_files_stay(tmp_path: Path) -> None:
    touch(tmp_path, *(f"store/{n}{kind}.png" for n in (1, 2) for kind in ("", "_mask")))
    (tmp_path / "set").mkdir()
    for path in (tmp_path / "store").iterdir():
        (tmp_path / "set" / path.name).symlink_to(path)
    match = find(DataConfig(str(tmp_path / "set")))
    assert len(match.pairs) == 2 and match.notes == ()
