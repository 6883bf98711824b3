"""Activation maximisation: the image that excites one neuron most, drawn by gradient ascent (docs/protocol.md).

The image is grey: a network that reads three channels is given it three times. The image's Fourier coefficients are the
only trainable weight of a small model over a frozen copy of the network, so Keras's own training step draws it on every
backend (docs/design.md, decision 1). The parametrisation is that of Olah, Mordvintsev and Schubert, "Feature
Visualization", Distill 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from trainer.channels import in_channels
from trainer.network.flat_memory import Adam
from trainer.neurons.fourier import amplitudes, waves
from trainer.neurons.layers import Neuron, Trunk, check_filters, trunk

LARGEST_JITTER = 8
PIXELS_AT_ONCE = 64 * 64 * 64  # 64 images of 64 px, 4 of 256 px: bounds the memory of one step
GREY_START, ROUGH_START = 0.01, 1.0  # spread of the coefficients: nearly uniform grey, and noise of full contrast
SCORING_BATCH = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Recipe:
    """How images are drawn (docs/protocol.md): Adam's `rate` and `steps`; `zoom` is the largest change of scale.

    Outside the image lies grey 0.5. Every step shifts the image by up to half the layer's stride (1 to 8 px) in each
    direction, and scales it, at random from `seed`. `smooth`: share of its activation that a neuron loses for a mean
    squared step of 1 between the pixels of its receptive field; 0 draws every pixel black or white.
    """

    steps: int = 256
    rate: float = 0.05
    zoom: float = 0.08
    smooth: float = 0.4
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Maximised:
    """What excites `neurons`: `images` float32 (k, size, size) in [0, 1].

    `achieved` (k,): the pre-activation of the layer's centre neuron for its own image; `in_data` (k,): the largest
    pre-activation of the same filter anywhere in the images of the data set, NaN without a data set; `fields` (k,):
    side in pixels of the receptive field, the middle of the image that the neuron sees at all.
    """

    neurons: tuple[Neuron, ...]
    images: NDArray[np.float32]
    achieved: NDArray[np.float32]
    in_data: NDArray[np.float32]
    fields: tuple[int, ...]


def maximise(
    network: keras.Model,
    neurons: Sequence[Neuron],
    recipe: Recipe | None = None,
    images: NDArray[np.float32] | None = None,
    size: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Maximised:
    """Draw the image that excites each of `neurons` most; the network itself is not changed.

    `images` (n, H, W), or (n, H, W, 3) for a network that reads colours, in [0, 1] of any size give the data set's
    largest activations; `size` is the side of the drawn images, by default the network's own. All neurons of a block
    are drawn in one batch, each on its own image; an image does not depend on the others in its batch. `progress(done,
    total)` counts blocks. Raises `UserError` for a block or filter that does not exist.
    """
    neurons = tuple(neurons)
    for block in {neuron.block for neuron in neurons}:
        check_filters(network, block, [neuron.filter for neuron in neurons if neuron.block == block])
    batch_of: dict[Neuron, Maximised] = {}
    blocks = sorted({neuron.block for neuron in neurons})
    for done, block in enumerate(blocks):
        progress(done, len(blocks))
        filters = sorted({neuron.filter for neuron in neurons if neuron.block == block})
        batch = Artist(network, block, recipe or Recipe(), size).draw(filters, images)
        batch_of |= {neuron: batch for neuron in batch.neurons}
    progress(len(blocks), len(blocks))
    rows = [(batch_of[neuron], batch_of[neuron].neurons.index(neuron)) for neuron in neurons]
    return Maximised(
        neurons,
        np.stack([batch.images[index] for batch, index in rows]),
        np.array([batch.achieved[index] for batch, index in rows]),
        np.array([batch.in_data[index] for batch, index in rows]),
        tuple(batch.fields[index] for batch, index in rows),
    )


def before_after(
    network: keras.Model,
    before: Sequence[NDArray[np.float32]],
    after: Sequence[NDArray[np.float32]],
    neurons: Sequence[Neuron],
    recipe: Recipe | None = None,
    images: NDArray[np.float32] | None = None,
    size: int | None = None,
    progress: Progress = lambda done, total: None,
) -> tuple[Maximised, Maximised]:
    """The same neurons, from the same seed, under two sets of weights in `get_weights()` order."""
    copy = keras.models.clone_model(network)
    copy.set_weights(before)
    first = maximise(copy, neurons, recipe, images, size, lambda done, total: progress(done, 2 * total))
    copy.set_weights(after)
    second = maximise(copy, neurons, recipe, images, size, lambda done, total: progress(done + total, 2 * total))
    return first, second


class Artist:
    """Draws the neurons of one block. Its step is traced once for all filters and all sets of weights."""

    def __init__(self, network: keras.Model, block: int, recipe: Recipe, size: int | None = None) -> None:
        self.block = block
        self.recipe = recipe
        self.trunk = trunk(network, block, size)
        self._canvas: Canvas | None = None

    def draw(self, filters: Sequence[int], images: NDArray[np.float32] | None = None) -> Maximised:
        """Draw `filters` of the block under the trunk's present weights; `images` as in `maximise`."""
        at_once = max(1, min(len(filters), PIXELS_AT_ONCE // self.trunk.size**2))
        if self._canvas is None or self._canvas.count != at_once:
            self._canvas = Canvas(self.trunk, at_once, self.recipe)
        canvas, in_data = self._canvas, self.largest(images)
        drawn = {number: (image, achieved) for number, image, achieved in _in_batches(canvas, filters, GREY_START)}
        # Where every ReLU on the way is silent for grey there is no gradient to follow: start from noise instead.
        silent = [number for number, (_, achieved) in drawn.items() if achieved <= 0]
        for number, image, achieved in _in_batches(canvas, silent, ROUGH_START):
            if achieved > drawn[number][1]:
                drawn[number] = (image, achieved)
        return Maximised(
            tuple(Neuron(self.block, number) for number in filters),
            np.stack([drawn[number][0] for number in filters]),
            np.array([drawn[number][1] for number in filters], np.float32),
            in_data[list(filters)],
            (self.trunk.receptive_field,) * len(filters),
        )

    def largest(self, images: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Largest pre-activation (filters,) anywhere in `images` (n, H, W); padded batches: one shape, one trace."""
        largest = np.full(int(self.trunk.model.output_shape[-1]), np.nan, np.float32)
        if images is None:
            return largest
        model = self.trunk.at(images.shape[1])
        for first in range(0, len(images), SCORING_BATCH):
            batch = images[np.arange(first, first + SCORING_BATCH) % len(images)]
            read = in_channels(batch, model.input_shape[-1])
            largest = np.fmax(largest, np.max(model.predict_on_batch(read), axis=(0, 1, 2)))
        return largest


class Canvas(keras.Model):  # type: ignore[misc]
    """`count` images over a frozen trunk; it trains only their Fourier coefficients (count, size, size)."""

    def __init__(self, cut: Trunk, count: int, recipe: Recipe) -> None:
        super().__init__(name="canvas")
        self.count = count
        self.recipe = recipe
        self.trunk = cut.model
        self.trunk.trainable = False
        self._side = cut.size
        self._jitter = min(max(cut.stride, 1), LARGEST_JITTER)
        self._receptive_pixels = cut.receptive_field**2
        n, filters = self._side, int(cut.model.output_shape[-1])
        self._cosines, self._sines = waves(n)
        self._amplitudes = amplitudes(n)
        self._pixels = np.arange(n, dtype=np.float32)
        self.coefficients = self.add_weight(shape=(count, n, n), initializer="zeros", name="coefficients")
        self.wanted = self.add_weight(shape=(count, filters), initializer="zeros", trainable=False, name="wanted")
        self.compile(optimizer=Adam(recipe.rate), loss=lambda _, excitement: -ops.sum(excitement))
        self.optimizer.build([self.coefficients])
        self._initial_optimizer = [ops.convert_to_numpy(variable) for variable in self.optimizer.variables]

    def train_step(self, *state_and_data: Any) -> Any:
        """Keras's training step for each view of a batch, one after the other; the loss of the last.

        So a picture takes one call: a queue of single views would take longer than small blocks. On TensorFlow a step
        takes data and returns losses; on JAX it takes the state of all variables before them, and returns it behind.
        """
        *state, (views, targets, *_) = state_and_data
        step = super().train_step

        def follow(number: Any, passed: Any) -> Any:
            _, *before = passed
            outcome = step(*before, (ops.slice(views, (number, 0), (1, views.shape[1])), targets[:1]))
            losses, *after = outcome if state else (outcome,)
            return losses["loss"], *after

        loss, *after = ops.fori_loop(0, ops.shape(views)[0], follow, (ops.zeros(()), *state))
        return ({"loss": loss}, *after) if state else {"loss": loss}

    def call(self, views: Any) -> Any:
        """Sum over all images of the centre neuron less the cost of roughness, (1, 1), under one view (1, 3).

        A view is a scale and the pixels by which the image is shifted down and right.
        """
        scale, down, right = views[0, 0], views[0, 1], views[0, 2]
        images = self.images()
        rows, columns = self._resampling(scale, down), self._resampling(scale, right)
        shifted = ops.matmul(ops.matmul(rows, images - 0.5), ops.transpose(columns)) + 0.5
        centres = self.centres(shifted)
        # In proportion to the activation, because activations of one network differ a hundredfold; below 0 it is free.
        price = self.recipe.smooth * ops.stop_gradient(ops.relu(centres))
        return ops.reshape(ops.sum(centres - price * self._roughness(images)), (1, 1))

    def _roughness(self, images: Any) -> Any:
        """Summed squared differences of neighbouring pixels over the pixels of the receptive field, (count,)."""
        down, across = images[:, 1:, :] - images[:, :-1, :], images[:, :, 1:] - images[:, :, :-1]
        squares = ops.sum(ops.square(down), axis=(1, 2)) + ops.sum(ops.square(across), axis=(1, 2))
        return squares / self._receptive_pixels

    def images(self) -> Any:
        """The images (count, size, size) in [0, 1]: sigmoid of the sum of all waves."""
        scaled = self.coefficients * ops.convert_to_tensor(self._amplitudes)
        cosines, sines = ops.convert_to_tensor(self._cosines), ops.convert_to_tensor(self._sines)
        across = ops.matmul(scaled, cosines + sines), ops.matmul(scaled, cosines - sines)
        return ops.sigmoid(ops.matmul(cosines, across[0]) + ops.matmul(sines, across[1]))

    def centres(self, images: Any) -> Any:
        """Pre-activation (count,) of each image's own filter at the centre of the layer."""
        channels = self.trunk.input_shape[-1]
        activation = self.trunk(ops.repeat(images[..., None], channels, axis=-1), training=False)
        middle = activation[:, activation.shape[1] // 2, activation.shape[2] // 2, :]
        return ops.sum(middle * self.wanted, axis=-1)

    def draw(self, filters: Sequence[int], spread: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Images (count, size, size) and achieved activations (count,) of `filters`, one filter for each image."""
        recipe, n = self.recipe, self._side
        rng = np.random.default_rng(recipe.seed)
        # One start and one series of views for all, so that an image does not depend on the others in its batch.
        start = rng.normal(0, spread, (1, n, n)).astype(np.float32)
        half = self._jitter / 2
        views = np.column_stack(
            [
                rng.uniform(1 - recipe.zoom, 1 + recipe.zoom, recipe.steps),
                rng.uniform(-half, half, (recipe.steps, 2)),
            ]
        ).astype(np.float32)
        self.coefficients.assign(np.repeat(start, self.count, axis=0))
        self.wanted.assign(np.eye(self.wanted.shape[1], dtype=np.float32)[list(filters)])
        for variable, value in zip(self.optimizer.variables, self._initial_optimizer, strict=True):
            variable.assign(value)
        no_targets = np.zeros((recipe.steps, 1), np.float32)
        self.train_on_batch(views, no_targets)
        images = self.images()
        return ops.convert_to_numpy(images), ops.convert_to_numpy(self.centres(images))

    def _resampling(self, scale: Any, shift: Any) -> Any:
        """Matrix (size, size) that scales about the centre and shifts by pixels, linearly interpolated.

        Its rows miss weight where the image ends: what is resampled must be 0 outside.
        """
        centre = (self._side - 1) / 2
        source = (self._pixels - centre) / scale + centre + shift
        return ops.relu(1 - ops.abs(source[:, None] - self._pixels[None, :]))


def _in_batches(
    canvas: Canvas, filters: Sequence[int], spread: float
) -> Iterator[tuple[int, NDArray[np.float32], float]]:
    """Every filter with its image and its activation; the last batch is filled up, because another size would trace."""
    for first in range(0, len(filters), canvas.count):
        batch = list(filters[first : first + canvas.count])
        images, achieved = canvas.draw([*batch, *batch[:1] * (canvas.count - len(batch))], spread)
        yield from ((number, images[index], float(achieved[index])) for index, number in enumerate(batch))
