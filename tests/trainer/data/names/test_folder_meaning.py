"""What folders say: patients, classes, parts."""

from __future__ import annotations

import pytest

from trainer.data.names.folder_meaning import in_words, is_part, meanings, one_set, part_of


@pytest.mark.parametrize(
    ("folders", "patients", "labels"),
    [
        ([["p0"], ["p1"]], ["p0", "p1"], ["", ""]),
        ([["benign", "p0"], ["malignant", "p1"]], ["p0", "p1"], ["benign", "malignant"]),
        ([["train", "cyst"], ["val", "solid"]], ["", ""], ["cyst", "solid"]),
        ([["training_set"], ["test_set"]], ["", ""], ["", ""]),
        ([["COVID-19"], ["Normal"]], ["", ""], ["COVID-19", "Normal"]),
        ([["c1"], ["c2"]], ["c1", "c2"], ["", ""]),
        ([["clinic1"], ["clinic2"]], ["", ""], ["clinic1", "clinic2"]),
        ([["grade1"], ["grade2"]], ["", ""], ["grade1", "grade2"]),
        ([["set", "a"], ["set", "b"]], ["", ""], ["a", "b"]),
        ([["p7"], ["p7"]], ["p7", "p7"], ["", ""]),  # the only patient is one
        ([["IMD002", "2019"], ["IMD003", "2020"]], ["IMD002/2019", "IMD003/2020"], ["", ""]),
        ([[], []], ["", ""], ["", ""]),
    ],
)
def test_folders_are_patients_or_classes(folders: list[list[str]], patients: list[str], labels: list[str]) -> None:
    found = meanings(folders)
    assert [one.patient for one in found] == patients
    assert [one.label for one in found] == labels


def test_what_folders_were_taken_for_is_said() -> None:
    found = meanings([["benign", "p0"], ["malignant", "p0"]])
    assert in_words(found) == (
        "folders taken for patients: 1",  # counted, never named
        "folders taken for classes: 2 (benign, malignant)",
    )
    assert in_words(meanings([[]])) == ()


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (["train", "val"], True),
        (["p0", "p1"], True),
        (["benign", "malignant"], True),
        (["data_C1", "data_C2"], True),
        (["one", "two"], False),
        (["jsrt", "montgomery"], False),
    ],
)
def test_folders_are_one_set_or_several(names: list[str], one: bool) -> None:
    assert one_set(names) is one


def test_parts() -> None:
    found = [part_of([name]) for name in ("train_masks", "imagesTs", "Validation", "contrast")]
    assert found == ["train", "test", "val", ""]
    assert is_part("Train Set") and not is_part("train_masks") and not is_part("set")
