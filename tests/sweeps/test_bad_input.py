"""Every mistake of a user ends with one message (rule, given, remedy), exit code 2, and nothing half-written."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import pytest
from PIL import Image

from sweeps.cli import main
from sweeps.environment.home import open_home
from tests.small import SMALL_OPTIONS
from tests.tracking.made_up import record_trial, sweep_info, trial_info
from tests.trainer.own import own, saved, two_outputs
from tracking.store.writer import Tracker
from trainer.config import ModelConfig
from trainer.network.unet import unet
from trainer.network.weights import write_weights

Build = Callable[[Path], list[str]]


def write_image(path: Path, size: tuple[int, int] = (40, 40), value: int = 128) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name) + value + size[0])
    pixels = rng.integers(0, 255, size, dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def truth(path: Path, size: tuple[int, int] = (40, 40), empty: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size, np.uint8)
    if not empty:
        pixels[10:30, 10:30] = 255
    Image.fromarray(pixels).save(path)


def data_set(folder: Path, n: int = 6, *, empty: bool = False) -> Path:
    for i in range(n):
        write_image(folder / "images" / f"p{i}.png", value=i)
        truth(folder / "masks" / f"p{i}.png", empty=empty)
    return folder


def with_data(change: Callable[[Path], object], *more: str) -> Build:
    def build(folder: Path) -> list[str]:
        data = data_set(folder / "images-and-masks")
        change(data)
        return ["run", "smoke", "--data", str(data), *more]

    return build


def given(*arguments: str) -> Build:
    return lambda folder: ["run", "smoke", *arguments]


def emptied(folder: Path) -> list[str]:
    (folder / "nothing").mkdir()
    return ["run", "smoke", "--data", str(folder / "nothing")]


def unknown_layout(folder: Path) -> list[str]:
    write_image(folder / "odd" / "a.png")
    write_image(folder / "odd" / "b.png")
    return ["run", "smoke", "--data", str(folder / "odd")]


def only_empty(folder: Path) -> list[str]:
    return ["run", "smoke", "--data", str(data_set(folder / "images-and-masks", empty=True))]


def text_file(folder: Path) -> None:
    (folder / "images" / "p1.png").write_text("hello")


def cut(folder: Path) -> None:
    path = folder / "images" / "p2.png"
    path.write_bytes(path.read_bytes()[:200])


def other_network(folder: Path) -> list[str]:
    write_weights(unet(ModelConfig(32, 3)), folder / "other.weights.h5")
    return ["run", "smoke", "--pretrain", str(folder / "other.weights.h5")]


def newer_home(folder: Path) -> list[str]:
    (folder / "home").mkdir()
    (folder / "home" / "home.json").write_text(json.dumps({"version": 99}))
    return ["run", "smoke"]


def unwritable_home(folder: Path) -> list[str]:
    (folder / "file").write_text("")
    return ["run", "smoke", "--home", str(folder / "file" / "home")]


def empty_home(folder: Path) -> list[str]:
    open_home(folder / "home")
    return ["report"]


def nothing_best(folder: Path) -> list[str]:
    open_home(folder / "home")
    return ["best"]


def one_mask(folder: Path) -> list[str]:
    """A home with a sweep called demo that has finished a single mask; asks for another."""
    home = open_home(folder / "home")
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    record_trial(tracker, tracker.open_sweep(sweep_info()), trial_info("shallow-first", 5))
    return ["best", "dema"]


def unreachable(folder: Path) -> list[str]:
    os.environ["MLFLOW_TRACKING_URI"] = "http://ann:hu/sh@127.0.0.1:9"
    return ["report"]


def jsrt(folder: Path) -> list[str]:
    """One whole raw image is missing half its bytes."""
    for lung in ("left lung", "right lung"):
        truth(folder / "jsrt" / lung / "JPCLN001.gif")
    (folder / "jsrt" / "JPCLN001.IMG").write_bytes(bytes(2048 * 2048))
    return ["run", "smoke", "--data", str(folder / "jsrt")]


def one_lung(folder: Path) -> list[str]:
    for number in (1, 2):
        write_image(folder / "chest" / "CXR_png" / f"MCUCXR_000{number}_0.png")
        truth(folder / "chest" / "ManualMask" / "leftMask" / f"MCUCXR_000{number}_0.png")
    return ["run", "smoke", "--data", str(folder / "chest")]


def photograph_as_mask(folder: Path) -> None:
    (folder / "masks" / "p1.png").unlink()
    write_image(folder / "masks" / "p1.gif")


def patient_table(folder: Path) -> list[str]:
    (folder / "who.csv").write_text("image,owner\n" + "\n".join(f"p{i},{i // 2}" for i in range(6)))
    data = data_set(folder / "images-and-masks")
    return ["run", "smoke", "--data", str(data), "--set", f"data.patients={folder / 'who.csv'}"]


def own_network(made: Callable[[], Any], *more: str) -> Build:
    def build(folder: Path) -> list[str]:
        return ["run", "smoke", "--model", str(saved(made(), folder)), *more]

    return build


def with_study(direction: Literal["minimize", "maximize"], **attributes: object) -> Build:
    """The home holds a study of the sweep's name that was made for something else."""

    def build(folder: Path) -> list[str]:
        home = open_home(folder / "home")
        study = optuna.create_study(storage=home.storage_url, study_name="s", direction=direction)
        study.add_trial(optuna.trial.create_trial(value=0.5))
        for key, value in attributes.items():
            study.set_user_attr(key, value)
        return ["run", "smoke", "--name", "s", *SMALL_OPTIONS]

    return build


