"""`thaw data check` says how to give its reading again, as a command and as a table: both give the same pairs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from sweeps.commands.data_check import command, reading
from sweeps.spec.load import data_config
from tests.conftest import Thaw
from tests.trainer.data.drawn import Drawn
from trainer.config import DataConfig
from trainer.data.pairing.sources import find


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{n}.png", "labels/{n}.png"),
        ("{n}.png", "{n}-mask.png"),
        ("train/{n}.jpg", "train_masks/{n}_mask.gif"),
        ("p{n}/images/0.png", "p{n}/masks/0.png"),
        ("imagesTr/x_{n}_0000.png", "labelsTr/x_{n}.png"),
    ],
)
def test_the_patterns_that_are_printed_give_the_same_pairs(tmp_path: Path, images: str, masks: str) -> None:
    for name in (images, masks):
        for n in (1, 2, 3):
            (tmp_path / name.format(n=n)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name.format(n=n)).touch()
    config = DataConfig(str(tmp_path))
    found = find(config)
    same = next(line for line in reading(config, found, None) if line.startswith("the same"))
    *_, of_images, _, of_masks = shlex.split(same)
    again = find(DataConfig(of_images, masks=of_masks))
    assert again.pairs == found.pairs


@pytest.mark.parametrize(
    "config",
    [
        DataConfig("a set", part="train", skip_unpaired=True, image_column="us"),
        DataConfig("a set", part="2", image_column="true", mask_column="no. 1", patient=r"^(p\d+)_", images=7),
        DataConfig("a set", range=(-160.0, 240.0), foreground=(1, "#ff0000", "ann's \\"), ignore=(255,), axis=-1),
    ],
)
def test_settings_are_part_of_the_command(config: DataConfig) -> None:
    words = shlex.split(command(config))
    assert words[:5] == ["thaw", "run", "ultrasound", "--data", "a set"]
    assert data_config(words[4], None, words[6::2]) == config


def test_the_command_line_writes_a_table_that_it_reads(thaw_here: Thaw, tmp_path: Path, drawn: Drawn) -> None:
    numbers = range(1, 4)
    folder = drawn.put(tmp_path / "set", [f"c{n}/us.png" for n in numbers], [f"c{n}/lesion.png" for n in numbers])
    table, sheet = tmp_path / "table.csv", tmp_path / "sheet.png"
    for data in ([f"{folder}/*/us.png", "--masks", f"{folder}/*/lesion.png"], [folder], [table]):
        done = thaw_here("data", "check", *data, "--write", table, "--out", sheet)
        assert done.returncode == 0, done.stderr + done.stdout
        assert "3 images, 3 readable with their masks" in done.stdout
        assert "pair       " in done.stdout and "ready to use" in done.stdout
        assert table.read_text().splitlines()[1] == "set/c1/us.png,set/c1/lesion.png,c1,"
    assert sheet.is_file()


def test_other_settings_than_those_of_the_data_are_refused(thaw_here: Thaw, tmp_path: Path) -> None:
    done = thaw_here("data", "check", tmp_path, "--set", "folds=3", "--set", "data.prt=train")
    assert done.returncode == 2
    assert "got 'folds'" in done.stderr and "did you mean 'data.part'?" in done.stderr
