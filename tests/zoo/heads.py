"""A network that finds the ellipse after a second: features trained a few steps, and a head fitted to them exactly.

The head sees every feature, so whatever reads the network wrongly (another range, lost statistics, a second sigmoid)
gives it other features or bends its answer, and the Dice falls.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.zoo.entry import Feed, fed
from tests.zoo.pictures import at

IMAGES, SEED = 6, 1
RIDGE, NEWTON_STEPS = 1e-3, 12
TRAINING_STEPS, RATE = 40, 1e-2


def fitted(
    network: keras.Model, *heads: str, size: int = 32, feed: Feed = "0-1", steps: int = TRAINING_STEPS
) -> keras.Model:
    """The network with its 1x1 `heads` fitted to drawn images, fed as its author would.

    Before that it is trained for some `steps` through every head, so that its features and statistics count. Without
    steps the features stay random, and normalisations only see the images.
    """
    grey, masks = at(size, IMAGES, SEED)
    given = np.repeat(fed(grey, feed)[..., None], network.inputs[0].shape[-1], axis=-1)
    for name in heads:
        train(keras.Model(network.inputs[0], network.get_layer(name).output), given, masks, steps)
    for name in heads:
        head = network.get_layer(name)
        features = np.asarray(keras.Model(network.inputs[0], head.input)(given, training=False), np.float64)
        weights, bias = logistic(features, shrunk(masks, features.shape[1]))
        if head.output.shape[-1] == 2:  # background and foreground: half of the logit each
            weights, bias = np.outer(weights, [-0.5, 0.5]), bias * np.array([-0.5, 0.5])
        kernel, offset = head.weights[:2]
        head.set_weights([np.reshape(weights, kernel.shape), np.reshape(bias, offset.shape), *head.get_weights()[2:]])
    return network


def train(
    network: keras.Model, given: NDArray[np.float32], masks: NDArray[np.bool_], steps: int, looks: int = 3
) -> None:
    """Train a network with one output on images and their masks; without `steps` it has some `looks` at them."""
    for _ in range(1 if steps else looks):
        side = network(given, training=True).shape[1]
    if not steps:
        return
    squashes = network.layers[-1].activation.__name__ != "linear"
    two = network.output_shape[-1] == 2
    kind = keras.losses.SparseCategoricalCrossentropy if two else keras.losses.BinaryCrossentropy
    network.compile(optimizer=keras.optimizers.Adam(RATE), loss=kind(from_logits=not squashes))
    truth = shrunk(masks, side)[..., None].astype(np.float32)
    for _ in range(steps):
        network.train_on_batch(given, truth)


def shrunk(masks: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Masks (n, H, W) at the side of a map of features."""
    small = [Image.fromarray(mask).resize((side, side), Image.Resampling.NEAREST) for mask in masks]
    return np.stack([np.asarray(mask) for mask in small])


def logistic(
    features: NDArray[np.float64], masks: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (channels,) and bias () of a logistic regression with a small ridge, by Newton's method."""
    x, y = features.reshape(-1, features.shape[-1]), masks.reshape(-1).astype(np.float64)
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    x = np.c_[(x - mean) / deviation, np.ones(len(x))]
    beta = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        curvature = (x * (probability * (1 - probability))[:, None]).T @ x / len(x) + RIDGE * np.eye(len(beta))
        beta -= np.linalg.solve(curvature, x.T @ (probability - y) / len(x) + RIDGE * beta)
    weights = beta[:-1] / deviation
    return weights, np.asarray(beta[-1] - weights @ mean)
