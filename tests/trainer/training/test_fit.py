"""Training: frozen is proved, folds do not touch each other, budgets resume to the same bits, one trace per mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from tests.trainer.conftest import TINY, made_fold
from trainer.candidate import Candidate, TrainValue
from trainer.config import PartitionConfig, TrainConfig
from trainer.errors import FrozenBlockMoved, TrialFailed
from trainer.masks import at_depth
from trainer.network import low_rank
from trainer.network.blocks import leaf_layers
from trainer.network.unet import unet
from trainer.results import FoldResult
from trainer.training import compiled
from trainer.training.compiled import Compiled
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Entry, Failure
from trainer.training.phases import Phase
from trainer.training.steps.batches import batches, scoring_batch
from trainer.training.steps.prediction import predict

Entries = Callable[[str], Entry]
STUDY = sorted({str(at_depth(order, k, 9)) for order in ("shallow-first", "deep-first") for k in range(1, 10)})


def train(
    trainer: Trainer,
    entry: Entry,
    mask: str,
    epochs: int,
    fold: FoldData,
    budgets: tuple[int, ...] = (),
    rate: float = 1e-2,
    seed: int = 0,
) -> list[FoldResult]:
    return list(trainer.fold_results(Candidate(mask, epochs, rate, seed=seed), fold, budgets, entry))


def same(one: FoldResult, other: FoldResult) -> bool:
    weights = all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)
    return (
        weights and one.losses == other.losses and one.scores == other.scores and set(one.weights) == set(other.weights)
    )


QUICK = ("1-5", "all")  # the other 15 masks of the study are among the slow tests


@pytest.mark.parametrize("mask", [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in STUDY])
def test_only_the_masks_blocks_move_and_all_of_them(
    trainer: Trainer, entry: Entries, fold: FoldData, mask: str
) -> None:
    (result,) = train(trainer, entry(mask), mask, 1, fold)
    start = unet(TINY, seed=1)
    trained = {path.rsplit("/", 1)[0] for path in result.weights}
    layers = leaf_layers(start)
    expected = {place.path for block in trainer.blocks if str(block.number) in _numbers(mask) for place in block.layers}
    assert trained == expected
    for path in trained:
        before = layers[path].get_weights()
        after = [result.weights[f"{path}/{i}"] for i in range(len(before))]
        assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)), path


def _numbers(mask: str) -> set[str]:
    from trainer.masks import parse

    return {str(block) for block in parse(mask, 9).blocks}


def test_the_proof_fails_when_a_layer_is_thawed_behind_its_back(
    entry: Entries, fold: FoldData, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))

    def thaw(*_: object) -> None:
        network.get_layer("block7_conv1").trainable = True

    monkeypatch.setattr(compiled, "tune_within", thaw)  # after the flags, before the step is made
    with pytest.raises(FrozenBlockMoved, match=r"Blocks \[7\] are frozen by mask 1-5"):
        train(trainer, entry("x"), "1-5", 1, fold)
    assert entry("x").result(1) is None


def test_a_dead_block_fails_the_trial_and_is_remembered(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    for _ in range(2):
        with pytest.raises(TrialFailed, match=r"dead block: blocks \[3\]"):
            train(trainer, entry("x"), "3", 1, fold, rate=1e-50)  # 0 in float32
    failure = entry("x").failure()
    assert failure is not None and failure.epochs == 1


def test_a_loss_that_is_not_finite_fails_the_trial(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    with pytest.raises(TrialFailed, match=r"training loss became nan in epoch .*smaller learning rate"):
        train(trainer, entry("x"), "all", 5, fold, rate=1e30)


def test_a_fold_is_not_touched_by_what_was_trained_before(trainer: Trainer, entry: Entries) -> None:
    first = train(trainer, entry("a"), "1-5", 2, made_fold(1))[-1]
    train(trainer, entry("b"), "1-5", 3, made_fold(2), rate=1e-1)
    train(trainer, entry("c"), "6-9", 1, made_fold(2))
    again = train(trainer, entry("d"), "1-5", 2, made_fold(1))[-1]
    assert same(first, again)


def test_budgets_on_the_way_and_resuming_give_the_bits_of_one_straight_run(entry: Entries, fold: FoldData) -> None:
    def fresh() -> Trainer:
        network = unet(TINY, seed=1)
        return Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))

    straight = train(fresh(), entry("straight"), "6-9", 5, fold)[-1]
    in_one = train(fresh(), entry("one"), "6-9", 5, fold, budgets=(2, 3, 5, 8))
    train(fresh(), entry("parts"), "6-9", 2, fold)
    resumed = train(fresh(), entry("parts"), "6-9", 5, fold, budgets=(2,))
    assert [result.epochs for result in in_one] == [2, 3, 5]
    assert [(result.epochs, result.from_ledger) for result in resumed] == [(2, True), (5, False)]
    assert same(straight, in_one[-1]) and same(straight, resumed[-1]) and same(in_one[0], resumed[0])


def test_a_budget_that_was_passed_without_scoring_is_walked_again(
    trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    long = train(trainer, entry("x"), "9", 4, fold, budgets=(2,))
    (between,) = train(trainer, entry("x"), "9", 3, fold)
    assert between.losses == long[-1].losses[:3]
    state = entry("x").state()
    assert state is not None and state.epochs == 4  # the newest state is kept
    assert same(train(trainer, entry("x"), "9", 4, fold)[-1], long[-1])


def test_one_trace_per_mask_over_folds_budgets_and_rates(entry: Entries) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))
    for mask in ("1-5", "6-9"):
        for number, size in enumerate((10, 11, 9), start=1):
            for rate in (1e-3, 1e-2):
                found = train(trainer, entry(f"{mask}{number}{rate}"), mask, 2, made_fold(number, size), (1, 2), rate)
                assert [result.traces for result in found] == [1, 1]


def test_zero_shot_trains_nothing(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    (result,) = train(trainer, entry("x"), "none", 0, fold, budgets=(1, 2))
    assert result.epochs == 0 and not result.losses and not result.weights and len(result.scores) == 5
    assert result.traces == 0
    assert train(trainer, entry("x"), "none", 0, fold)[0].from_ledger


@pytest.mark.parametrize(
    ("units", "mask", "expected"),
    [
        pytest.param(
            PartitionConfig("conv"),
            "1-9",
            [f"block{n}_conv{c}" for n in range(1, 5) for c in (1, 2)] + ["block5_conv1"],
            marks=pytest.mark.slow,
        ),
        (PartitionConfig("conv"), "18", ["block9_conv2", "head"]),
        (PartitionConfig(head="always"), "1", ["block1_conv1", "block1_conv2", "head"]),
        pytest.param(PartitionConfig(head="own"), "10", ["head"], marks=pytest.mark.slow),
        pytest.param(PartitionConfig(head="own"), "9", ["block9_conv1", "block9_conv2"], marks=pytest.mark.slow),
    ],
)
def test_a_mask_thaws_the_units_it_counts_in(
    entry: Entries, fold: FoldData, units: PartitionConfig, mask: str, expected: list[str]
) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4), units)
    (result,) = train(trainer, entry("x"), mask, 1, fold)  # that nothing else moved is proved by the trainer itself
    assert {name.rsplit("/", 1)[0] for name in result.weights} == set(expected)
    (untouched,) = train(trainer, entry("y"), "none", 0, fold)
    assert not untouched.weights


def test_starts_differ(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    losses = {
        start: next(iter(trainer.fold_results(Candidate("all", 1, 1e-3, start), fold, (), entry(start)))).losses
        for start in ("pretrained", "scratch")
    }
    assert losses["pretrained"] != losses["scratch"]


def test_the_seed_reaches_dropout_and_shuffle(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    reseeded = train(trainer, entry("b"), "all", 1, fold, seed=7)
    assert train(trainer, entry("a"), "all", 1, fold)[0].losses != reseeded[0].losses
    moved = replace(fold, number=2)
    assert train(trainer, entry("c"), "all", 1, moved)[0].losses != train(trainer, entry("a"), "all", 1, fold)[0].losses


@pytest.mark.parametrize(("n", "batch"), [(10, 4), (12, 4), (3, 8), (1, 2)])
def test_batches_are_one_endless_shuffle(n: int, batch: int) -> None:
    epochs = [list(batches(n, batch, (0, 1), epoch)) for epoch in range(6)]
    stream = np.concatenate([one for epoch in epochs for one in epoch])
    assert {len(one) for epoch in epochs for one in epoch} == {batch}
    assert len(epochs[0]) == -(-n // batch)
    for start in range(0, len(stream) - n + 1, n):
        assert sorted(stream[start : start + n]) == list(range(n))


@pytest.mark.parametrize(("n", "batch", "epoch"), [(10, 4, 0), (10, 4, 2), (12, 4, 1), (3, 8, 1), (1, 2, 3), (5, 5, 4)])
def test_batches_by_hand(n: int, batch: int, epoch: int) -> None:
    """Every pass is a permutation of its own seed; the epochs cut their end-to-end stream into equal parts."""
    steps = -(-n // batch)
    stream = np.concatenate([np.random.default_rng([7, 2, number]).permutation(n) for number in range(60)])
    found = list(batches(n, batch, (7, 2), epoch))
    start = epoch * steps * batch
    assert np.array_equal(np.concatenate(found), stream[start : start + steps * batch]) and len(found) == steps


@pytest.mark.parametrize(
    ("pixels", "at_once"),
    [(64 * 64, 32), (128 * 128, 32), (128 * 128 + 1, 31), (256 * 256, 8), (1024 * 1024, 1), (0, 32)],
)
def test_how_many_pictures_are_scored_at_once(pixels: int, at_once: int) -> None:
    assert scoring_batch(pixels) == at_once


class Logits:
    """Stands in for a network: the logits are a thousand times the picture less one half."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def predict_on_batch(self, padded: np.ndarray) -> np.ndarray:
        self.shapes.append(padded.shape)
        return 1000 * (padded - 0.5)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_pictures_are_scored_in_padded_batches_of_one_size(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.steps.batches.SCORING_BATCH", 2)
    pictures = np.random.default_rng(0).choice([0.499, 0.5, 0.501, 0.4, 0.6], (count, 4, 4)).astype(np.float32)
    network = Logits()
    found = predict(network, pictures)
    expected = 1 / (1 + np.exp(-np.clip(1000.0 * (pictures - np.float32(0.5)), -60, 60)))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert network.shapes == [(2, 4, 4, 1)] * -(-count // 2)


def test_a_failure_stops_what_is_as_long_and_not_what_is_shorter(
    trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    entry("x").keep_failure(Failure(2, "diverged"))
    assert train(trainer, entry("x"), "9", 1, fold)[-1].epochs == 1
    for epochs in (2, 3):
        with pytest.raises(TrialFailed, match="diverged"):
            train(trainer, entry("x"), "9", epochs, fold)


def test_predictions_and_scores_are_of_the_weights_that_were_reached(
    trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    (result,) = train(trainer, entry("x"), "all", 1, fold)
    probability = trainer._steps.predict(fold.test_x, lambda: None)
    assert np.array_equal(result.predictions, probability > 0.5) and result.predictions.dtype == np.uint8
    assert [score.image for score in result.scores] == list(fold.names)
    assert (result.train_images, result.fold, result.seconds > 0) == (10, 1, True)
    kernel = leaf_layers(trainer._model)["head"].weights[0]
    assert np.array_equal(result.weights["head/0"], np.asarray(kernel))


def test_predictions_that_are_not_finite_fail_the_trial(
    trainer: Trainer, entry: Entries, fold: FoldData, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.full(fold.test_x.shape, 0.5, np.float32)
    whole[-1, -1, -1] = np.nan
    monkeypatch.setattr(trainer._steps, "predict", lambda *_: whole)
    with pytest.raises(TrialFailed, match="predictions are not finite"):
        train(trainer, entry("x"), "9", 1, fold)


def test_a_trial_learns_at_its_own_rate_and_forgets_the_momentum_of_the_one_before(
    trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    slow = train(trainer, entry("slow"), "9", 2, fold, rate=1e-4)[-1]
    fast = train(trainer, entry("fast"), "9", 2, fold, rate=1e-1)[-1]
    assert same(train(trainer, entry("again"), "9", 2, fold, rate=1e-4)[-1], slow)
    assert slow.losses[0] != fast.losses[0]
    moved = [
        np.abs(one.weights["head/0"] - leaf_layers(unet(TINY, seed=1))["head"].get_weights()[0]).max()
        for one in (slow, fast)
    ]
    # Adam's first steps are about as long as the rate, whatever the gradient: six of them here.
    assert moved[0] == pytest.approx(6e-4, rel=0.5) and moved[1] > 0.1


def test_masks_with_ignored_pixels_need_a_trainer_that_ignores_them(entry: Entries, fold: FoldData) -> None:
    some_ignored = replace(fold, train_y=np.where(fold.train_x > 0.9, 255, fold.train_y).astype(np.uint8))
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))
    with pytest.raises(ValueError, match="ignored pixels need a trainer"):
        train(trainer, entry("plain"), "9", 1, some_ignored)


def test_what_is_under_ignored_pixels_changes_no_weight(entry: Entries, fold: FoldData) -> None:
    """Two truths that differ only where they are ignored, and images that differ nowhere: one training."""
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4), ignoring=True)
    ignored = np.zeros(fold.train_y.shape, bool)
    ignored[:, ::2] = True
    one, other, counted = (
        np.where(ignored, 255, truth).astype(np.uint8)
        for truth in (fold.train_y, np.where(ignored, 1 - fold.train_y, fold.train_y), 1 - fold.train_y)
    )
    trained = [
        train(trainer, entry(name), "9", 1, replace(fold, train_y=truth))[0]
        for name, truth in (("one", one), ("other", other), ("counted", counted))
    ]
    assert same(trained[0], trained[1])
    assert not same(trained[0], trained[2])


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    train(trainer, entry("compiled"), "9", 1, fold)
    of_batch, taken = trainer._model.train_on_batch, list[float]()

    def noted(*data: object) -> float:
        taken.append(float(of_batch(*data)))
        return taken[-1]

    trainer._model.train_on_batch = noted
    (result,) = train(trainer, entry("mean"), "9", 2, fold)
    half = len(taken) // 2
    assert half > 1 and result.losses == (sum(taken[:half]) / half, sum(taken[half:]) / half)


HEAD_FIRST: dict[str, TrainValue] = {"head_epochs": 1, "schedule": "head-first"}
KERNELS, BIASES = {"0"}, {"1"}  # of a convolution's weights


@pytest.mark.parametrize(
    ("changed", "moving"),
    [
        ({"tune": "bias"}, BIASES),
        pytest.param({"rate_decay": 0.5}, KERNELS | BIASES, marks=pytest.mark.slow),
        (HEAD_FIRST | {"rate_decay": 0.5, "tune": "lora"}, KERNELS),
        pytest.param({"tune": "lora"}, KERNELS, marks=pytest.mark.slow),
        pytest.param(HEAD_FIRST, KERNELS | BIASES, marks=pytest.mark.slow),
    ],
    ids=lambda given: "".join(sorted(given)) if isinstance(given, set) else str(given),  # a set has no order
)
def test_budgets_on_the_way_of_what_is_tuned_give_the_bits_of_one_straight_run(
    entry: Entries, fold: FoldData, changed: dict[str, TrainValue], moving: set[str]
) -> None:
    candidate = Candidate("6-9", 3, 1e-2, train=tuple(sorted(changed.items())))

    def run(name: str, epochs: int, trainer: Trainer) -> FoldResult:
        budgets = (2,) if "schedule" in changed else (1,)
        return list(trainer.fold_results(replace(candidate, epochs=epochs), fold, budgets, entry(name)))[-1]

    def fresh() -> Trainer:
        network = unet(TINY, seed=1)
        return Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))

    straight = run("straight", 3, fresh())
    run("parts", 2, fresh())
    assert same(run("parts", 3, fresh()), straight)
    other = fresh()
    plain = train(other, entry("plain"), "6-9", 3, fold)[-1]
    assert plain.losses != straight.losses and same(run("after", 3, other), straight)
    moved = {path.rpartition("/")[2] for path in straight.weights if not path.startswith("head/")}
    assert moved == moving
    assert {path for path in straight.weights if path.startswith("head/")} == (
        {"head/0", "head/1"} if "schedule" in changed else {f"head/{number}" for number in moving}
    )


