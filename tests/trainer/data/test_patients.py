"""Patients: out of names or a table, whole in every fold, and every way in which that can go wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data.cases import Cases, load_cases
from trainer.data.folds import make_folds
from trainer.data.pairing.pairs import Pair
from trainer.data.patients import (
    by_pattern,
    by_table,
    complete,
    patient_finder,
    patients_note,
    read_table,
    together,
)
from trainer.errors import UserError

NAMES = [f"p{patient:02d}_{visit}" for patient in range(6) for visit in range(1 + patient % 3)]
OWNERS = [name.split("_")[0] for name in NAMES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images of six patients with one to three visits."""
    for place in ("images", "masks"):
        (tmp_path / "set" / place).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        rng = np.random.default_rng([5, number])
        noise = Image.fromarray(rng.integers(0, 255, (6, 6), np.uint8)).resize((48, 48), Image.Resampling.BICUBIC)
        noise.save(tmp_path / "set" / "images" / f"{name}.png")
        square = np.zeros((48, 48), np.uint8)
        square[12:24, 12:24] = 255
        Image.fromarray(square).save(tmp_path / "set" / "masks" / f"{name}.png")
    return tmp_path / "set"


def load(folder: Path, **config: str) -> Cases:
    return load_cases(DataConfig(str(folder), **config), 16, folder.parent / "cache")  # type: ignore[arg-type]


def table(folder: Path, text: str) -> str:
    path = folder.parent / "patients.csv"
    path.write_text(text)
    return str(path)


def rows(separator: str = ",", names: list[str] = NAMES) -> str:
    return "\n".join(separator.join((name, owner)) for name, owner in zip(names, OWNERS, strict=True))


def assert_whole(cases: Cases) -> None:
    """Two images share a group just when they share a patient, and so does every fold."""
    same_group = cases.groups[:, None] == cases.groups[None]
    same_owner = np.array(OWNERS)[:, None] == np.array(OWNERS)[None]
    np.testing.assert_array_equal(same_group, same_owner)
    folds = make_folds(cases.groups, cases.labels, 3, seed=0)
    assert all(len(set(folds[np.array(OWNERS) == owner])) == 1 for owner in set(OWNERS))


@pytest.mark.parametrize("pattern", [r"(p\d+)_", r"^p\d+", r"p(\d\d)"])
def test_patients_out_of_names_are_whole_in_every_fold(folder: Path, pattern: str) -> None:
    cases = load(folder, patient=pattern)
    assert_whole(cases)
    assert (cases.patients, cases.group_count, cases.duplicates) == (6, 6, 0)
    assert "6 patients in 12 images: all images of a patient are in one fold" in cases.notes


@pytest.mark.parametrize(
    "text",
    [
        "image,patient,note\n" + rows(),
        "﻿image; patient ;note\r\n" + rows(";"),
        "image\tpatient\tnote\n" + rows("\t", [f"{name}.png" for name in NAMES]) + "\nanother,nobody,\n",
    ],
)
def test_patients_out_of_a_table(folder: Path, text: str) -> None:
    assert_whole(load(folder, patients=table(folder, text)))


def test_columns_can_be_named(folder: Path) -> None:
    path = table(folder, "File,Subject,note\n" + rows())
    assert_whole(load(folder, patients=path, image_column="File", patient_column="Subject"))


def test_another_table_makes_other_groups(folder: Path) -> None:
    before = load(folder, patients=table(folder, "image,patient\n" + rows()))
    alone = "image,patient\n" + "\n".join(f"{name},{name}" for name in NAMES)
    after = load(folder, patients=table(folder, alone))
    assert (before.group_count, after.group_count) == (6, 12)
    assert before.digest == after.digest  # the pictures are the same: only folds differ


def test_near_duplicates_join_patients(folder: Path) -> None:
    copy = (folder / "images" / "p00_0.png").read_bytes()
    (folder / "images" / "p03_0.png").write_bytes(copy)
    cases = load(folder, patient=r"p\d+")
    assert (cases.group_count, cases.patients, cases.duplicates) == (5, 6, 2)
    assert load(folder).group_count == 11


