"""The loop that a competent user writes without thaw: Optuna's grid, Keras's `fit`, scikit-learn's splits, MLflow.

    python -m tests.benchmarks.yardstick.hand_written TASK OUT [--anew | --together] [--seed 0]

Every trial builds and compiles its network once and resets it for each fold. `--anew`: it builds one for each fold, as
most people write it. `--together`: one training of a mask is scored at every epoch count on its way, instead of one
training for each. Network and loss are thaw's own, and so are
the images, which are augmented beforehand, so that all contenders do the same arithmetic; everything else, TensorFlow's
threads and kernels too, is as these libraries have it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import optuna
from numpy.typing import NDArray
from sklearn.model_selection import PredefinedSplit

from tests.benchmarks.yardstick.task import WEIGHTS, Pair, Task, read_originals, read_task, read_training_part
from trainer.config import ModelConfig
from trainer.network.unet import unet
from trainer.training.losses import loss_named

LAST_BLOCK = 9  # to which the head belongs
Folds = list[tuple[Pair, Pair]]  # training part and validation part
Scores = dict[int, list[float]]  # epochs -> mean Dice of every fold


def main() -> None:
    """Run the whole grid; write the mean Dice of each mask at each epoch count to `OUT/scores.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", type=Path)
    parser.add_argument("out", type=Path)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--anew", action="store_true")
    form.add_argument("--together", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    keras.utils.set_random_seed(given.seed)
    mlflow.set_tracking_uri(f"sqlite:///{given.out / 'mlflow.db'}")
    mlflow.set_experiment("grid")
    task = read_task(given.task)
    grid: dict[str, list[Any]] = {"mask": list(task.masks)} | ({} if given.together else {"epochs": task.epochs})
    dice: dict[str, dict[int, float]] = {mask: {} for mask in task.masks}
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GridSampler(grid, seed=given.seed))
    study.optimize(objective(given.task, task, dice, anew=given.anew, together=given.together))
    (given.out / "scores.json").write_text(json.dumps(dice))


def objective(
    folder: Path, task: Task, dice: dict[str, dict[int, float]], *, anew: bool, together: bool
) -> Callable[[optuna.Trial], float]:
    """The function that Optuna calls for each cell of the grid; it leaves every mean in `dice`."""
    folds = read_folds(folder, task)

    def evaluate(trial: optuna.Trial) -> float:
        mask = trial.suggest_categorical("mask", list(task.masks))
        budgets = task.epochs if together else [trial.suggest_categorical("epochs", task.epochs)]
        parts = [[fold] for fold in folds] if anew else [folds]
        trained = [cross_validate(folder, task, part, task.masks[mask], budgets) for part in parts]
        for epochs in budgets:
            scores = [dice for scored in trained for dice in scored[epochs]]
            log_run(task, mask, epochs, scores)
            dice[mask][epochs] = float(np.nanmean(scores))
        return max(dice[mask][epochs] for epochs in budgets)

    return evaluate


def read_folds(folder: Path, task: Task) -> Folds:
    """The folds, those of thaw, in memory."""
    images, truths = read_originals(folder)
    split = PredefinedSplit(task.fold_of).split()
    return [(read_training_part(folder, fold), (images[test], truths[test])) for fold, (_, test) in enumerate(split)]


def cross_validate(folder: Path, task: Task, folds: Folds, blocks: list[int], budgets: list[int]) -> Scores:
    """Train one network, fold after fold, and score it at each of the rising `budgets`."""
    network = build(folder, task, blocks)
    weights = network.get_weights()
    fresh = [variable.numpy() for variable in network.optimizer.variables]
    scores: Scores = {epochs: [] for epochs in budgets}
    for (train_x, train_y), (test_x, test_y) in folds:
        network.set_weights(weights)
        for variable, value in zip(network.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        done = 0
        for epochs in budgets:
            network.fit(train_x, train_y, batch_size=task.batch, epochs=epochs, initial_epoch=done, verbose=0)
            scores[epochs].append(mean_dice(test_y, network.predict_on_batch(test_x)))
            done = epochs
    return scores


def build(folder: Path, task: Task, blocks: list[int]) -> keras.Model:
    """The network with its starting weights, `blocks` trainable, compiled, its optimizer built."""
    keras.backend.clear_session()
    network = unet(ModelConfig(size=task.size, filters=task.filters, dropout=task.dropout))
    network.load_weights(folder / WEIGHTS)
    for layer in network.layers:
        layer.trainable = block_of(layer.name) in blocks
    network.compile(optimizer=keras.optimizers.Adam(task.rate), loss=loss_named(task.loss))
    network.optimizer.build(network.trainable_variables)
    return network


def block_of(layer: str) -> int:
    """The block of a layer with weights, by its name; 0 for a layer without."""
    if layer == "head":
        return LAST_BLOCK
    return int(layer[len("block")]) if layer.startswith("block") else 0


def mean_dice(truth: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    """Mean Dice of images (n, H, W, 1), predicted where the logit is above 0; empty truths are left out."""
    found, marked = logits > 0, truth > 0
    axes = (1, 2, 3)
    sizes = found.sum(axes) + marked.sum(axes)
    dice = 2 * (found & marked).sum(axes) / np.maximum(sizes, 1)
    return float(dice[marked.any(axes)].mean())


def log_run(task: Task, mask: str, epochs: int, scores: list[float]) -> None:
    """One run for one mask at one epoch count: what was asked for, and the Dice of every fold."""
    with mlflow.start_run(run_name=f"{mask}, {epochs} epochs"):
        mlflow.log_params({"mask": mask, "epochs": epochs, "learning_rate": task.rate, "batch": task.batch})
        for fold, dice in enumerate(scores):
            mlflow.log_metric("fold_dice", dice, step=fold)
        mlflow.log_metric("dice", float(np.nanmean(scores)))


if __name__ == "__main__":
    main()