def test_a_low_rank_update_is_merged_into_kernels_of_the_ordinary_shapes(entry: Entries, fold: FoldData) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4, tune="lora", lora_rank=1))
    start = {path: layer.get_weights() for path, layer in leaf_layers(unet(TINY, seed=1)).items()}
    (result,) = train(trainer, entry("x"), "1-5", 1, fold)
    for name, kernel in result.weights.items():
        update = kernel - start[name.rpartition("/")[0]][0]
        assert np.linalg.matrix_rank(update.reshape(-1, kernel.shape[-1]), tol=1e-5) == 1, name
    assert np.array_equal(result.predictions, trainer._steps.predict(fold.test_x, lambda: None) > 0.5)
    assert [weight.shape for weight in network.weights] == [weight.shape for weight in unet(TINY).weights]


def test_the_head_trains_first_and_alone(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    """A mask without the head leaves it as the first phase made it, and that phase is the same under every mask."""
    first, heads = leaf_layers(unet(TINY, seed=1))["head"].get_weights()[0], []
    for mask in ("1-2", "all"):
        candidate = Candidate(mask, 3, 1e-2, train=tuple(sorted((HEAD_FIRST | {"head_epochs": 2}).items())))
        (result,) = trainer.fold_results(candidate, fold, (), entry(mask))
        heads.append(result.weights["head/0"])
        assert trainer.parameters(candidate) == trainer.parameters(replace(candidate, train=())) + 3 * (mask == "1-2")
        losses = result.losses[:2]
    assert not np.array_equal(first, heads[0]) and not np.array_equal(heads[0], heads[1])
    alone = Trainer(trainer._model, trainer.starts, trainer.config, PartitionConfig(head="own"))
    (of_head,) = train(alone, entry("alone"), "10", 2, fold)
    assert np.array_equal(of_head.weights["head/0"], heads[0]) and of_head.losses == losses


def test_one_trace_for_each_mask_and_phase(entry: Entries) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4))
    settings = (("head_epochs", 1), ("schedule", "head-first"))
    for mask in ("1-5", "6-9"):
        for number in (1, 2):
            candidate = Candidate(mask, 3, 1e-2, train=settings)
            found = trainer.fold_results(candidate, made_fold(number, 9 + number), (2,), entry(f"{mask}{number}"))
            assert [result.traces for result in found] == [2, 2]


