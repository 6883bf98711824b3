"""Batch normalisation in frozen blocks: `frozen` keeps its statistics, `adapt` moves them and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.trainer import own as nets
from tests.trainer.conftest import made_fold
from tests.trainer.training.test_fit import same, train
from trainer.candidate import Candidate
from trainer.config import ModelConfig, TrainConfig
from trainer.errors import FrozenBlockMoved
from trainer.masks import Mask
from trainer.network.batch_norm import normalisations, statistics
from trainer.network.blocks import leaf_layers
from trainer.network.delta_checkpoints import Delta, packed, restore
from trainer.network.user_model import network_of
from trainer.network.weights import weights_digest, write_weights
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Entry

Entries = Callable[[str], Entry]
POLICIES = ("frozen", "adapt")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return ModelConfig(32, path=str(nets.saved(nets.own(), tmp_path_factory.mktemp("net"))))


def trainer_of(config: ModelConfig, policy: str) -> Trainer:
    network = network_of(config)
    train = TrainConfig(batch=4, batch_norm=policy)  # type: ignore[arg-type]
    return Trainer(network, {"pretrained": network.get_weights()}, train)


def moved(trainer: Trainer) -> set[str]:
    """`layer/number` of every variable of the trainer's network that is not as it was at the start."""
    start = network_of_start(trainer)
    layers = leaf_layers(trainer._model)
    return {
        f"{path}/{number}"
        for path, layer in layers.items()
        for number, weight in enumerate(layer.get_weights())
        if not np.array_equal(weight, start[path][number])
    }


def network_of_start(trainer: Trainer) -> dict[str, list[np.ndarray]]:
    after = trainer._model.get_weights()
    trainer._model.set_weights(trainer.starts["pretrained"])
    start = {path: layer.get_weights() for path, layer in leaf_layers(trainer._model).items()}
    trainer._model.set_weights(after)
    return start


BN = {"bn1/0", "bn1/1", "bn1/2", "bn1/3"}
STATISTICS = {"bn1/2", "bn1/3"}
SECOND = {"conv2/0", "bn2/0", "bn2/1", "bn2/2", "bn2/3"}
HEAD = {"mask/0", "mask/1"}


@pytest.mark.parametrize(
    ("mask", "policy", "expected"),
    [
        ("2-3", "frozen", SECOND | HEAD),
        ("2-3", "adapt", SECOND | HEAD | STATISTICS),
        ("3", "adapt", HEAD | STATISTICS | {"bn2/2", "bn2/3"}),
        ("1", "frozen", BN | {"conv1/0"}),  # in a thawed block batch normalisation trains like any layer
        ("1", "adapt", BN | {"conv1/0", "bn2/2", "bn2/3"}),
        ("all", "adapt", BN | {"conv1/0"} | SECOND | HEAD),
    ],
)
def test_what_moves(
    config: ModelConfig, entry: Entries, fold: FoldData, mask: str, policy: str, expected: set[str]
) -> None:
    trainer = trainer_of(config, policy)
    (result,) = train(trainer, entry("x"), mask, 2, fold)
    assert moved(trainer) == expected == set(result.weights)


def test_zero_shot_moves_nothing_under_either_policy(config: ModelConfig, entry: Entries, fold: FoldData) -> None:
    for policy in POLICIES:
        (result,) = trainer_of(config, policy).fold_results(Candidate("none", 0, 1e-3), fold, (), entry(policy))
        assert not result.weights


def test_one_trainer_goes_from_policy_to_policy_as_candidates_ask(
    config: ModelConfig, entry: Entries, fold: FoldData
) -> None:
    trainer, results = trainer_of(config, "frozen"), {}
    for number, policy in enumerate(("frozen", "adapt", "frozen")):
        candidate = replace(Candidate("3", 2, 1e-2), train=(("batch_norm", policy),))
        results[number] = list(trainer.fold_results(candidate, fold, (), entry(str(number))))[-1]
    assert same(results[0], results[2]) and set(results[1].weights) > set(results[0].weights)
    (alone,) = train(trainer_of(config, "adapt"), entry("alone"), "3", 2, fold)
    assert same(results[1], alone)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_resuming_gives_the_bits_of_one_straight_run(
    config: ModelConfig, entry: Entries, fold: FoldData, policy: str
) -> None:
    straight = train(trainer_of(config, policy), entry("straight"), "2-3", 4, fold)[-1]
    train(trainer_of(config, policy), entry("parts"), "2-3", 2, made_fold(2))  # another fold in the same entry's name
    parts = entry("parts of the fold")
    train(trainer_of(config, policy), parts, "2-3", 2, fold)
    resumed = train(trainer_of(config, policy), parts, "2-3", 4, fold)[-1]
    assert same(straight, resumed) and not resumed.from_ledger