def no_network(folder: Path) -> list[str]:
    (folder / "text.keras").write_text("hello")
    return ["run", "smoke", "--model", str(folder / "text.keras")]


CASES: dict[str, tuple[Build, str]] = {
    "image without mask": (
        with_data(lambda folder: (folder / "masks" / "p3.png").unlink()),
        r"1 image without mask \(p3\.png\).*data\.skip_unpaired=true",
    ),
    "mask without image": (
        with_data(lambda folder: (folder / "images" / "p3.png").unlink()),
        r"1 mask without image \(p3\.png\).*data\.skip_unpaired=true",
    ),
    "other aspect ratio": (with_data(lambda folder: truth(folder / "masks" / "p3.png", (40, 50))), r"p3.*50.*40"),
    "truncated PNG": (with_data(cut), r"p2\.png.*(truncated|cut off|damaged)"),
    "text called .png": (with_data(text_file), r"p1\.png"),
    "truncated .IMG": (jsrt, r"2048x2048 values .*JPCLN001\.IMG is truncated: 4,194,304 bytes.*again"),
    "missing lung": (one_lung, r"2 images without right lung mask.*data\.skip_unpaired=true"),
    "GIF that is no mask": (with_data(photograph_as_mask), r"p1\.gif is grey .*looks like an image"),
    "missing patient column": (patient_table, r"must have a column 'patient', but it has: image, owner"),
    "pattern without a patient": (
        with_data(lambda folder: None, "--set", "data.patient=q([0-9])"),
        r"'data\.patient' \(q.*6 of 6 images",
    ),
    "empty folder": (emptied, r"needs image files.*nothing holds none"),
    "missing folder": (given("--data", "no-such-folder"), r"no-such-folder"),
    "unknown layout": (unknown_layout, r"(?i)layout.*images"),
    "only empty masks": (only_empty, r"(?i)empty"),
    "more folds than groups": (with_data(lambda folder: None, "--set", "folds=7"), r"7.*6"),
    "misspelt key": (given("--set", "search.epoch=[3]"), r"did you mean 'search\.epochs'"),
    "misspelt block": (given("--set", "search.masks=['contractng']"), r"did you mean 'contracting'"),
    "epochs 0": (given("--set", "search.epochs=[0]"), r"rising whole numbers from 1 on, but got \[0\]"),
    "epochs descending": (given("--set", "search.epochs=[4,2]"), r"rising whole numbers from 1 on, but got \[4, 2\]"),
    "block that does not exist": (given("--set", "search.masks=['1-12']"), r"block 12, which does not exist"),
    "weights of another network": (other_network, r"other\.weights\.h5 do not fit this network.*model\.filters"),
    "missing weights": (given("--pretrain", "no.weights.h5"), r"no\.weights\.h5 do not exist"),
    "unwritable home": (unwritable_home, r"Cannot write .*home\.json.*writable place"),
    "newer home": (newer_home, r"written by a newer thaw \(format 99\).*Update thaw"),
    "unknown spec": (lambda folder: ["run", "smok"], r"did you mean 'smoke'"),
    "rate that is no number": (given("--set", "search.learning_rate=nan"), r"learning_rate' must be a finite number"),
    "rate beyond reason": (given("--set", "search.learning_rate=1e25"), r"distinct positive numbers, 1e-09 to 1000"),
    "seed too large": (given("--set", "seed=4294967296"), r"'seed' must be from 0 to"),
    "one image to pre-train on": (given("--set", "pretrain.images=1"), r"'pretrain\.images' must be 0 \(all\) or at"),
    "zoom beyond reason": (given("--set", "augmentation.zoom=1e400"), r"'augmentation\.zoom' must be a finite number"),
    "unknown unit": (given("--set", "partition.unit=layer"), r"'partition\.unit' must be one of block, conv"),
    "a head of its own among convolutions": (
        given("--set", "partition.unit=conv", "--set", "partition.head=own"),
        r"'partition\.head' must be 'last' or 'always'",
    ),
    "the same of masks": (lambda folder: ["masks", "--unit", "conv", "--head", "own"], r"must be 'last' or 'always'"),
    "a unit that is none": (lambda folder: ["masks", "--unit", "convs"], r"--unit must be one of block, conv"),
    "leaky order of nothing": (given("--set", "augmentation.order=leaky"), r"nothing is augmented: set 'augment"),
    "a seed twice": (given("--set", "search.seeds=[1,1]"), r"'search\.seeds' must be distinct numbers from 0"),
    "sizes that fall": (
        given("--set", "search.images=[40,20]"),
        r"'search\.images' must be rising whole numbers from 2",
    ),
    "more images than there are": (
        given("--set", "search.images=[4,999]"),
        r"(?s)'search\.images' does not fit these images:.*must not be larger than the set of \d+ images, but got 999",
    ),
    "seeds of a search": (
        given("--set", "search.seeds=[0,1]", "--set", "search.strategy=random", "--set", "search.trials=2"),
        r"'search\.seeds' repeats the trials of a list; 'random' takes one seed",
    ),
    "constraints that leave nothing": (
        given("--set", "search.space=subsets", "--set", "search.max_parameters=1"),
        r"No mask keeps the constraints \(at most 1 parameters\): of 511 masks the smallest thaws",
    ),
    "constraints that contradict": (
        given("--set", "search.must_train=[1,2]", "--set", "search.must_freeze=[2,3]"),
        r"Blocks \[2\] are in 'search\.must_train' and in 'search\.must_freeze'",
    ),
    "fewer trials than the baselines": (
        given("--set", "search.strategy=random", "--set", "search.trials=4"),
        r"'search\.trials' must be at least 5 here, but got 4: .* are 5 trials and 8 trainings",
    ),
    "fewer trainings than the baselines": (
        given("--set", "search.strategy=random", "--max-trainings", "7"),
        r"'search\.trainings' must be at least 8 here, but got 7",
    ),
    "a budget for a list": (given("--max-trainings", "20"), r"'grid' works a list off to its end.*--max-hours"),
    "negative hours": (given("--max-hours", "-1"), r"'search\.hours' must be at least 0"),
    "a study of another direction": (with_study("minimize"), r"The study 's' .* another space, direction or data set"),
    "a study of other images": (
        with_study("maximize", thaw="other", blocks=9),
        r"The study 's' .* another space, direction or data set",
    ),
    "a study of another network": (
        with_study("maximize", blocks=18),
        r"The study 's' .* another space, direction or data set",
    ),
    "KerasTuner with two workers": (
        given("--set", "search.engine=keras-tuner", "--workers", "2"),
        r"--workers must be 1 where 'search\.engine' is 'keras-tuner', but got 2",
    ),
    "a strategy that KerasTuner has not": (
        given("--set", "search.engine=keras-tuner", "--set", "search.strategy=tpe", "--set", "search.trials=9"),
        r"must be one of random, grid, bayesian where 'search\.engine' is 'keras-tuner', but got 'tpe'",
    ),
    "KerasTuner without a limit": (
        given("--set", "search.engine=keras-tuner", "--set", "search.strategy=bayesian"),
        r"must say how far 'bayesian' may go",
    ),
    "size that cannot be halved": (given("--set", "model.size=30"), r"'model\.size' must be a multiple of 16"),
    "empty data path": (given("--data", ""), r"'data\.path' must name a folder"),
    "name with a slash": (given("--name", "../up"), r"--name must be 1 to 100 bytes long, without /"),
    "name too long": (given("--name", "x" * 300), r"--name must be 1 to 100 bytes"),
    "blank name": (given("--name", " "), r"--name must be 1 to 100 bytes"),
    "reserved name": (given("--name", "thaw-pretraining"), r"none of thaw-pretraining"),
    "home that is a file": (
        lambda folder: ["run", "smoke", "--home", __file__],
        r"A home is a folder, but .* is a file",
    ),
    "no workers": (given("--workers", "0"), r"--workers must be at least 1, but got 0"),
    "report without a home": (lambda folder: ["report"], r"There is no home of thaw in"),
    "report without a sweep": (empty_home, r"no sweep.*thaw run"),
    "unreachable server": (unreachable, r"must be reachable, but http://\*\*\*@127\.0\.0\.1:9 is not"),
    "unknown report format": (
        lambda folder: ["report", "--format", "pdf"],
        r"html, json, csv, markdown, methods, but got 'pdf'",
    ),
    "best of no home": (lambda folder: ["best"], r"There is no home of thaw in"),
    "best of no sweep": (nothing_best, r"no sweep.*thaw run"),
    "best of an unknown sweep": (one_mask, r"Unknown sweep 'dema'; did you mean 'demo'"),
    "best of one mask": (lambda folder: one_mask(folder)[:1], r"two or more finished ones, .*'demo' has only 1-5"),
    "best in an unknown format": (lambda folder: ["best", "--format", "html"], r"one of text, json, but got 'html'"),
    "a network that is not there": (given("--model", "no.keras"), r"no model file no\.keras"),
    "a network that is none": (no_network, r"text\.keras must be a Keras model|must be a Keras model saved as \.keras"),
    "a registered network that is not there": (given("--model", "models:/none@champion"), r"models:/none@champion"),
    "empty model path": (given("--model", ""), r"'model\.path' must name a \.keras or \.h5 file"),
    "a network of two outputs": (own_network(two_outputs), r"must have one output, but 'own' has 2"),
    "a network of another size": (own_network(lambda: own(48)), r"48x48, but got 32\. Set model\.size=48"),
    "a mask beyond the network": (
        own_network(own, "--set", "search.masks=['1-2','4']"),
        r"The spec 'smoke' cannot be used:.*'search\.masks': Mask '4' names block 4, .*Blocks: 1-3",
    ),
    "a constraint beyond the network": (
        own_network(own, "--set", "search.space=subsets", "--set", "search.must_train=[7]"),
        r"'search\.must_train' names blocks \[7\], which do not exist\. Blocks: 1-3",
    ),
    "a table that leaves layers out": (
        own_network(own, "--set", "model.blocks=[['conv*'],['bn*']]"),
        r"'model\.blocks' must cover every layer with weights, but of 'own' it leaves out: mask\.",
    ),
    "a pattern that matches nothing": (
        own_network(own, "--set", "model.blocks=[['conv*', 'cnov2'],['*']]"),
        r"'cnov2' match none of 'own'; did you mean 'conv2'",
    ),
    "a block that is left with nothing": (
        own_network(own, "--set", "model.blocks=[['*'],['conv1']]"),
        r"blocks \[2\] are left with none",
    ),
    "a table that is none": (given("--set", "model.blocks=['conv1']"), r"'model\.blocks' must be a list of lists"),
    "a table with an empty block": (given("--set", "model.blocks=[[], ['*']]"), r"one of them is empty"),
    "a table and convolutions": (
        given("--set", "model.blocks=[['*']]", "--set", "partition.unit=conv"),
        r"'partition\.unit' must be 'block' where 'model\.blocks'",
    ),
    "an architecture by hand": (given("--set", "model.architecture=0123"), r"'model\.architecture' is found out by"),
    "a policy that is none": (given("--set", "train.batch_norm=drift"), r"must be one of frozen, adapt, but got"),
    "a policy for nothing": (
        given("--set", "search.train.batch_norm=['frozen','adapt']"),
        r"'search\.train\.batch_norm' searches what this network does not have",
    ),
    "a network of one block": (
        own_network(lambda: own(strides=1)),
        r"choose among at least two blocks, but this network has one: .*model\.blocks",
    ),
    "a table of one block": (given("--set", "model.blocks=[['*']]"), r"choose among at least two blocks, but"),
    "the same in a dry run": (
        given("--dry-run", "--set", "model.blocks=[['*']]"),
        r"choose among at least two blocks, but",
    ),
    "the same of --blocks": (lambda folder: ["masks", "--blocks", "[[]]"], r"--blocks takes lists of patterns"),
    "no model file": (lambda folder: ["masks", "no.keras"], r"no model file no\.keras"),
    "check of a missing folder": (lambda folder: ["data", "check", "no-such-folder"], r"no-such-folder"),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "a study of" in name else name for name in CASES]
)
def test_a_mistake_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    build, words = CASES[name]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # put back when the test ends, whatever a case sets
    arguments = build(tmp_path)
    home = tmp_path / "home"
    monkeypatch.setenv("THAW_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["thaw", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    errors = capfd.readouterr().err
    assert ended.value.code == 2, errors
    assert re.search(words, errors, re.DOTALL), errors
    assert "Traceback" not in errors and "hu/sh" not in errors
    assert not list(home.glob("ledger/*")) and not list(home.glob("**/.*")), "something half-written stayed"