def test_a_budget_that_ends_before_the_mask_trains_is_refused_and_not_remembered(
    trainer: Trainer, entry: Entries, fold: FoldData
) -> None:
    candidate = Candidate("9", 1, 1e-2, train=(("head_epochs", 1), ("schedule", "head-first")))
    with pytest.raises(TrialFailed, match=r"after the head has trained alone .*head_epochs = 1.*got 1 epochs"):
        list(trainer.fold_results(candidate, fold, (), entry("x")))
    assert list(trainer.fold_results(replace(candidate, epochs=2), fold, (), entry("x")))


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ("block7_conv1", r"Blocks \[7\] are frozen by the head 'head' alone"),
        ("head", "dead block: the head 'head' should have trained"),
    ],
)
def test_the_first_phase_is_proved_before_the_second(
    entry: Entries, fold: FoldData, monkeypatch: pytest.MonkeyPatch, moved: str, said: str
) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4, **HEAD_FIRST))  # type: ignore[arg-type]
    of_phase = trainer._compiled.of

    def other(phase: Phase) -> Compiled:
        ready = of_phase(phase)
        if phase.head and moved == "head":
            nothing = SimpleNamespace(step=lambda: None, losses=lambda: [1.0])
            monkeypatch.setattr(ready.steps, "epoch", lambda *_: nothing)
        elif phase.head:
            kernel, settle = network.get_layer(moved).kernel, ready.steps.settle
            monkeypatch.setattr(ready.steps, "settle", lambda: (settle(), kernel.assign(kernel + 1)))
        return ready

    monkeypatch.setattr(trainer._compiled, "of", other)
    with pytest.raises((FrozenBlockMoved, TrialFailed), match=said):
        train(trainer, entry(moved), "1-5", 2, fold)


