"""Golden results of training: from the folds and the copies to a few steps, what they predict and how it is scored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.trainer import own
from tests.trainer.conftest import made_fold
from tests.trainer.golden.results import Golden, Numbers, bits, floats, norm, summary
from trainer.candidate import Candidate
from trainer.config import AugmentConfig, ModelConfig, PretrainConfig, Settings, TrainConfig
from trainer.data.augmentation import augmented, copies_of
from trainer.data.cases import Cases
from trainer.data.folds import make_folds
from trainer.masks import ORDERS, at_depth, parse
from trainer.network.blocks import leaf_layers, partition
from trainer.network.unet import unet
from trainer.network.user_model import from_scratch, network_of
from trainer.training.cross_validation import fold_data, leaky_fold_data
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Ledger
from trainer.training.losses import LOSSES
from trainer.training.metrics import score
from trainer.training.pretraining import starting_weights
from trainer.training.steps.batches import batches
from trainer.training.steps.prediction import predict

TINY = ModelConfig(size=32, filters=2)
AUGMENTED = Settings(model=TINY, augmentation=AugmentConfig(total=20), folds=3, seed=1)
WIDE = AugmentConfig(total=24, rotation=40, shear=20, shift=0.2, zoom=0.3, flip=False)


def training() -> Golden:
    """Everything that a fold's numbers come from, the network's own digits last."""
    golden = Golden()
    golden.exact["masks"] = written_masks()
    golden.exact["folds"] = drawn_folds()
    golden.exact["batches"] = [batch.tolist() for epoch in (0, 1, 3) for batch in batches(10, 4, (5, 2), epoch)]
    golden.exact["blocks"] = [[block.number, list(map(repr, block.layers))] for block in partition(unet(TINY))]
    add_copies(golden)
    add_scores(golden)
    golden.close |= losses() | initial_weights()
    golden.trained |= dict(tiny_trainings())
    return golden


def pretraining() -> Golden:
    """Three epochs on 20 composites: the curve, the epoch that is kept, how far its weights moved."""
    config = PretrainConfig(images=20, epochs=3, batch=8, learning_rate=3e-3, seed=1)
    network = network_of(TINY)
    with tempfile.TemporaryDirectory() as folder:
        weights = starting_weights(config, TINY, Path(folder), Path(folder), lambda done, total, words: None)
        network.load_weights(weights.path)
    start = network_of(TINY, config.seed).get_weights()
    moved = [norm(after - before) for after, before in zip(network.get_weights(), start, strict=True)]
    dices = [row["held_out_dice"] for row in weights.curve]
    trained = {"losses": [row["loss"] for row in weights.curve], "moved": moved}
    return Golden({"best epoch": weights.best_epoch, "held-out Dice": dices, "source": weights.source}, {}, trained)


def written_masks() -> list[str]:
    """Masks of nine blocks as they are parsed, and all depths of all orders."""
    texts = ("1-5", "contracting", "expanding", "shallow-3,9", "deep-2", "all", "none")
    depths = [str(at_depth(order, depth, 9)) for order in ORDERS for depth in range(10)]
    return [str(parse(text, 9)) for text in texts] + depths


def drawn_folds() -> list[list[int]]:
    """Folds of two classes in groups."""
    labels = ["a"] * 9 + ["b"] * 5
    groups = np.array([0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 7, 8, 9])
    return [make_folds(groups, labels, folds, seed).tolist() for folds, seed in ((2, 0), (3, 1))]


def made_cases() -> Cases:
    """Twelve cases of 32 pixels."""
    fold = made_fold(3, images=9, tests=3)
    images, masks = np.concatenate([fold.train_x, fold.test_x]), np.concatenate([fold.train_y, fold.test_y])
    names = tuple(f"case {number}" for number in range(12))
    return Cases(images, masks, names, ("",) * 12, np.arange(12), "made", "made", True, (), "d1")


def add_copies(golden: Golden) -> None:
    """Which copies are drawn and how they look; how the folds of both splits are cut."""
    cases, everything = made_cases(), np.arange(12)
    copies = copies_of(cases.names, np.array([0, 3, 4, 7]), 30, 12, 4)
    golden.exact["copies"] = [[int(case), copy] for case, copy in copies]
    for name, config in {"augmented": AUGMENTED.augmentation, "widely augmented": WIDE}.items():
        x, y = augmented(cases.images, cases.masks, cases.names, everything, config, 4)
        golden.exact[f"{name} masks"] = bits(y)
        golden.close[f"{name} images"] = summary(x)
    golden.exact["split first"] = list(map(plain, fold_data(cases, everything % 3, AUGMENTED)))
    golden.exact["leaky split"] = list(map(plain, leaky_fold_data(cases, AUGMENTED, 4)))


def plain(fold: FoldData) -> list[object]:
    """How a fold is cut."""
    return [fold.number, len(fold.train_x), fold.train_images, list(fold.names), list(fold.montage), bits(fold.train_y)]


def add_scores(golden: Golden) -> None:
    """An empty truth, a small one and a large one."""
    rng = np.random.default_rng(1)
    for share in (0.0, 0.1, 0.5):
        truth = (rng.random((16, 16)) < share).astype(np.uint8)
        scored = score("x", "", truth, (0.7 * truth + 0.55 * rng.random(truth.shape)).astype(np.float32))
        golden.exact[f"counts at {share}"] = [scored.tp, scored.fp, scored.fn, scored.tn]
        golden.close[f"scores at {share}"] = [scored.pixel_error, scored.ari, *([scored.dice] if truth.any() else [])]


def losses() -> Numbers:
    """Of three images, the last with an empty truth."""
    rng = np.random.default_rng(2)
    truth = (rng.random((3, 8, 8, 1)) > 0.7).astype(np.float32)
    truth[2] = 0
    logits = rng.normal(0, 2, truth.shape).astype(np.float32)
    return {f"loss {name}": floats(np.asarray(loss(truth, logits))) for name, loss in LOSSES.items()}


def initial_weights() -> Numbers:
    """Of the U-Net, of a network of the user's own as it is and drawn anew; and what they answer untrained."""
    with tempfile.TemporaryDirectory() as folder:
        config = own_network(Path(folder))
        networks = {"U-Net": unet(TINY, seed=4), "own": network_of(config), "own, drawn anew": from_scratch(config, 4)}
    numbers: Numbers = {}
    for name, network in networks.items():
        numbers[f"{name}: weights"] = [norm(weight) for weight in network.get_weights()]
        numbers[f"{name}: answers"] = floats(predict(network, made_fold().test_x).mean(axis=(1, 2)))
    return numbers


