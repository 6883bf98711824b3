from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from sweeps.spec.load import as_table, load_spec
from tests.tracking.made_up import sweep_info
from tracking.record import SweepInfo
from tracking.store.same_sweep import differences, measured
from trainer.config import DataConfig, ModelConfig, PretrainConfig, ScoreConfig, Settings
from trainer.keys import digest

BASE = Settings(folds=2, model=ModelConfig(filters=4), pretrain=PretrainConfig(epochs=3))
OTHER_DATA = {"digest": "0" * 64}
OTHER_WEIGHTS = {"digest": "1" * 64}
OTHER_FOLDS = [["a"], ["b"]]


def info(settings: Settings = BASE, search: Mapping[str, Any] | None = None, **more: Any) -> SweepInfo:
    spec = {"name": "smoke", **asdict(settings), "search": search or {}, "champion": False}
    return replace(sweep_info(), spec=spec, **more)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (info(), []),
        (info(search={"epochs": [1, 2]}), []),
        (info(replace(BASE, augmentation=replace(BASE.augmentation, order="leaky"))), []),
        (info(replace(BASE, data=DataConfig(path="./same"))), []),  # the same images by another path
        (info(replace(BASE, folds=3), folds=OTHER_FOLDS), ["folds 2 -> 3"]),
        (info(replace(BASE, seed=7), folds=OTHER_FOLDS), ["seed 0 -> 7"]),
        (
            info(replace(BASE, data=DataConfig(patient="p(.)")), folds=OTHER_FOLDS),
            ["the same images in other folds (data.patient '' -> p(.))"],
        ),
        (info(folds=OTHER_FOLDS), ["the same images in other folds"]),
        (
            info(replace(BASE, data=DataConfig(path="mine")), data=OTHER_DATA, folds=OTHER_FOLDS),
            ["other images (data.path none -> mine)"],
        ),
        (info(data=OTHER_DATA), ["other images"]),
        (
            info(replace(BASE, data=DataConfig(foreground=(1, 2))), data=OTHER_DATA),
            ["other images (data.foreground none -> [1, 2])"],
        ),
        (info(replace(BASE, score=ScoreConfig(2.5))), ["score.tolerance none -> 2.5"]),
        (info(distances={}), []),  # recorded before there were any
        (
            info(distances={"unit": "mm", "tolerance": 2.0, "spacing": "12ab"}),
            ["another spacing of the pixels (distances in px -> mm)"],
        ),
        (info(weights=OTHER_WEIGHTS), ["other starting weights"]),
        (info(replace(BASE, train=replace(BASE.train, batch_norm="adapt"))), ["train.batch_norm none -> adapt"]),
        (
            info(replace(BASE, model=ModelConfig(path="nets/my.keras", architecture="12ab"))),
            [
                "model.architecture none -> 12ab",
                "model.dropout 0.5 -> none",
                "model.filters 4 -> none",
                "another network (the U-Net -> my.keras)",
            ],
        ),
        (
            info(replace(BASE, train=replace(BASE.train, deterministic=False))),
            ["train.deterministic true -> false"],
        ),
        (
            info(
                replace(BASE, folds=3, model=ModelConfig(filters=8), pretrain=PretrainConfig(epochs=12)),
                data=OTHER_DATA,
                weights=OTHER_WEIGHTS,
            ),
            [
                "folds 2 -> 3",
                "model.filters 4 -> 8",
                "other images",
                "other starting weights (pretrain.epochs 3 -> 12)",
            ],
        ),
    ],
)
def test_what_differs_is_said_in_words(new: SweepInfo, said: list[str]) -> None:
    assert differences(info(), new) == said


def test_a_weights_file_is_not_trained() -> None:
    old, new = (info(replace(BASE, pretrain=PretrainConfig(path="a.weights.h5", epochs=epochs))) for epochs in (3, 12))
    assert differences(old, new) == []
    assert differences(info(), new)[0].startswith("other starting weights (pretrain.epochs 3 -> 12, pretrain.path none")


def test_a_setting_of_another_version_is_named() -> None:
    old = info()
    old = replace(old, spec={key: value for key, value in old.spec.items() if key != "partition"})
    assert differences(old, info()) == ["partition.head none -> last", "partition.unit none -> block"]


def test_identities_of_recorded_sweeps_stay() -> None:
    """Sweeps in MLflow are known by this digest: one that changes without need orphans them all."""
    found = asdict(Settings())
    del found["data"], found["pretrain"], found["score"], found["augmentation"]["order"], found["train"]["batch_norm"]
    for later in ("precision", "tune", "rate_decay", "lora_rank", "schedule", "head_epochs"):
        del found["train"][later]
    found["model"] = {name: found["model"][name] for name in ("size", "filters", "dropout")}
    assert digest(measured(info(Settings()).spec)) == digest(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("search-ultrasound", "4b0900cf4a1347bba38b846ef9e36a4a1f037d19f50dbbafa07c9341ed7694f6"),
        ("xray", "e8ad1c8b5dd2e6f772f3db9681d732f6005d299eb4158e224d2ca223c311f7be"),
        ("ultrasound", "e8ad1c8b5dd2e6f772f3db9681d732f6005d299eb4158e224d2ca223c311f7be"),
        ("paper-xray", "519a9d063de136150ded1493adbd796e67040ec51fa75875a0b14ef151e19c3a"),
    ],
)
def test_shipped_sweeps_keep_the_identity_under_which_they_are_recorded(name: str, expected: str) -> None:
    """With the images, the folds and the weights this digest makes the default name of a sweep."""
    assert digest(measured(as_table(load_spec(name)))) == expected


def test_a_setting_of_a_later_version_stays_in() -> None:
    spec = {**asdict(BASE), "train": {**asdict(BASE.train), "decay": 0.5}}
    assert measured(spec)["train"]["decay"] == 0.5


OWN = replace(BASE, model=ModelConfig(32, path="nets/my.keras", file="copies/1.keras", architecture="12ab"))


@pytest.mark.parametrize(
    ("model", "more", "said"),
    [
        ({"path": "elsewhere/moved.keras", "file": "copies/2.keras", "filters": 3}, {}, []),
        (
            {"architecture": "34cd"},
            {"weights": OTHER_WEIGHTS},
            [
                "model.architecture 12ab -> 34cd",
                "another network in my.keras",
                "other starting weights, the weights of my.keras",
            ],
        ),
        ({"blocks": (("a", "b"), ("*",))}, {}, ["model.blocks none -> [['a', 'b'], ['*']]"]),
    ],
)
def test_a_network_of_one_s_own_is_its_layers_and_weights_wherever_it_lies(
    model: dict[str, Any], more: dict[str, Any], said: list[str]
) -> None:
    new = replace(OWN, model=replace(OWN.model, **model))
    assert differences(info(OWN), info(new, **more)) == said


def test_pre_training_that_does_not_happen_cannot_differ() -> None:
    other = info(replace(OWN, pretrain=PretrainConfig(epochs=9)), weights=OTHER_WEIGHTS)
    assert differences(info(OWN), other) == ["other starting weights, the weights of my.keras"]


def test_the_built_in_network_has_the_identity_that_it_had_before_there_was_a_choice() -> None:
    found = measured(asdict(BASE))
    assert found["model"] == {"size": 64, "filters": 4, "dropout": 0.5}
    assert set(found["train"]) == {"loss", "batch", "deterministic"}
