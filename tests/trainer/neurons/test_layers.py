"""Which layer a block means, and the copy that ends before its activation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer.own import own
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.neurons.layers import check_filters, convolutions, filters_of, meant_layers, own_size, trunk


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return unet(ModelConfig(size=32, filters=2), seed=1)


def nested() -> keras.Model:
    inner_input = keras.Input((16, 16, 4))
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="deep")(inner_input)
    inner = keras.Model(inner_input, layers.BatchNormalization()(x), name="inner")
    outer_input = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="stem")(outer_input)
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(inner(x)))
    return keras.Model(outer_input, layers.Dense(2, name="classes")(x), name="outer")


def test_block_k_of_the_unet_is_its_second_convolution(network: keras.Model) -> None:
    assert meant_layers(network) == {block: f"block{block}_conv2" for block in range(1, 10)}
    assert [filters_of(network, block) for block in (1, 5, 9)] == [2, 32, 2]


def test_blocks_of_a_nested_model_without_convolution_are_passed_over() -> None:
    assert meant_layers(nested()) == {1: "inner/deep"}


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("block", [1, 5, 9])
def test_the_trunk_ends_before_the_activation(network: keras.Model, block: int, size: int) -> None:
    cut = trunk(network, block, size)
    picture = np.random.default_rng(0).random((1, size, size, 1), np.float32)
    before = keras.ops.convert_to_numpy(cut.model(picture, training=False))
    same = unet(ModelConfig(size=size, filters=2))
    same.set_weights(network.get_weights())
    after = keras.Model(same.input, same.get_layer(f"block{block}_conv2").output)(picture, training=False)
    assert before.min() < 0
    np.testing.assert_allclose(np.maximum(before, 0), keras.ops.convert_to_numpy(after), atol=1e-5)


def test_the_trunk_of_a_nested_layer_takes_its_weights_and_colours() -> None:
    model = nested()
    cut = trunk(model, 1)
    picture = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    stem = model.get_layer("stem")(picture)
    wanted = np.maximum(keras.ops.convert_to_numpy(cut.model(picture)), 0)
    deep = model.get_layer("inner").get_layer("deep")(stem)
    np.testing.assert_allclose(wanted, keras.ops.convert_to_numpy(deep), atol=1e-5)
    assert cut.stride == 2


def test_other_weights_reach_the_trunk_and_not_the_network(network: keras.Model) -> None:
    kept = network.get_weights()
    cut = trunk(network, 2)
    picture = np.full((1, 32, 32, 1), 0.5, np.float32)
    first = keras.ops.convert_to_numpy(cut.model(picture))
    cut.set_weights([2 * weight for weight in kept])
    assert not np.allclose(first, keras.ops.convert_to_numpy(cut.model(picture)))
    assert all(np.array_equal(a, b) for a, b in zip(kept, network.get_weights(), strict=True))
    assert all(layer.trainable for layer in network.layers)


@pytest.mark.parametrize("side", [32, 48])
def test_the_trunk_reads_pictures_of_another_size_with_its_present_weights(network: keras.Model, side: int) -> None:
    cut = trunk(network, 2)
    cut.set_weights([2 * weight for weight in network.get_weights()])
    picture = np.random.default_rng(0).random((1, side, side, 1), np.float32)
    wanted = trunk(network, 2, side)
    wanted.set_weights([2 * weight for weight in network.get_weights()])
    found = keras.ops.convert_to_numpy(cut.at(side)(picture))
    np.testing.assert_array_equal(found, keras.ops.convert_to_numpy(wanted.model(picture)))
    assert (cut.at(side) is cut.model) == (side == 32)


def test_convolutions_are_counted_as_the_study_counts_them(network: keras.Model) -> None:
    counted = convolutions(network)
    assert len(counted) == 18 and "head" not in counted
    assert [counted.index(f"block{block}_conv2") + 1 for block in (2, 5, 9)] == [4, 10, 18]


@pytest.mark.parametrize(("block", "side", "protocol"), [(1, 5, 5), (2, 15, 14), (3, 35, 32)])
def test_receptive_fields_are_those_of_the_protocol(network: keras.Model, block: int, side: int, protocol: int) -> None:
    # An even field cannot lie around one pixel: the square around it reaches up to a stride further.
    assert trunk(network, block, 64).receptive_field == side
    assert protocol <= side < protocol + 4


@pytest.mark.parametrize(
    ("block", "filters", "words"),
    [
        (10, [0], r"1, 2, 3, 4, 5, 6, 7, 8, 9 in 'unet', but got block 10"),
        (0, [0], "but got block 0"),
        (1, [2], r"Block 1 of 'unet' has filters 0 to 1, but got filter 2"),
        (1, [0, -1], "filters 0 to 1, but got filter -1"),
        (2, [], "filters 0 to 3, but got none"),
    ],
)
def test_unknown_numbers_name_the_range(network: keras.Model, block: int, filters: list[int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_filters(network, block, filters)


def test_a_network_without_a_size_asks_for_one_and_one_that_cannot_take_it_says_so(network: keras.Model) -> None:
    free = keras.Input((None, None, 1))
    with pytest.raises(UserError, match="--size"):
        own_size(keras.Model(free, layers.Conv2D(1, 3)(free)))
    with pytest.raises(UserError, match="cannot read images of 40x40"):
        trunk(network, 9, 40)


def chain(*kernels: int, strides: int = 1, side: int = 32, end: int = 1) -> keras.Model:
    picture = x = keras.Input((side, side, 1))
    for number, kernel in enumerate(kernels, 1):
        x = layers.Conv2D(2, kernel, strides, padding="same", name=f"conv{number}")(x)
    return keras.Model(picture, layers.Conv2D(1, end, padding="same", name="head")(x), name="chain")


@pytest.mark.parametrize(
    ("kernels", "end", "meant", "counted"),
    [
        ((3, 3), 1, "conv2", ["conv1", "conv2"]),
        ((3, 3), 3, "head", ["conv1", "conv2", "head"]),  # no 1x1, no head
        ((), 1, "head", []),  # its block has no other
        ((3,), 1, "conv1", ["conv1"]),
    ],
)
def test_a_head_is_passed_over_where_there_is_another(
    kernels: tuple[int, ...], end: int, meant: str, counted: list[str]
) -> None:
    assert meant_layers(chain(*kernels, end=end)) == {1: meant}
    assert convolutions(chain(*kernels, end=end)) == counted


@pytest.mark.parametrize(("kernels", "field"), [((1, 1), 1), ((3,), 3), ((3, 3), 5), ((5, 7), 11), ((33, 33), 32)])
def test_receptive_fields_by_hand(kernels: tuple[int, ...], field: int) -> None:
    cut = trunk(chain(*kernels), 1)
    assert (cut.receptive_field, cut.stride, cut.size) == (field, 1, 32)


@pytest.mark.parametrize(("strides", "stride"), [(1, 1), (2, 4), (3, 8)])
def test_strides_multiply(strides: int, stride: int) -> None:
    network = chain(3, 3, strides=strides)
    assert trunk(network, max(meant_layers(network))).stride == stride


@pytest.mark.parametrize("filters", [[0], [1], [0, 1]])
def test_filters_from_the_first_to_the_last_are_there(filters: list[int]) -> None:
    check_filters(chain(3), 1, filters)


@pytest.mark.parametrize(
    ("shape", "size"), [((16, 16, 3), 16), ((16, 12, 3), None), ((None, 16, 1), None), ((16, 3), None)]
)
def test_the_size_a_network_was_made_for(shape: tuple[int | None, ...], size: int | None) -> None:
    picture = keras.Input(shape)
    network = keras.Model(picture, layers.ReLU()(picture))
    if size:
        assert own_size(network) == size
    else:
        with pytest.raises(UserError, match=r"--size|draws one image"):
            own_size(network)


def test_channels_first_are_refused() -> None:
    picture = keras.Input((1, 16, 16))
    network = keras.Model(picture, layers.Conv2D(2, 3, data_format="channels_first", name="first")(picture))
    with pytest.raises(UserError, match="layer 'first' has its channels first"):
        trunk(network, 1)


def test_a_network_without_convolutions_has_no_neurons_to_draw() -> None:
    picture = keras.Input((16, 16, 1))
    with pytest.raises(UserError, match="none in 'dense', but got block 1"):
        filters_of(keras.Model(picture, layers.Dense(1)(picture), name="dense"), 1)


def test_a_layer_finer_than_the_picture_has_the_stride_of_a_pixel() -> None:
    picture = keras.Input((16, 16, 1))
    x = layers.UpSampling2D()(layers.Conv2D(1, 3, padding="same")(picture))
    network = keras.Model(picture, layers.Conv2D(2, 3, padding="same", name="fine")(x))
    assert meant_layers(network)[2] == "fine" and trunk(network, 2).stride == 1


def test_only_convolutions_are_counted_where_blocks_hold_more() -> None:
    assert convolutions(own()) == ["conv1", "conv2", "mask"]
