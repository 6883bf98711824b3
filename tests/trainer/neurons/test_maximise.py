"""Drawn pictures: they excite what they were drawn for, repeat from their seed, and are not noise."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.neurons.fourier import energy_above
from trainer.neurons.layers import Neuron, trunk
from trainer.neurons.maximise import GREY_START, Canvas, Maximised, Recipe, before_after, maximise
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
