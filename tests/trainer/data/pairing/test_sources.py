"""Where data come from: two folders by name, and settings that do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.data.drawn import touch
from trainer.config import DataConfig
from trainer.data.pairing.sources import find, find_whole, place
from trainer.errors import UserError


@pytest.mark.parametrize(
    ("images", "masks", "files"),
    [
        ("a/images", "b/labels", ["a/images/{n}.png", "b/labels/{n}.png"]),
        ("a", "b", ["a/x{n}.png", "b/x{n}_seg.png"]),
        ("a", "a/truth", ["a/{n}.png", "a/truth/{n}.png"]),
        ("a", "b", ["a/p{n}/1.png", "b/p{n}/1.png"]),
        ("a", "b", ["a/IMG_{n}.PNG", "b/img_0{n}.png"]),
        ("a/us", "a/us masks", ["a/us/Test_Image_{n}.png", "a/us masks/mask_{n}.png"]),
    ],
)
def test_two_folders_are_paired_by_names(tmp_path: Path, images: str, masks: str, files: list[str]) -> None:
    touch(tmp_path, *(name.format(n=n) for name in files for n in (1, 2, 3)))
    match = find_whole(DataConfig(f"{tmp_path}/{images}", masks=f"{tmp_path}/{masks}"))
    found = [tuple(path.relative_to(tmp_path).as_posix() for path in (pair.image, *pair.masks)) for pair in match.pairs]
    assert found == [tuple(name.format(n=n) for name in files) for n in (1, 2, 3)]
    assert match.notes[0].startswith("paired by names: ")


def test_what_two_folders_leave_over_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/notes.pdf")
    match = find(DataConfig(f"{tmp_path}/a", masks=f"{tmp_path}/b"))
    assert [path.name for path in match.without_mask] == ["2.png"]
    assert match.notes[-1].endswith("1 .pdf")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"path": "a", "masks": "no"}, "that of the masks, .*no, does not exist"),
        ({"path": "a", "masks": "b/x.png"}, "that of the masks, .*is a file"),
        ({"path": "a", "masks": "b"}, "must go together, but no file"),
        ({"path": "a", "masks": "b", "part": "train"}, "'data.part' goes with a folder"),
        ({"path": "a/*.png", "masks": "b/*.png", "layout": "BUSI"}, "'data.layout' goes with a folder"),
        ({"path": "a", "part": "train", "layout": "BUSI"}, "'data.layout' cannot be given"),
        ({"path": "a", "layout": "BUSY"}, r"did you mean 'BUSI'\?"),
        ({"path": "a", "layout": "BUSI"}, "'BUSI' finds no images"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], words: str
) -> None:
    touch(tmp_path, "a/1.png", "b/x.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        find(DataConfig(**config))  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "name"), [("set", "set"), ("set/*/us.png", "set"), ("set/t.csv", "t.csv")])
def test_data_are_called_by_their_folder_or_table(tmp_path: Path, given: str, name: str) -> None:
    touch(tmp_path, "set/t.csv")
    assert place(DataConfig(f"{tmp_path}/{given}")).name == name
