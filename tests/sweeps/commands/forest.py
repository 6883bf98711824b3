"""A rival for the referee that uses nothing of thaw: a forest on features of single pixels, trained in a sweep's folds.

    thaw folds SWEEP --format json > folds.json
    python -m tests.sweeps.commands.forest pictures.npz folds.json predicted
    thaw referee SWEEP forest=predicted

`pictures.npz` is the artifact of the sweep's MLflow run. Writes `predicted/fold_0/<image>.png`, and prints the mean
Dice of every fold by its own formula.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

PIXELS = 400  # of each image to train on


def features(image: np.ndarray) -> np.ndarray:
    """(H * W, 11): grey, smoothed grey and edges at three scales, place."""
    grey = image.astype(np.float32) / 255
    rows, columns = np.mgrid[: grey.shape[0], : grey.shape[1]] / grey.shape[0]
    channels = [grey, rows, columns]
    for scale in (1.5, 3, 6):
        channels += [ndimage.gaussian_filter(grey, scale), ndimage.gaussian_gradient_magnitude(grey, scale)]
    channels += [ndimage.median_filter(grey, 5), ndimage.uniform_filter(grey, 9)]
    return np.stack(channels, -1).reshape(-1, len(channels))


def main() -> None:
    """Train and predict fold by fold."""
    pictures, folds, out = map(Path, sys.argv[1:4])
    with np.load(pictures) as file:
        names, images, shape = [str(name) for name in file["names"]], file["images"], file["shape"]
        truths = np.unpackbits(file["bits"], count=int(np.prod(shape))).reshape(shape)
    place = {name: number for number, name in enumerate(names)}
    described = [features(image) for image in images]
    rng = np.random.default_rng(0)
    for fold in json.loads(folds.read_text())["folds"]:
        x, y = [], []
        for name in fold["train"]:
            chosen = rng.choice(images[0].size, PIXELS, replace=False)
            x.append(described[place[name]][chosen])
            y.append(truths[place[name]].ravel()[chosen])
        forest = RandomForestClassifier(60, min_samples_leaf=8, n_jobs=2, random_state=0)
        forest.fit(np.concatenate(x), np.concatenate(y))
        dice = []
        for name in fold["validation"]:
            truth = truths[place[name]]
            found = (forest.predict_proba(described[place[name]])[:, 1] > 0.5).reshape(truth.shape)
            dice.append(2 * (found & (truth == 1)).sum() / (found.sum() + truth.sum()))
            path = out / f"fold_{fold['fold'] - 1}" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.uint8(255 * found)).save(path)
        print(f"fold {fold['fold']}: mean Dice {np.mean(dice):.6f}", flush=True)


if __name__ == "__main__":
    main()