def own_network(folder: Path) -> ModelConfig:
    """A file with weights that no initialiser draws: batch normalisation, dropout, sigmoid, three channels."""
    network, rng = own.own(), np.random.default_rng(6)
    for weight in network.weights:
        low = 0.5 if weight.name in ("gamma", "moving_variance") else -0.5
        weight.assign(rng.uniform(low, low + 1, weight.shape))
    return ModelConfig(32, path=str(own.saved(network, folder)))


def tiny_trainings() -> Iterator[tuple[str, list[float]]]:
    """Both losses, both rules for batch normalisation, both starts, every way to tune a block; three steps an epoch,
    scored at two budgets.
    """
    scratch, contracting = Candidate("6-9", 2, 1e-3, start="scratch", seed=3), Candidate("1-2", 2, 1e-3, seed=3)
    with tempfile.TemporaryDirectory() as folder:
        given = own_network(Path(folder))
        for name, config, train, candidate in (
            ("bce+dice", TINY, TrainConfig(batch=4), scratch),
            ("bce", TINY, TrainConfig(batch=4, loss="bce"), contracting),
            ("low rank", TINY, TrainConfig(batch=4, tune="lora", lora_rank=2), contracting),
            ("biases", TINY, TrainConfig(batch=4, tune="bias"), contracting),
            ("normalisation", given, TrainConfig(batch=4, tune="norm"), Candidate("2", 2, 1e-3, seed=3)),
            ("slower towards the input", TINY, TrainConfig(batch=4, rate_decay=0.5), Candidate("all", 2, 1e-3, seed=3)),
            ("head first", TINY, TrainConfig(batch=4, schedule="head-first", head_epochs=1), contracting),
            ("frozen statistics", given, TrainConfig(batch=4), Candidate("2-3", 2, 1e-3, seed=3)),
            ("adapting statistics", given, TrainConfig(batch=4, batch_norm="adapt"), Candidate("2-3", 2, 1e-3, seed=3)),
        ):
            yield from trained(name, config, train, candidate, Path(folder))


def trained(
    name: str, config: ModelConfig, train: TrainConfig, candidate: Candidate, folder: Path
) -> Iterator[tuple[str, list[float]]]:
    """At every budget the losses and how far each variable moved; in the end what is predicted."""
    network, fold = network_of(config, seed=1), made_fold()
    start = {path: layer.get_weights() for path, layer in leaf_layers(network).items()}
    trainer = Trainer(network, {candidate.origin: network.get_weights()}, train)
    for result in trainer.fold_results(candidate, fold, (1,), Ledger(folder).entry(name)):
        moved = []
        for path, weight in sorted(result.weights.items()):
            layer, _, number = path.rpartition("/")
            moved.append(norm(weight - start[layer][int(number)]))
        yield f"{name}: losses of {result.epochs}", list(result.losses)
        yield f"{name}: moved by {result.epochs}", moved
    yield f"{name}: answers", floats(predict(network, fold.test_x).mean(axis=(1, 2)))
