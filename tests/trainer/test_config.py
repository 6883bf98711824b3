"""The rules below each section: what is just allowed, what is just not, in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trainer.config import (
    LARGEST_RATE,
    LARGEST_SEED,
    AugmentConfig,
    DataConfig,
    ModelConfig,
    PartitionConfig,
    PretrainConfig,
    ScoreConfig,
    Settings,
    TrainConfig,
    settings_mistakes,
)

SECTIONS = {
    "model": ModelConfig,
    "data": DataConfig,
    "augmentation": AugmentConfig,
    "partition": PartitionConfig,
    "train": TrainConfig,
    "pretrain": PretrainConfig,
    "score": ScoreConfig,
}
# Section, key, values that are allowed, values that are not, and what is said of those.
RULES: list[tuple[str, str, list[Any], list[Any], str]] = [
    ("model", "size", [32, 48, 256], [16, 31, 33, 40], "a multiple of 16 (four halvings) and at least 32"),
    ("model", "filters", [1], [0, -1], "at least 1"),
    ("model", "dropout", [0.0, 0.99], [-0.1, 1.0], "in [0, 1)"),
    ("data", "images", [0, 1], [-1], "at least 0"),
    ("data", "seed", [0, LARGEST_SEED - 1], [-1, LARGEST_SEED], f"from 0 to {LARGEST_SEED - 1}"),
    ("data", "path", [None, "x"], ["", " "], "name a folder or file"),
    ("augmentation", "total", [0, 1], [-1], "at least 0"),
    ("augmentation", "rotation", [0.0, 180.0], [-1.0, 180.5], "from 0 to 180 degrees"),
    ("augmentation", "shear", [0.0, 45.0], [-1.0, 45.5], "from 0 to 45 degrees"),
    ("augmentation", "shift", [0.0, 0.5], [-0.1, 0.51], "from 0 to 0.5"),
    ("augmentation", "zoom", [0.0, 0.5], [-0.1, 0.51], "from 0 to 0.5"),
    ("train", "batch", [1], [0], "at least 1"),
    ("score", "tolerance", [None, 0.0, 2.5], [-0.1], "at least 0"),
    ("pretrain", "path", [None, "x"], [""], "name a folder or file"),
    ("pretrain", "images", [0, 2], [-1, 1], "0 (all) or at least 2"),
    ("pretrain", "epochs", [1], [0], "at least 1"),
    ("pretrain", "batch", [1], [0], "at least 1"),
    ("pretrain", "learning_rate", [1e-9, LARGEST_RATE], [0.0, -1.0, 2 * LARGEST_RATE], "positive"),
    ("pretrain", "validation", [0.01, 0.99], [0.0, 1.0], "between 0 and 1"),
    ("pretrain", "seed", [0, LARGEST_SEED - 1], [-1, LARGEST_SEED], f"from 0 to {LARGEST_SEED - 1}"),
]


def mistakes(section: str, **values: Any) -> list[str]:
    changed: Any = {section: SECTIONS[section](**values)}
    return list(settings_mistakes(replace(Settings(), **changed)))


@pytest.mark.parametrize(("section", "key", "right", "wrong", "rule"), RULES)
def test_a_range_has_two_ends(section: str, key: str, right: list[Any], wrong: list[Any], rule: str) -> None:
    for value in right:
        assert mistakes(section, **{key: value}) == []
    for value in wrong:
        (said,) = mistakes(section, **{key: value})
        assert said.startswith(f"'{section}.{key}' must ") and rule in said
        assert str(value) in said or not str(value).strip()


@pytest.mark.parametrize(("folds", "seed", "count"), [(2, 0, 0), (1, 0, 1), (2, -1, 1), (1, LARGEST_SEED, 2)])
def test_folds_and_seed(folds: int, seed: int, count: int) -> None:
    assert len(list(settings_mistakes(Settings(folds=folds, seed=seed)))) == count


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        ("augmentation", {"order": "leaky"}, "is 'leaky', but nothing is augmented: set 'augmentation.total'"),
        ("partition", {"unit": "conv", "head": "own"}, "'partition.head' must be 'last' or 'always' where"),
        ("model", {"path": " "}, "'model.path' must name a .keras or .h5 file or models:/name@alias"),
        ("model", {"path": "a.keras", "size": 0}, "'model.size' must be at least 1, but got 0"),
        ("model", {"blocks": ((), ("*",))}, "one of them is empty"),
        ("model", {"file": "x"}, "'model.file' is found out by thaw"),
        ("model", {"architecture": "x"}, "'model.architecture' is found out by thaw"),
    ],
)
def test_rules_of_more_than_a_range(section: str, values: dict[str, Any], said: str) -> None:
    (mistake,) = mistakes(section, **values)
    assert said in mistake


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("masks", "outlines"),
        ("part", "train"),
        ("layout", "clinic"),
        ("foreground", (1,)),
        ("ignore", (255,)),
        ("invert", True),
        ("fill", True),
        ("range", (0.0, 4095.0)),
    ],
)
def test_what_says_how_files_are_read_says_nothing_of_embedded_images(key: str, value: Any) -> None:
    (mistake,) = mistakes("data", **{key: value})
    assert f"'data.{key}' is for images of your own" in mistake
    assert mistakes("data", path="set", **{key: value}) == []


def test_a_network_of_ones_own_ignores_the_unets_rules() -> None:
    assert mistakes("model", path="a.keras", size=50, filters=0, dropout=2.0) == []


def test_a_table_of_blocks_counts_blocks() -> None:
    settings = Settings(model=ModelConfig(blocks=(("*",),)), partition=PartitionConfig(unit="conv"))
    (said,) = settings_mistakes(settings)
    assert "'partition.unit' must be 'block' where 'model.blocks' says" in said


def test_every_mistake_is_named_at_once() -> None:
    settings = Settings(train=TrainConfig(batch=0), pretrain=PretrainConfig(epochs=0, batch=0), folds=0)
    assert len(list(settings_mistakes(settings))) == 4
