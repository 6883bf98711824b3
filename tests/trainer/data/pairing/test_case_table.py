"""Tables of images and masks: read as data, written from data, and every way in which they can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.data.drawn import Drawn, touch
from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.data.pairing.case_table import write_case_table
from trainer.data.pairing.pairs import Match, Pair
from trainer.data.pairing.sources import find, find_whole
from trainer.errors import UserError

FILES = ("i/1.png", "i/2.png", "m/1.png", "m/2.png", "m/2b.png", "t.txt")


def table(root: Path, text: str | bytes, name: str = "table.csv", **config: object) -> Match:
    touch(root, *FILES)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return find(DataConfig(str(root / name), **config))  # type: ignore[arg-type]


PLAIN = "image,mask\ni/1.png,m/1.png\ni/2.png,m/2.png\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", " , ") + "\n,\n",
        'Image,Mask\n"i/1.png","m/1.png"\ni/2.png,./m/2.png',
        PLAIN.replace("/", "\\"),
        "note,mask,image\n,m/1.png,i/1.png\n,m/2.png,i/2.png\n",
    ],
)
def test_tables_as_spreadsheets_save_them(tmp_path: Path, text: str | bytes) -> None:
    match = table(tmp_path, text)
    assert [(pair.name, pair.image.name, pair.masks[0].name) for pair in match.pairs] == [
        ("1", "1.png", "1.png"),
        ("2", "2.png", "2.png"),
    ]
    assert match.notes == ()


def test_several_masks_a_patient_a_class_and_absolute_paths(tmp_path: Path) -> None:
    text = f"image,mask,patient,class\ni/2.png,m/2.png,anna,cyst\n{tmp_path}/i/2.png,m/2b.png,anna,cyst\n"
    (pair,) = table(tmp_path, text).pairs
    assert ([mask.name for mask in pair.masks], pair.patient, pair.label) == (["2.png", "2b.png"], "anna", "cyst")


def test_columns_of_other_names(tmp_path: Path) -> None:
    names = {"image_column": "us", "mask_column": "truth", "patient_column": "who", "class_column": "kind"}
    (pair,) = table(tmp_path, "us,truth,who,kind\ni/1.png,m/1.png,a,b", **names).pairs
    assert (pair.patient, pair.label) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,maske\ni/1.png,m/1.png", r"must have a column 'mask'.* did you mean 'maske'\?.*data\.mask_column=NAME"),
        ("", "must have a column 'image', but it has: none"),
        ("image,mask\n", "a row for each image"),
        ("image,mask,mask\ni/1.png,m/1.png,m/2.png", "'mask' twice"),
        ("image,mask\ni/1.png,m/9.png\ni/8.png,m/1.png", r"2 files are missing \(8\.png, 9\.png; the first would be /"),
        ("image,mask\ni/1.png,t.txt", r"names image files, but .* names t\.txt"),
        ("image,mask\ni/1.png,i/1.png", "are two files"),
        ("image,mask,class\ni/2.png,m/2.png,cyst\ni/2.png,m/2b.png,solid", "one class, but .*'cyst' and 'solid'"),
        ("image,mask,patient\ni/2.png,m/2.png,a\ni/2.png,m/2b.png,b", "one patient"),
        ("image,mask,patient\ni/1.png,m/1.png,a\ni/2.png,m/2.png,", r"names none for 1 of 2 images \(2\.png\)"),
        (b"image,mask\n\xff\xfe\xfa", "cannot be read"),
        ("image,mask\ni/1,5.png,m/1.png", r"as many cells .* 2, but .* one of 3: i/1,5\.png,m/1\.png"),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        table(tmp_path, text)


def test_rows_without_image_or_mask_stop_or_are_left_out_knowingly(tmp_path: Path) -> None:
    text = "image,mask\ni/1.png,m/1.png\ni/2.png,\n,m/2.png\n"
    with pytest.raises(UserError, match=r"1 image without mask \(2\.png\) and 1 mask without image.*skip_unpaired"):
        table(tmp_path, text)
        find_whole(DataConfig(str(tmp_path / "table.csv")))
    layout = find_whole(DataConfig(str(tmp_path / "table.csv"), skip_unpaired=True))
    assert len(layout.pairs) == 1 and "left out as asked" in layout.notes[-1]


def test_what_is_odd_is_said(tmp_path: Path) -> None:
    match = table(tmp_path, PLAIN + "i/1.png,m/1.png\ni/2.png,m/1.png\n")
    assert match.notes == ("1 row of the table twice, read once (1.png)", "1 mask of several images (1.png)")


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("set.xlsx", {}, "is a spreadsheet. Save it as CSV"),
        ("table.csv", {"masks": "m"}, "Leave one out"),
        ("table.csv", {"class_column": "kind"}, "must have a column 'kind'"),
    ],
)
def test_what_a_table_cannot_be(tmp_path: Path, name: str, config: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        table(tmp_path, PLAIN, name, **config)


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be a CSV file, but .*no\.csv cannot be read"):
        find(DataConfig(str(tmp_path / "no.csv")))


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["images/1.png", "images/10.png", "images/2.png"], ["masks/1.png", "masks/10.png", "masks/2.png"]),
        (["images/b/1.png", "images/m/1.png"], ["masks/b/1.png", "masks/m/1.png"]),
        (["images/b/1.png", "images/b/2.png"], ["masks/b/1.png", "masks/b/2.png"]),  # names that paths do not give
        (["benign/a (1).png", "benign/a (2).png"], ["benign/a (1)_mask.png", "benign/a (2)_mask.png"]),
    ],
)
def test_a_written_table_gives_the_same_cases(
    tmp_path: Path, drawn: Drawn, images: list[str], masks: list[str]
) -> None:
    folder, file = drawn.put(tmp_path / "set", images, masks), tmp_path / "out" / "table.csv"
    file.parent.mkdir()
    write_case_table(find(DataConfig(str(folder))).pairs, file)
    first, second = (load_cases(DataConfig(str(path)), 16, tmp_path / "cache") for path in (folder, file))
    assert (first.digest, first.names, first.labels) == (second.digest, second.names, second.labels)


def test_an_edited_table_is_read_again_and_patients_are_whole(tmp_path: Path, drawn: Drawn) -> None:
    names = [f"{number}.png" for number in range(4)]
    drawn.put(tmp_path, [f"i/{name}" for name in names], [f"m/{name}" for name in names])
    rows = [f"i/{name},m/{name},{owner},c" for name, owner in zip(names, "aabb", strict=True)]
    file = tmp_path / "table.csv"
    file.write_text("\n".join(["image,mask,patient,class", *rows]))
    cases = load_cases(DataConfig(str(file)), 16, tmp_path / "cache")
    assert (cases.patients, cases.groups.tolist(), cases.labels) == (2, [0, 0, 1, 1], ("c",) * 4)
    file.write_text(file.read_text().replace(",a,", ",b,").replace("1.png,b,c", "1.png,b,d"))
    cases = load_cases(DataConfig(str(file)), 16, tmp_path / "cache")
    assert (cases.patients, cases.labels) == (1, ("c", "d", "c", "c"))
    cases = load_cases(DataConfig(str(file), patient=r"(\d)"), 16, tmp_path / "cache")
    assert cases.patients == 4  # the setting counts more than the table


def test_a_file_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    names = ["i/a\udcff.png", "m/a\udcff.png"]
    pair = Pair("a", tmp_path / names[0], (tmp_path / names[1],), "")
    with pytest.raises(UserError, match=r"A table is text, but a file name is none: .*udcff"):
        write_case_table([pair], tmp_path / "t.csv")
