"""The image files of a folder: in the order people count, without what archivers leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.data.folder import count, few, files, image_files, natural_key, only, subfolders, unread


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "a.PNG",
        "b/c.jpg",
        "b/notes.txt",
        "b/no suffix",
        ".hidden/d.png",
        "__MACOSX/e.png",
        "Thumbs.db",
        "._f.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return sorted(path.name for path in paths)


def test_hidden_files_and_those_of_archivers_are_none(folder: Path) -> None:
    assert names(image_files(folder)) == ["a.PNG", "c.jpg"] and names(image_files(folder, "*")) == ["a.PNG"]
    assert names(list(files(folder, "**/*"))) == ["a.PNG", "c.jpg", "no suffix", "notes.txt"]
    assert names(subfolders(folder)) == ["b"]


def test_all_fit_or_none_is_taken(folder: Path) -> None:
    assert names(only(folder, lambda path: path.suffix)) == ["a.PNG", "c.jpg"]
    assert only(folder, lambda path: path.suffix == ".PNG") == []


def test_files_of_other_formats_are_told_by_suffix(folder: Path) -> None:
    (note,) = unread(folder)
    assert note.endswith("not read: 1 .txt, 1 no suffix")
    assert unread(folder / ".hidden") == ()


@pytest.mark.parametrize(
    "ordered", [["b (2)", "b (10)"], ["1", "02", "10", "a"], ["x1y2", "x1y10", "x2y1"], ["", "0", "a"]]
)
def test_numbers_sort_as_numbers(ordered: list[str]) -> None:
    assert sorted(reversed(ordered), key=natural_key) == ordered


def test_a_few_names_and_counts_read_as_words() -> None:
    paths = tuple(Path(name) for name in "abcd")
    assert (few(paths[:3]), few(paths)) == ("a, b, c", "a, b, c, ...")
    assert (count(paths[:1], "image"), count(paths, "image")) == ("1 image", "4 images")