@pytest.mark.parametrize("policy", POLICIES)
def test_a_checkpoint_gives_the_whole_network_back(
    config: ModelConfig, entry: Entries, fold: FoldData, tmp_path: Path, policy: str
) -> None:
    trainer = trainer_of(config, policy)
    (result,) = train(trainer, entry("x"), "3", 2, fold)
    base, delta = tmp_path / "base.weights.h5", tmp_path / "fold_1.npz"
    network = network_of(config)
    write_weights(network, base)
    delta.write_bytes(packed(Delta(weights_digest(network), result.weights)))
    restored = network_of(config)
    restore(restored, base, delta)
    assert weights_digest(restored) == weights_digest(trainer._model)


@pytest.mark.parametrize(
    ("policy", "layer", "number"), [("frozen", "bn1", 2), ("adapt", "bn1", 0), ("adapt", "conv1", 0)]
)
def test_the_proof_fails_when_more_moves_than_the_policy_lets(
    config: ModelConfig, entry: Entries, fold: FoldData, policy: str, layer: str, number: int
) -> None:
    trainer = trainer_of(config, policy)
    epoch = trainer._epoch

    def and_meddle(*arguments: object) -> float:
        leaf_layers(trainer._model)[layer].weights[number].assign_add(
            [0.5] * 2 if layer == "bn1" else [[[[0.5] * 2] * 3]]
        )
        return epoch(*arguments)  # type: ignore[arg-type]

    trainer._epoch = and_meddle  # type: ignore[method-assign, assignment]
    with pytest.raises(FrozenBlockMoved, match=r"Blocks \[1\] are frozen by mask 2-3"):
        train(trainer, entry("x"), "2-3", 1, fold)


def test_statistics_alone_are_no_training(config: ModelConfig, entry: Entries, fold: FoldData) -> None:
    from trainer.errors import TrialFailed

    with pytest.raises(TrialFailed, match=r"dead block: blocks \[1\]"):
        train(trainer_of(config, "adapt"), entry("x"), "1", 1, fold, rate=1e-50)


def test_masks_are_of_this_network(config: ModelConfig) -> None:
    assert [block.number for block in trainer_of(config, "frozen").blocks] == [1, 2, 3]
    assert str(Mask((1, 2, 3), 3)) == "all"


def test_statistics_are_told_by_their_position() -> None:
    norm = keras.layers.BatchNormalization(name="norm")
    both = keras.Sequential([keras.layers.Conv2D(2, 1), norm])
    both.build((None, 4, 4, 1))
    assert statistics(norm) == {2, 3} and statistics(both.layers[0]) == set()
    assert statistics(both) == {4, 5} and normalisations(both) == [norm] and normalisations(both.layers[0]) == []
    norm.trainable = False  # what is frozen for now is no statistic for that
    assert statistics(norm) == {2, 3}
    plain = keras.layers.BatchNormalization(center=False, scale=False)
    plain.build((None, 4, 4, 1))
    assert statistics(plain) == {0, 1}


def test_a_mask_trains_the_same_whichever_mask_came_before(config: ModelConfig, entry: Entries, fold: FoldData) -> None:
    """Adapting keeps single weights of a frozen block from training; the next mask must find none of that."""
    trainer = trainer_of(config, "adapt")
    train(trainer, entry("before"), "3", 1, fold)
    (after,) = train(trainer, entry("after"), "1", 2, fold)
    (alone,) = train(trainer_of(config, "adapt"), entry("alone"), "1", 2, fold)
    assert same(after, alone) and moved(trainer) >= BN
