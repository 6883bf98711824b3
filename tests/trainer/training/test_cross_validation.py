"""A candidate's folds: cut right, keyed by everything the numbers depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainer.config import AugmentConfig, Candidate, ModelConfig, PartitionConfig, Settings, TrainConfig
from trainer.data.cases import Cases
from trainer.results import COPY_MARK
from trainer.training.cross_validation import CrossValidation, fold_data, fold_maker
from trainer.training.fit import Trainer
from trainer.training.ledger import Ledger

SETTINGS = Settings(model=ModelConfig(32, 2), augmentation=AugmentConfig(total=24), folds=3)
FOLD_OF = np.arange(12) % 3


def cases() -> Cases:
    rng = np.random.default_rng(0)
    images = rng.random((12, 32, 32)).astype(np.float32)
    names = tuple(f"case {i}" for i in range(12))
    groups = np.arange(12)
    return Cases(images, (images > 0.7).astype(np.uint8), names, ("",) * 12, groups, "made", "made", True, (), "d1")


@pytest.fixture
def cross_validation(trainer: Trainer, tmp_path: Path) -> CrossValidation:
    folds = fold_maker(cases(), FOLD_OF, SETTINGS)
    return CrossValidation(
        trainer, SETTINGS, folds, Ledger(tmp_path), "d1", {"pretrained": "w1", "scratch-0": "w2"}, (1, 2)
    )


def test_every_case_validates_once_and_is_never_trained_on_where_it_does() -> None:
    folds = fold_data(cases(), FOLD_OF, SETTINGS)
    assert sorted(name for fold in folds for name in fold.names) == sorted(cases().names)
    for fold in folds:
        assert (len(fold.train_x), fold.train_images, len(fold.test_x)) == (16, 8, 4)
        assert not any(np.array_equal(tested, trained) for tested in fold.test_x for trained in fold.train_x)
        assert len(fold.montage) == 2


def test_results_stream_out_fold_by_fold_and_come_back_from_the_ledger(cross_validation: CrossValidation) -> None:
    first = [(result.fold, result.epochs, result.from_ledger) for result in cross_validation(Candidate("1-5", 2, 1e-3))]
    again = [(result.fold, result.epochs, result.from_ledger) for result in cross_validation(Candidate("1-5", 2, 1e-3))]
    assert first == [(fold, epochs, False) for fold in (1, 2, 3) for epochs in (1, 2)]
    assert again == [(fold, epochs, True) for fold in (1, 2, 3) for epochs in (1, 2)]


def test_a_seed_draws_its_own_copies_on_the_same_folds(cross_validation: CrossValidation) -> None:
    zero, one = (cross_validation.folds(Candidate("1-5", 2, 1e-3, seed=seed)) for seed in (0, 1))
    for left, right in zip(zero, one, strict=True):
        assert left.names == right.names and np.array_equal(left.train_x[:8], right.train_x[:8])
        assert not any(np.array_equal(a, b) for a, b in zip(left.train_x[8:], right.train_x[8:], strict=True))


def test_leaky_folds_score_copies_of_what_they_train_on(cross_validation: CrossValidation) -> None:
    folds = cross_validation.folds(Candidate("1-5", 2, 1e-3, split="leaky"))
    scored = [name for fold in folds for name in fold.names]
    originals = [name for name in scored if COPY_MARK not in name]
    assert len(scored) == len(set(scored)) == 24 and sorted(originals) == sorted(cases().names)
    for fold in folds:
        assert len(fold.train_x) + len(fold.test_x) == 24 and fold.train_images <= 12
    tested = [{name.split(COPY_MARK)[0] for name in fold.names} for fold in folds]
    assert any(tested[0] & other for other in tested[1:])  # one image, scored in two folds: so trained on in both


def test_the_key_holds_everything_but_the_budget(
    cross_validation: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Candidate("1-5", 2, 1e-3)
    fold, other = cross_validation.folds(one)[:2]
    key = cross_validation.key(one, fold)
    assert cross_validation.key(replace(one, epochs=9), fold) == key
    changed = [
        cross_validation.key(replace(one, mask="6-9"), fold),
        cross_validation.key(replace(one, learning_rate=1e-2), fold),
        cross_validation.key(replace(one, start="scratch"), fold),
        cross_validation.key(one, other),
        cross_validation.key(replace(one, seed=1), fold),
        cross_validation.key(replace(one, split="leaky"), fold),
        replace(cross_validation, data_digest="d2").key(one, fold),
        replace(cross_validation, starts={"pretrained": "w3", "scratch-0": "w2"}).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, partition=PartitionConfig("conv"))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, partition=PartitionConfig(head="always"))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, train=TrainConfig(batch=3))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, augmentation=AugmentConfig(total=30))).key(one, fold),
    ]
    monkeypatch.setattr("trainer.training.cross_validation.versions", lambda: {"keras": "9"})
    changed.append(cross_validation.key(one, fold))
    assert len({key, *changed}) == len(changed) + 1
