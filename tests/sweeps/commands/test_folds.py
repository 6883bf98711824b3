"""The folds of a sweep in the forms that others read."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.commands.folds import fold_files
from tests.conftest import Thaw
from tests.tracking.made_up import sweep_info

INFO = replace(sweep_info(), folds=[["b/1", "m/1"], ["b/2", "m/2"]])


def test_nnunets_list_leaves_each_fold_out_under_names_without_folders() -> None:
    files = fold_files(INFO, "nnunet")
    assert json.loads(files["splits_final.json"]) == [
        {"train": ["b__2", "m__2"], "val": ["b__1", "m__1"]},
        {"train": ["b__1", "m__1"], "val": ["b__2", "m__2"]},
    ]
    rows = list(csv.DictReader(files["folds.csv"].splitlines()))
    assert [(row["image"], row["fold"], row["case"]) for row in rows][2] == ("b/2", "2", "b__2")


def test_json_holds_both_parts_of_each_fold() -> None:
    (file,) = fold_files(INFO, "json").values()
    first, _ = json.loads(file)["folds"]
    assert first == {"fold": 1, "train": ["b/2", "m/2"], "validation": ["b/1", "m/1"]}


def test_the_command_prints_or_writes(thaw_here: Thaw, smoke_home: Path, tmp_path: Path) -> None:
    printed = thaw_here("folds", "--home", smoke_home)
    assert printed.returncode == 0 and len(json.loads(printed.stdout)["folds"]) == 2
    assert thaw_here("folds", "--home", smoke_home, "--format", "nnunet", "--out", tmp_path / "x").returncode == 0
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["folds.csv", "splits_final.json"]
    wrong = thaw_here("folds", "--home", smoke_home, "--format", "xml")
    assert wrong.returncode == 2 and "must be one of json, csv, nnunet" in wrong.stderr


@pytest.mark.parametrize("form", ["json", "csv", "nnunet"])
def test_every_image_is_left_out_once(form: str) -> None:
    text = "".join(fold_files(INFO, form).values())
    assert all(name in text for name in ("1", "2"))
