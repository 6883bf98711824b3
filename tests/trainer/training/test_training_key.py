"""The ledger's key of a fold: everything that its numbers depend on, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trainer import arithmetic, keys
from trainer.candidate import Candidate
from trainer.config import AugmentConfig, DataConfig, ModelConfig, PretrainConfig, Settings, TrainConfig
from trainer.training import training_key as module
from trainer.training.training_key import training_key

SETTINGS = Settings(model=ModelConfig(32, 2))
CANDIDATE = Candidate("1-5", 2, 1e-3)
ZERO_SHOT = Candidate("none", 0, 1e-3)


def key(
    candidate: Candidate = CANDIDATE, settings: Settings = SETTINGS, fold: int = 1, name: str = "a", **more: str
) -> str:
    return training_key(settings, candidate, fold, [name, "b"], **{"data": "d", "start": "w", **more})


def settings(**changed: Any) -> Settings:
    return replace(SETTINGS, **changed)


@pytest.mark.parametrize(
    "other",
    [
        key(replace(CANDIDATE, epochs=9)),
        key(replace(CANDIDATE, start="scratch")),  # the digest of its weights tells
        key(settings=settings(data=DataConfig("elsewhere"))),  # so does that of the images
        key(settings=settings(pretrain=PretrainConfig(epochs=1))),
        key(settings=settings(folds=9, seed=7)),  # the names that are scored tell
        key(settings=settings(augmentation=AugmentConfig(order="leaky"))),  # the candidate's split tells
        key(replace(CANDIDATE, train=(("batch", TrainConfig.batch),))),
        key(replace(CANDIDATE, train=(("lora_rank", 4), ("schedule", "at-once"), ("tune", "all")))),
    ],
)
def test_what_the_numbers_do_not_depend_on_is_left_out(other: str) -> None:
    assert other == key()


def test_everything_else_gives_a_key_of_its_own() -> None:
    others = [
        key(replace(CANDIDATE, mask="6-9")),
        key(replace(CANDIDATE, learning_rate=1e-2)),
        key(replace(CANDIDATE, seed=1)),
        key(replace(CANDIDATE, split="leaky")),
        key(replace(CANDIDATE, train=(("batch", 3),))),
        key(settings=settings(train=TrainConfig(batch_norm="adapt"))),
        key(replace(CANDIDATE, train=(("tune", "lora"),))),
        key(replace(CANDIDATE, train=(("lora_rank", 2), ("tune", "lora")))),
        key(replace(CANDIDATE, train=(("schedule", "head-first"),))),
        key(replace(CANDIDATE, train=(("head_epochs", 2), ("schedule", "head-first")))),
        key(settings=settings(model=ModelConfig(32, 3))),
        key(settings=settings(augmentation=AugmentConfig(total=9))),
        key(fold=2),
        key(name="c"),
        key(data="e"),
        key(start="v"),
    ]
    assert len({key(), *others}) == len(others) + 1


def test_without_training_neither_seed_nor_rate_counts() -> None:
    assert key(replace(ZERO_SHOT, seed=3, learning_rate=1.0)) == key(ZERO_SHOT)


def test_the_version_of_the_arithmetic_and_the_libraries_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {key()}
    monkeypatch.setattr(arithmetic, "TRAINING", arithmetic.TRAINING + 1)
    found.add(key())
    monkeypatch.setattr(module, "versions", lambda: {"keras": "9"})
    assert len({*found, key()}) == 3


def test_a_later_setting_at_its_default_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setattr(keys, "FORMER_DEFAULTS", {"TrainConfig.batch_norm": "adapt"})
    assert key() != before
    assert key(settings=settings(train=TrainConfig(batch_norm="adapt"))) == before
