"""The image files of a folder: in the order people count, without what archivers leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.data.listing.folder import (
    bare,
    broken_links,
    count,
    few,
    files,
    image_files,
    left_alone,
    natural_key,
    only,
    subfolders,
    target,
    unread,
)


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


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "a.png").touch()
    (elsewhere / "deep" / "back").symlink_to(elsewhere)
    root = tmp_path / "set"
    root.mkdir()
    (root / "b.png").symlink_to(elsewhere / "deep" / "a.png")
    (root / "linked").symlink_to(elsewhere, target_is_directory=True)
    (root / "self").symlink_to(root)
    assert sorted(path.relative_to(root).as_posix() for path in image_files(root)) == ["b.png", "linked/deep/a.png"]
    (note,) = left_alone(root)
    assert note == "2 links back into a folder above, not followed (back, self)"


def test_a_web_of_links_comes_to_an_end(tmp_path: Path) -> None:
    rooms = [tmp_path / name for name in "abcdef"]
    for room in rooms:
        room.mkdir()
        (room / "x.png").touch()
        for other in rooms:
            (room / f"to-{other.name}").symlink_to(other)
    assert len(image_files(tmp_path)) > len(rooms)
    assert left_alone(tmp_path)


def test_links_to_nothing_are_named_also_as_text(tmp_path: Path) -> None:
    (tmp_path / "x.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "clinic").symlink_to("nowhere")
    (tmp_path / "old.log").symlink_to("nowhere")  # no image
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "as-text").write_text("../LICENSE\n")
    assert names(list(broken_links(tmp_path))) == ["as-text", "clinic", "loop.png", "x.png"]
    assert target(tmp_path / "clinic") == "nowhere"
    assert target(tmp_path / "b" / "as-text") == "../LICENSE, copied as a text file"


def test_hidden_images_are_left_alone_with_a_word(folder: Path) -> None:
    assert left_alone(folder) == ("hidden, left alone: 2 (._f.png, .hidden)",)


@pytest.mark.parametrize(("name", "stem"), [("a.b.PNG", "a.b"), ("x/a.tiff", "x/a"), (".png", ".png"), ("a", "a")])
def test_a_name_loses_its_file_suffix_only(name: str, stem: str) -> None:
    assert bare(Path(name)).as_posix() == stem