def test_the_proof_fails_when_what_is_not_tuned_moves(entry: Entries, fold: FoldData, monkeypatch: Any) -> None:
    monkeypatch.setattr(compiled, "tune_within", lambda *_: None)
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4, tune="bias"))
    with pytest.raises(FrozenBlockMoved, match=r"only 'bias' is tuned, but .*kernel changed"):
        train(trainer, entry("x"), "6-9", 1, fold)


def test_the_proof_fails_when_a_kernel_is_not_its_low_rank_update(
    entry: Entries, fold: FoldData, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = unet(TINY, seed=1)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=4, tune="lora"))
    monkeypatch.setattr(low_rank, "_merged", lambda parts: parts.base + 0.1 * keras.ops.sum(parts.down))
    with pytest.raises(FrozenBlockMoved, match=r"Under mask 9 .*kernel must be its former self and the update of rank"):
        train(trainer, entry("x"), "9", 1, fold)


def test_nothing_to_tune_fails_the_trial(trainer: Trainer, entry: Entries, fold: FoldData) -> None:
    candidate = Candidate("6-9", 1, 1e-2, train=(("tune", "norm"),))
    said = r"nothing to tune: blocks \[6, 7, 8, 9\] of mask 6-9 have no weights of the kind 'norm'"
    with pytest.raises(TrialFailed, match=said):
        list(trainer.fold_results(candidate, fold, (), entry("x")))
    assert train(trainer, entry("y"), "6-9", 1, fold)
