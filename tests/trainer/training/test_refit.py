from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainer.candidate import Candidate, TrainValue
from trainer.config import AugmentConfig, ModelConfig, Settings, TrainConfig
from trainer.data.cases import Cases
from trainer.errors import TrialFailed
from trainer.network.unet import unet
from trainer.network.weights import weights_digest
from trainer.training.cross_validation import CrossValidation, fold_data, fold_maker
from trainer.training.fit import Trainer
from trainer.training.ledger import Ledger
from trainer.training.refit import all_cases, refit

SETTINGS = Settings(model=ModelConfig(32, 2), augmentation=AugmentConfig(total=16), train=TrainConfig(batch=4), folds=2)


def cases() -> Cases:
    images = np.random.default_rng(0).random((8, 32, 32)).astype(np.float32)
    truth = np.zeros((8, 32, 32), np.uint8)
    truth[:, 8:20, 10:24] = 1
    names, groups = tuple(f"case {i}" for i in range(8)), np.arange(8)
    return Cases(images * (1 - truth), truth, names, ("",) * 8, groups, "made", "made", True, (), "d1")


@pytest.fixture
def cross_validation(trainer: Trainer, tmp_path: Path) -> CrossValidation:
    starts = {"pretrained": weights_digest(unet(SETTINGS.model, seed=1)), "scratch:0": "unused"}
    folds = fold_maker(cases(), np.arange(8) % 2, SETTINGS)
    return CrossValidation(trainer, SETTINGS, folds, Ledger(tmp_path), "d1", starts, (1, 2))


def test_every_case_is_trained_on_and_augmented_like_in_a_fold() -> None:
    whole, (fold, _) = all_cases(cases(), SETTINGS, 0), fold_data(cases(), np.arange(8) % 2, SETTINGS)
    assert (len(whole.train_x), whole.train_images, whole.names) == (16, 8, cases().names)
    assert np.array_equal(whole.train_x[:8], cases().images)
    copies = [copy.tobytes() for copy in whole.train_x[8:]]
    assert len(fold.train_x) == 8 and all(copy.tobytes() in copies for copy in fold.train_x[4:])


@pytest.mark.parametrize(
    ("train", "also"),
    [((), set()), ((("head_epochs", 1), ("schedule", "head-first"), ("tune", "lora")), {"head"})],
    ids=["at once", "low rank, head first"],
)
def test_the_network_holds_the_trained_blocks_on_the_base_and_gives_probabilities(
    cross_validation: CrossValidation, train: tuple[tuple[str, TrainValue], ...], also: set[str]
) -> None:
    done: list[tuple[int, int]] = []
    candidate = Candidate("1-2", 2, 1e-2, train=train)
    network, result = refit(cross_validation, cases(), candidate, lambda at, of: done.append((at, of)))
    assert done == [(1, 2), (2, 2)] and result.fold == 0 and result.epochs == 2
    start = unet(SETTINGS.model, seed=1)
    moved = {
        layer.name.split("_")[0]
        for layer in start.layers
        for before, after in zip(layer.get_weights(), network.get_layer(layer.name).get_weights(), strict=True)
        if not np.array_equal(before, after)
    }
    assert moved == {"block1", "block2"} | also
    given = network.predict_on_batch(cases().images[..., None])[..., 0]
    assert given == pytest.approx(cross_validation.trainer._steps.predict(cases().images, lambda: None), abs=1e-6)


def test_a_second_refit_trains_nothing_and_gives_the_same_bits(cross_validation: CrossValidation) -> None:
    candidate = Candidate("9", 1, 1e-2)
    first, second = (refit(cross_validation, cases(), candidate) for _ in range(2))
    assert not first[1].from_ledger and second[1].from_ledger
    assert weights_digest(first[0]) == weights_digest(second[0])


def test_a_diverging_refit_fails_and_gives_no_network(cross_validation: CrossValidation) -> None:
    with pytest.raises(TrialFailed, match="fold 0"):
        refit(replace(cross_validation, budgets=(2,)), cases(), Candidate("all", 2, 1e30))
