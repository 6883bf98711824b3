"""Drawn pictures: they excite what they were drawn for, repeat from their seed, and are not noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.neurons import maximise as module
from trainer.neurons.fourier import amplitudes, energy_above, waves
from trainer.neurons.layers import Neuron, meant_layers, trunk
from trainer.neurons.maximise import (
    GREY_START,
    ROUGH_START,
    Artist,
    Canvas,
    Maximised,
    Recipe,
    before_after,
    maximise,
)
from trainer.phantoms.breast_ultrasound import ultrasound_phantoms

NEURONS = (Neuron(3, 1), Neuron(1, 0), Neuron(1, 1), Neuron(2, 3))
RECIPE = Recipe(steps=128)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return unet(ModelConfig(size=32, filters=4), seed=3)


@pytest.fixture(scope="module")
def drawn(network: keras.Model) -> Maximised:
    return maximise(network, NEURONS, RECIPE, ultrasound_phantoms(20, 32, 0)[0])


def excitement(network: keras.Model, neuron: Neuron, images: NDArray[np.float32]) -> NDArray[np.float32]:
    found = keras.ops.convert_to_numpy(trunk(network, neuron.block).model(images[..., None]))
    return np.asarray(found[:, found.shape[1] // 2, found.shape[2] // 2, neuron.filter])


def edge_detector(turned: bool) -> keras.Model:
    """Smooths, then asks for dark on the left and bright on the right, or above and below."""
    picture = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 3, padding="same", activation="relu", use_bias=False)(picture)
    network = keras.Model(picture, layers.Conv2D(1, 3, padding="same", activation="relu", use_bias=False)(x))
    smooth, across = np.outer([1, 2, 1], [1, 2, 1]) / 16, np.outer([1, 2, 1], [-1, 0, 1])
    network.set_weights([kernel[..., None, None] for kernel in (smooth, across.T if turned else across)])
    return network


def test_the_achieved_activation_is_that_of_the_picture(network: keras.Model, drawn: Maximised) -> None:
    assert drawn.neurons == NEURONS and drawn.images.shape == (4, 32, 32) and drawn.fields == (31, 5, 5, 15)
    assert drawn.images.min() >= 0 and drawn.images.max() <= 1
    for place, neuron in enumerate(NEURONS):
        again = excitement(network, neuron, drawn.images[place : place + 1])
        assert again[0] == pytest.approx(drawn.achieved[place], rel=1e-4)


def test_the_data_maximum_is_over_every_position_of_every_picture(network: keras.Model, drawn: Maximised) -> None:
    everywhere = keras.ops.convert_to_numpy(trunk(network, 2).model(ultrasound_phantoms(20, 32, 0)[0][..., None]))
    assert drawn.in_data[3] == pytest.approx(everywhere[..., 3].max(), rel=1e-4)
    assert np.isnan(maximise(network, NEURONS[1:2], Recipe(steps=1)).in_data[0])


def test_it_beats_noise_and_data_clearly(network: keras.Model, drawn: Maximised) -> None:
    noise = np.random.default_rng(1).random((200, 32, 32), np.float32)
    most = [max(excitement(network, neuron, noise).max(), drawn.in_data[i], 0) for i, neuron in enumerate(NEURONS)]
    # Fresh weights differ from backend to backend: one neuron of the four may come near to what the data hold.
    assert (drawn.achieved > 1.2 * np.array(most)).all() and (drawn.achieved > 1.5 * np.array(most)).sum() >= 3


@pytest.mark.slow
def test_a_price_for_roughness_buys_smoothness_for_little(network: keras.Model, drawn: Maximised) -> None:
    rough = maximise(network, NEURONS, replace(RECIPE, smooth=0))
    specks = [np.mean([energy_above(image) for image in found.images]) for found in (drawn, rough)]
    assert specks[0] < 0.9 * specks[1]
    assert np.median(drawn.achieved / rough.achieved) > 0.9


@pytest.mark.slow
def test_the_data_maximum_may_be_of_pictures_of_another_size(network: keras.Model, drawn: Maximised) -> None:
    larger = maximise(network, NEURONS, Recipe(steps=1), ultrasound_phantoms(20, 32, 0)[0], size=64)
    np.testing.assert_allclose(larger.in_data, drawn.in_data, rtol=1e-4)
    assert larger.images.shape == (4, 64, 64)


@pytest.mark.slow
def test_more_steps_excite_more(network: keras.Model, drawn: Maximised) -> None:
    assert (maximise(network, NEURONS, Recipe(steps=8)).achieved < drawn.achieved).all()


@pytest.mark.parametrize("turned", [False, True])
def test_an_edge_detector_draws_its_edge_and_no_noise(turned: bool) -> None:
    (image,) = maximise(edge_detector(turned), (Neuron(1, 0),)).images
    image = image.T if turned else image
    left, right = image[14:19, 13:16], image[14:19, 17:20]
    assert left.mean() < 0.1 and right.mean() > 0.9
    assert energy_above(image) < 0.25 < 0.7 < energy_above(np.random.default_rng(1).random((32, 32), np.float32))


def test_where_grey_rouses_nothing_the_start_is_rough() -> None:
    picture = keras.Input((32, 32, 1))
    x = layers.Conv2D(1, 3, padding="same", activation="relu", name="needs_contrast")(picture)
    network = keras.Model(picture, layers.Conv2D(1, 3, padding="same", activation="relu")(x))
    edges = np.array([[-1, 0, 1]] * 3, np.float32)[..., None, None]
    network.set_weights([edges, np.full(1, -0.2, np.float32), np.ones((3, 3, 1, 1), np.float32), np.zeros(1)])
    assert maximise(network, (Neuron(1, 0),)).achieved[0] > 5


@pytest.mark.slow
def test_the_seed_repeats_to_the_bit_and_another_does_not(network: keras.Model, drawn: Maximised) -> None:
    again = maximise(network, NEURONS, RECIPE)
    np.testing.assert_array_equal(again.images, drawn.images)
    assert not np.allclose(maximise(network, NEURONS, Recipe(steps=128, seed=1)).images, drawn.images, atol=0.05)


def test_a_picture_does_not_depend_on_its_neighbours(network: keras.Model, drawn: Maximised) -> None:
    alone = maximise(network, NEURONS[2:3], RECIPE)
    np.testing.assert_allclose(alone.images[0], drawn.images[2], atol=1e-3)


def test_more_neurons_than_fit_in_one_batch(
    network: keras.Model, drawn: Maximised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.neurons.maximise.PIXELS_AT_ONCE", 2 * 32 * 32)
    neurons = tuple(Neuron(2, number) for number in (0, 1, 3))
    np.testing.assert_allclose(maximise(network, neurons, RECIPE).images[2], drawn.images[3], atol=1e-3)


@pytest.mark.slow
def test_before_and_after_differ_where_weights_moved_and_only_there(network: keras.Model) -> None:
    before = network.get_weights()
    moved = unet(ModelConfig(size=32, filters=4), seed=4).get_weights()
    after = [*before[:4], *moved[4:]]  # block 1 holds the first four arrays
    one, two = before_after(network, before, after, (Neuron(1, 0), Neuron(2, 0)), Recipe(steps=32))
    np.testing.assert_array_equal(one.images[0], two.images[0])
    assert one.achieved[0] == two.achieved[0] and not np.allclose(one.images[1], two.images[1], atol=0.05)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_only_the_picture_trains(network: keras.Model) -> None:
    canvas = Canvas(trunk(network, 6), 2, RECIPE)  # block 6 lies behind the dropout
    frozen = [keras.ops.convert_to_numpy(weight).copy() for weight in canvas.trunk.weights]
    canvas.draw([0, 1], GREY_START)
    assert canvas.trainable_variables == [canvas.coefficients]
    after = [keras.ops.convert_to_numpy(weight) for weight in canvas.trunk.weights]
    assert all(np.array_equal(a, b) for a, b in zip(frozen, after, strict=True))


def test_an_unknown_filter_is_refused_before_anything_is_drawn(network: keras.Model) -> None:
    with pytest.raises(UserError, match="Block 3 of 'unet' has filters 0 to 15, but got filter 16"):
        maximise(network, (Neuron(1, 0), Neuron(3, 16)))


def test_the_recipe_of_the_protocol() -> None:
    assert Recipe() == Recipe(steps=256, rate=0.05, zoom=0.08, smooth=0.4, seed=0)
    assert (module.LARGEST_JITTER, module.GREY_START, module.ROUGH_START) == (8, 0.01, 1.0)
    assert (module.PIXELS_AT_ONCE, module.SCORING_BATCH) == (64**3, 16)


@pytest.fixture(scope="module")
def small() -> Canvas:
    """Two pictures of 8 x 8 pixels over one linear 3x3 convolution with three filters."""
    picture = keras.Input((8, 8, 1))
    network = keras.Model(picture, layers.Conv2D(3, 3, padding="same")(picture), name="small")
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=(3, 3, 1, 3)), rng.normal(size=3)])
    return Canvas(trunk(network, 1), 2, Recipe(steps=5, zoom=0.2, smooth=0.3, seed=4))


def drawn_by_hand(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    cosines, sines = waves(8)
    scaled = coefficients * amplitudes(8)
    return np.asarray(1 / (1 + np.exp(-(cosines @ scaled @ (cosines + sines) + sines @ scaled @ (cosines - sines)))))


def resampled(size: int, scale: float, shift: float) -> NDArray[np.float64]:
    """Row i reads at ((i - middle) / scale + middle + shift), between two pixels in proportion; nothing outside."""
    rows = np.zeros((size, size))
    for row in range(size):
        at = (row - (size - 1) / 2) / scale + (size - 1) / 2 + shift
        for pixel in range(size):
            rows[row, pixel] = max(0.0, 1 - abs(at - pixel))
    return rows


@pytest.mark.parametrize("view", [(1.0, 0.0, 0.0), (0.9, 0.5, -1.25), (1.3, -2.0, 0.75)])
def test_what_is_maximised_by_hand(small: Canvas, view: tuple[float, float, float]) -> None:
    """Centre activations less their price, under one view, from NumPy alone."""
    coefficients = np.random.default_rng(1).normal(0, 0.5, (2, 8, 8))
    small.coefficients.assign(coefficients)
    wanted = np.array([[0, 1, 0], [0, 0, 1]], np.float32)
    small.wanted.assign(wanted)
    images = drawn_by_hand(coefficients)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(small.images()), images, atol=1e-5)
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in small.trunk.weights)
    down, right = resampled(8, view[0], view[1]), resampled(8, view[0], view[2])
    total = 0.0
    for image, filters in zip(images, wanted, strict=True):
        seen = down @ (image - 0.5) @ right.T + 0.5
        centre = float(((seen[3:6, 3:6, None] * kernel[:, :, 0]).sum(axis=(0, 1)) + bias) @ filters)
        steps = (np.diff(image, axis=0) ** 2).sum() + (np.diff(image, axis=1) ** 2).sum()
        total += centre - 0.3 * max(centre, 0.0) * steps / 9  # nine pixels are seen at all
    found = small.call(keras.ops.convert_to_tensor([view], "float32"))
    assert found.shape == (1, 1) and float(found[0, 0]) == pytest.approx(total, rel=1e-4)


def test_one_start_and_one_series_of_views_for_all(small: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(small, "train_on_batch", lambda *arrays: given.append(arrays))
    images, achieved = small.draw([2, 0], 0.7)
    ((views, nothing),) = given
    rng = np.random.default_rng(4)
    start = rng.normal(0, 0.7, (1, 8, 8))
    scales, shifts = rng.uniform(0.8, 1.2, 5), rng.uniform(-0.5, 0.5, (5, 2))
    np.testing.assert_allclose(views, np.column_stack([scales, shifts]), rtol=1e-6)
    assert nothing.tolist() == [[0.0]] * 5
    np.testing.assert_allclose(images, np.repeat(drawn_by_hand(start), 2, axis=0), atol=1e-5)
    assert keras.ops.convert_to_numpy(small.wanted).tolist() == [[0, 0, 1], [1, 0, 0]]
    np.testing.assert_allclose(achieved, keras.ops.convert_to_numpy(small.centres(images)), rtol=1e-6)


def test_all_views_in_one_call_are_keras_s_steps_one_by_one(small: Canvas) -> None:
    views = np.array([(1.1, 0.5, -0.25), (0.9, 0.0, 0.5), (1.0, -0.5, 0.0)], np.float32)
    nothing = np.zeros((3, 1), np.float32)

    def drawn_by(train: Any) -> tuple[float, list[NDArray[np.float32]]]:
        variables = [small.coefficients, *small.optimizer.variables]
        small.coefficients.assign(np.random.default_rng(2).normal(0, 0.5, small.coefficients.shape))
        small.wanted.assign(np.array([[0, 1, 0], [0, 0, 1]], np.float32))
        for variable, value in zip(small.optimizer.variables, small._initial_optimizer, strict=True):
            variable.assign(value)
        loss = train()
        return float(loss), [keras.ops.convert_to_numpy(variable) for variable in variables]

    loss, together = drawn_by(lambda: small.train_on_batch(views, nothing))
    last_loss, one_by_one = drawn_by(
        lambda: [small.train_on_batch(view[None], none[None]) for view, none in zip(views, nothing, strict=True)][-1]
    )
    assert all(np.array_equal(a, b) for a, b in zip(together, one_by_one, strict=True))
    assert np.isfinite(loss) and np.isfinite(last_loss) and not np.array_equal(together[0], drawn_by(lambda: 0.0)[1][0])


@pytest.mark.parametrize(("strides", "jitter"), [(1, 1), (2, 4), (3, 8)])
def test_the_jitter_is_the_layers_stride_up_to_eight_pixels(strides: int, jitter: int) -> None:
    picture = x = keras.Input((96, 96, 1))
    for number in range(1 if strides == 1 else 2 if strides == 2 else 4):
        x = layers.Conv2D(1, 3, strides if strides < 3 else 2, padding="same", name=f"conv{number}")(x)
    network = keras.Model(picture, x)
    cut = trunk(network, max(meant_layers(network)), 96)
    canvas = Canvas(cut, 1, Recipe(steps=1))
    assert canvas._jitter == jitter
    assert float(canvas.optimizer.learning_rate) == pytest.approx(0.05)


class Drawer:
    """Stands in for a canvas: filter n reaches n - 1.5 from grey and 1.25 from a rough start."""

    def __init__(self, cut: object, count: int, recipe: Recipe) -> None:
        self.count = count
        self.asked: list[tuple[list[int], float]] = []
        made.append(self)

    def draw(self, filters: list[int], spread: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.asked.append((filters, spread))
        grey = spread == GREY_START
        return np.array([[[number + 100 * grey]] for number in filters]), np.array(
            [number - 1.5 if grey else 1.25 for number in filters]
        )


made: list[Drawer] = []


@pytest.mark.parametrize(
    ("at_once", "batches"),
    [(2, [[0, 1], [3, 3]]), (3, [[0, 1, 3]]), (9, [[0, 1, 3]]), (1, [[0], [1], [3]]), (0, [[0], [1], [3]])],
)
def test_batches_are_filled_up_and_silent_filters_start_again(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch, at_once: int, batches: list[list[int]]
) -> None:
    monkeypatch.setattr(module, "Canvas", Drawer)
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", at_once * 32 * 32)
    made.clear()
    artist = Artist(network, 2, Recipe())
    found = artist.draw([0, 1, 3])
    (drawer,) = made
    assert [filters for filters, spread in drawer.asked if spread == GREY_START] == batches
    rough = [number for filters, spread in drawer.asked if spread != GREY_START for number in filters]
    assert set(rough) == {0, 1} and {spread for _, spread in drawer.asked} == {GREY_START, ROUGH_START}
    assert found.achieved.tolist() == [1.25, 1.25, 1.5] and found.images[:, 0, 0].tolist() == [0, 1, 103]
    assert found.neurons == (Neuron(2, 0), Neuron(2, 1), Neuron(2, 3)) and found.fields == (15,) * 3
    assert np.isnan(found.in_data).all() and found.in_data.shape == (3,)
    artist.draw([3, 1, 0])
    assert len(made) == 1  # a canvas of that size is there already
    artist.draw([2])
    assert len(made) == (1 if at_once < 2 else 2)


def test_a_rough_start_that_is_no_better_changes_nothing(network: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoBetter(Drawer):
        def draw(self, filters: list[int], spread: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            images, _ = super().draw(filters, spread)
            return images, np.zeros(len(filters), np.float32)  # exactly silent, from either start

    monkeypatch.setattr(module, "Canvas", NoBetter)
    made.clear()
    found = Artist(network, 2, Recipe()).draw([1])
    assert [spread for _, spread in made[0].asked] == [GREY_START, ROUGH_START] and found.images[0, 0, 0] == 101


def test_blocks_are_drawn_once_each_and_counted(monkeypatch: pytest.MonkeyPatch, network: keras.Model) -> None:
    monkeypatch.setattr(module, "Canvas", Drawer)
    told: list[tuple[int, int]] = []
    asked = (Neuron(3, 5), Neuron(1, 2), Neuron(3, 4), Neuron(3, 5))
    made.clear()
    found = maximise(network, asked, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)] and found.neurons == asked and found.fields == (31, 5, 31, 31)
    assert [one.asked[0][0] for one in made] == [[2], [4, 5]]
    assert found.achieved.tolist() == [3.5, 0.5, 2.5, 3.5]
    told.clear()
    weights = network.get_weights()
    before_after(network, weights, weights, asked, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("count", [1, 15, 16, 17, 33])
def test_the_largest_activation_of_any_number_of_pictures(network: keras.Model, count: int) -> None:
    artist = Artist(network, 1, Recipe())
    pictures = np.random.default_rng(count).random((count, 32, 32), np.float32)
    everywhere = keras.ops.convert_to_numpy(artist.trunk.model(pictures[..., None]))
    np.testing.assert_allclose(artist.largest(pictures), everywhere.max(axis=(0, 1, 2)), rtol=1e-4)