@pytest.mark.parametrize(
    ("groups", "patients", "expected"),
    [
        ([0, 1, 2], ["a", "b", "c"], [0, 1, 2]),
        ([0, 1, 2], ["a", "b", "a"], [0, 1, 0]),
        ([0, 1, 1, 2, 3], ["a", "a", "b", "c", "b"], [0, 0, 0, 1, 0]),
        ([0, 1, 0, 1], ["c", "b", "b", "d"], [0, 0, 0, 0]),
    ],
)
def test_groups_and_patients_are_joined(groups: list[int], patients: list[str], expected: list[int]) -> None:
    assert together(np.array(groups), patients).tolist() == expected


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"patient": "(p"}, r"'data\.patient' must be a regular expression, but '\(p' is none"),
        ({"patient": "MCUCXR_(.*)"}, r"finds none in the name of 12 of 12 images \(p00_0\.png, "),
        ({"patient": r"p0[0-4]"}, r"finds none in the name of 3 of 12 images \(p05_0\.png, p05_1\.png, p05_2\.png\)"),
        ({"patients": "no.csv"}, r"must be a CSV file, but no\.csv cannot be read"),
        ({"patient": "p", "patients": "no.csv"}, r"both are given. Leave one out"),
    ],
)
def test_mistakes_are_named(folder: Path, config: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(folder, **config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,patients\n" + rows(), r"column 'patient', .*image, patients; did you mean 'patients'\?.*_column"),
        ("file,patient\n" + rows(), r"column 'image', but it has: file, patient\. .*data\.image_column=NAME"),
        ("", r"column 'image', but it has: none"),
        ("image,patient\n" + rows()[:-7], r"names none for 1 of 12 images \(p05_2\.png\)"),
        ("image,patient\n" + rows() + "\np00_0,p09\n", r"gives 'p00_0' to 'p00' and to 'p09'"),
        ("image,patient\np00_0\n", r"names none for 12 of 12"),
    ],
)
def test_a_bad_table_is_named_with_the_remedy(folder: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(folder, patients=table(folder, text))
    assert not list(folder.parent.glob("cache/*/about.json"))


def test_phantoms_have_no_patients() -> None:
    with pytest.raises(UserError, match="no data are given"):
        patient_finder(DataConfig(patient="p"))


def test_a_group_that_takes_no_part_is_no_patient() -> None:
    with pytest.raises(UserError, match="finds none in the name of 1 of 2"):
        by_pattern(r"x(\d)?")([Pair("x1", Path("x1.png"), (), ""), Pair("x", Path("x.png"), (), "")])


@pytest.mark.parametrize(
    ("groups", "patients", "joined"),
    [
        ([], [], []),
        ([0], ["a"], [0]),
        ([0, 1, 2], ["a", "b", "c"], [0, 1, 2]),
        ([0, 0, 1], ["a", "b", "c"], [0, 0, 1]),
        ([0, 1, 2, 3], ["a", "b", "b", "a"], [0, 1, 1, 0]),
        ([3, 1, 1, 0], ["z", "y", "z", "x"], [0, 0, 0, 1]),  # numbered by first appearance
        ([2, 1, 0], ["c", "b", "a"], [0, 1, 2]),
        ([0, 1, 2, 0], ["a", "b", "c", "c"], [0, 1, 0, 0]),
        ([0, 1, 2, 3, 4], ["c", "d", "c", "d", "e"], [0, 1, 0, 1, 2]),
    ],
)
def test_groups_and_patients_by_hand(groups: list[int], patients: list[str], joined: list[int]) -> None:
    assert together(np.array(groups, np.int64), patients).tolist() == joined


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({}, None),
        ({"path": "x"}, None),
        ({"path": "x", "patient": "p"}, "pattern"),
        ({"patient": "p"}, "refused"),
        ({"patients": "t.csv"}, "refused"),
        ({"path": "x", "patients": "t.csv"}, "table"),
    ],
)
def test_where_patients_come_from(config: dict[str, str], kind: str | None, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,patient\na,1\n")
    given = {key: str(tmp_path / value) if key == "patients" else value for key, value in config.items()}
    if kind == "refused":
        with pytest.raises(UserError, match="no data are given"):
            patient_finder(DataConfig(**given))  # type: ignore[arg-type]
    else:
        assert (patient_finder(DataConfig(**given)) is None) == (kind is None)  # type: ignore[arg-type]


def pair(name: str, file: str = "") -> Pair:
    return Pair(name, Path(file or f"{name}.png"), (), "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("image,patient\nsub/a,1\nb.png,2\nc,3\n", ["1", "2", "3"]),  # case, file, file without suffix
        ("image,patient\nsub/a,1\na,9\nb.png,2\nb,8\nc,3\n", ["1", "8", "3"]),  # the case's own name first
        ("image,patient\nsub/a,\na,9\nb,8\nc.png,3\n", ["9", "8", "3"]),  # an empty field is no patient
        ("patient;image\n1;sub/a\n2,x;b\n3;c\n", ["1", "2,x", "3"]),  # separated by what the header has most of
    ],
)
def test_names_in_a_table(text: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    pairs = [pair("sub/a", "sub/a.png"), pair("b", "b.png"), pair("c", "c.png")]
    assert by_table(tmp_path / "t.csv", DataConfig())(pairs) == found


def test_a_short_row_has_no_patient_and_one_said_twice_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,patient\na,1\na,1\nb\n")
    assert read_table(tmp_path / "t.csv", "image", "patient") == {"a": "1", "b": ""}
    (tmp_path / "t.csv").write_text("image,patient\na,1\na,2\n")
    with pytest.raises(UserError, match="gives 'a' to '1' and to '2'"):
        read_table(tmp_path / "t.csv", "image", "patient")


def test_a_pattern_without_a_group_takes_all_that_it_matches() -> None:
    assert by_pattern(r"p\d")([pair("x/p1_2")]) == ["p1"]
    assert by_pattern(r"p(\d)_(\d)")([pair("x/p1_2")]) == ["1"]


def test_cases_without_a_patient_are_counted() -> None:
    complete([pair("a"), pair("b")], ["1", "2"], "nobody")
    with pytest.raises(UserError, match=r"but it finds none for 2 of 3 images \(b\.png, c\.png\)"):
        complete([pair("a"), pair("b"), pair("c")], ["1", None, ""], "it finds none for")
    assert patients_note(["a", "b", "a"]).startswith("2 patients in 3 images")
