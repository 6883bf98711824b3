"""Blocks of any functional model, by resolution changes along the longest path."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer.own import own, shared
from trainer.config import ModelConfig, PartitionConfig
from trainer.errors import UserError
from trainer.masks import parse
from trainer.network.blocks import (
    ALWAYS,
    Block,
    BlockLayer,
    apply_mask,
    fingerprints,
    head_alone,
    head_of,
    leaf_layers,
    partition,
    searchable,
    seed_states,
    thawed,
    trainable_parameters,
    unit_parameters,
)
from trainer.network.unet import unet

SMALL = ModelConfig(size=32, filters=2)


def names_of(model: keras.Model) -> list[list[str]]:
    return [[layer.path for layer in block.layers] for block in partition(model)]


def strided(inputs: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(2, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(2, 3, strides=2, padding="same", name="down")(x)
    y = layers.Conv2D(2, 3, padding="same", name="low")(y)
    y = layers.Conv2DTranspose(2, 2, strides=2, name="up")(y)
    return layers.Conv2D(1, 1, name="head")(layers.Concatenate()([x, y]))


def test_the_u_net_has_nine_blocks_with_the_head_in_the_last() -> None:
    found = names_of(unet(SMALL))
    assert [names[0] for names in found] == [f"block{number}_conv1" for number in range(1, 10)]
    assert found[8] == ["block9_conv1", "block9_conv2", "head"]


@pytest.mark.parametrize(
    ("config", "count", "first", "last"),
    [
        (PartitionConfig("conv"), 18, ["block1_conv1"], ["block9_conv2", "head"]),
        (PartitionConfig("conv", "always"), 18, ["head"], ["block9_conv2"]),
        (PartitionConfig("block", "own"), 10, ["block1_conv1", "block1_conv2"], ["head"]),
        (PartitionConfig("block", "always"), 9, ["head"], ["block9_conv1", "block9_conv2"]),
    ],
)
def test_units_and_the_head(config: PartitionConfig, count: int, first: list[str], last: list[str]) -> None:
    blocks = partition(unet(SMALL), config)
    assert searchable(blocks) == count == blocks[-1].number
    assert [[layer.path for layer in block.layers] for block in (blocks[0], blocks[-1])] == [first, last]
    assert sum(block.parameters for block in blocks) == unet(SMALL).count_params()
    assert trainable_parameters(blocks, parse("none", count)) == 0
    head = 3 if config.head == "always" else 0  # two channels into one, and a bias
    shallowest = next(block for block in blocks if block.number == 1)
    assert trainable_parameters(blocks, parse("1", count)) == shallowest.parameters + head


def test_the_study_s_halves_by_convolution_are_0_43_of_each_other() -> None:
    blocks = partition(unet(ModelConfig(256, 64)), PartitionConfig("conv"))
    halves = [trainable_parameters(blocks, parse(half, 18)) for half in ("contracting", "expanding")]
    assert sum(halves) == 31_377_793 and round(halves[0] / halves[1], 2) == 0.43


def test_a_convolution_takes_what_follows_it_along() -> None:
    inputs = keras.Input((32, 32, 1))
    x = layers.BatchNormalization(name="norm1")(layers.Conv2D(2, 3, padding="same", name="conv1")(inputs))
    x = layers.Conv2D(1, 3, padding="same", name="conv2")(x)  # the last, but no 1x1 head
    units = partition(keras.Model(inputs, x), PartitionConfig("conv"))
    assert [[layer.path for layer in unit.layers] for unit in units] == [["conv1", "norm1"], ["conv2"]]


def test_depth_is_the_longest_path() -> None:
    depths = {layer.path: layer.depth for block in partition(unet(SMALL)) for layer in block.layers}
    assert depths["block1_conv1"] == 1 and depths["block1_conv2"] == 2
    assert depths["block5_conv1"] == 13  # eight convolutions and four poolings before it
    assert depths["head"] == max(depths.values())


def test_a_layer_that_changes_the_resolution_opens_its_block() -> None:
    inputs = keras.Input((32, 32, 1))
    assert names_of(keras.Model(inputs, strided(inputs))) == [["stem"], ["down", "low"], ["up", "head"]]


def test_shapes_may_be_open() -> None:
    inputs = keras.Input((None, None, 1))
    assert names_of(keras.Model(inputs, strided(inputs))) == [["stem"], ["down", "low"], ["up", "head"]]


def test_nested_models_are_flattened() -> None:
    inner_inputs = keras.Input((32, 32, 1))
    inner = keras.Model(inner_inputs, strided(inner_inputs), name="inner")
    inputs = keras.Input((32, 32, 1))
    model = keras.Model(inputs, layers.Conv2D(1, 3, padding="same", name="last")(inner(inputs)))
    assert names_of(model) == [["inner/stem"], ["inner/down", "inner/low"], ["inner/up", "inner/head", "last"]]
    assert set(leaf_layers(model)) >= {"inner/stem", "last"}


def test_a_valid_convolution_and_a_squeezed_branch_are_no_resolution_change() -> None:
    inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(4, 3, name="valid")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)
    x = layers.Conv2D(1, 1, name="after")(layers.Multiply()([x, gate]))
    assert names_of(keras.Model(inputs, x)) == [["valid", "gate", "after"]]


@pytest.mark.parametrize("gate_first", [True, False])
def test_a_gate_is_no_resolution_change_on_either_side(gate_first: bool) -> None:
    inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(4, 3, name="before")(inputs)
    gate = layers.Conv2D(4, 1, name="gate")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([gate, x] if gate_first else [x, gate])
    assert names_of(keras.Model(inputs, layers.Conv2D(1, 1, name="after")(x))) == [["before", "gate", "after"]]


def test_a_block_that_cannot_learn_joins_the_next_one() -> None:
    inputs = keras.Input((32, 32, 1))
    x = layers.MaxPooling2D()(layers.Normalization(name="scaling")(inputs))
    network = keras.Model(inputs, layers.Conv2D(1, 1, name="after")(x), name="scaled")
    assert names_of(network) == [["scaling", "after"]]
    network.get_layer("after").trainable = False  # as saved: it can be thawed
    assert names_of(network) == [["scaling", "after"]]
    with pytest.raises(UserError, match=r"block 1 of 'scaled' has none \(scaling\)"):
        partition(network, table=(("scaling",), ("*",)))
    with pytest.raises(UserError, match="'fixed' has no weight that can be trained"):
        partition(keras.Model(inputs, layers.Normalization()(inputs), name="fixed"))


def test_resizing_by_an_operation_counts_too() -> None:
    inputs = keras.Input((32, 32, 1))
    x = layers.Conv2D(2, 3, padding="same", name="before")(inputs)
    x = keras.ops.image.resize(x, (64, 64))
    x = layers.Conv2D(1, 3, padding="same", name="after")(x)
    assert names_of(keras.Model(inputs, x)) == [["before"], ["after"]]


def test_refused_models() -> None:
    inputs = keras.Input((32, 32, 1))
    with pytest.raises(UserError, match="no layer with weights"):
        partition(keras.Model(inputs, layers.MaxPooling2D()(inputs)))
    shared = layers.Conv2D(1, 3, padding="same", name="shared")
    with pytest.raises(UserError, match="'shared' is used in two blocks"):
        partition(keras.Model(inputs, shared(layers.MaxPooling2D()(shared(inputs)))))
    with pytest.raises(UserError, match="functional Keras model"):
        partition(keras.Sequential([shared]))


@pytest.mark.parametrize("text", ["none", "1", "1-5", "6-9", "1,9", "all"])
def test_apply_thaws_exactly_the_mask(text: str) -> None:
    model, mask = unet(SMALL), parse(text, 9)
    blocks = partition(model)
    apply_mask(model, blocks, mask)
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == trainable_parameters(blocks, mask)
    apply_mask(model, blocks, parse("all", 9))
    assert not model.non_trainable_weights


def test_fingerprints_change_with_one_bit_of_one_weight() -> None:
    model = unet(SMALL)
    blocks = partition(model)
    before = fingerprints(model, blocks)
    bias = model.get_layer("block3_conv2").bias
    bias.assign(np.nextafter(np.asarray(bias), np.float32(1)))
    after = fingerprints(model, blocks)
    assert [number for number in before if before[number] != after[number]] == [3]


TABLE = (("conv1", "bn1"), ("*2",), ("*",))


def test_a_table_says_which_layers_a_block_has_and_the_first_match_wins() -> None:
    blocks = partition(own(), table=TABLE)
    assert [[place.path for place in block.layers] for block in blocks] == [
        ["conv1", "bn1"],
        ["conv2", "bn2"],
        ["mask"],
    ]
    assert [[place.path for place in block.layers] for block in partition(own(), table=(("bn*",), ("*",)))] == [
        ["bn1", "bn2"],
        ["conv1", "conv2", "mask"],
    ]


def test_a_table_and_the_head() -> None:
    head_apart = partition(own(), PartitionConfig(head="always"), TABLE)
    assert [(block.number, [place.path for place in block.layers]) for block in head_apart] == [
        (0, ["mask"]),
        (1, ["conv1", "bn1"]),
        (2, ["conv2", "bn2"]),
    ]


def test_a_table_may_place_a_layer_that_is_used_twice() -> None:
    assert [len(block.layers) for block in partition(shared(), table=(("*",),))] == [1]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            (("conv*",),),
            r"must cover every layer with weights, but of 'own' it leaves out: bn1, bn2, mask\. Add .*\"bn1\"",
        ),
        (
            (("conv*", "covn1"), ("*",)),
            r"must match a layer with weights, but 'covn1' match none of 'own'; did you mean",
        ),
        ((("*",), ("conv1",)), r"needs a layer of its own, but blocks \[2\] are left with none"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table: tuple[tuple[str, ...], ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        partition(own(), table=table)


def resized(side: int, to: int) -> keras.Model:
    """A picture of one size resized to another between two convolutions."""
    inputs = keras.Input((side, side, 1))
    x = layers.Resizing(to, to)(layers.Conv2D(1, 1, name="before")(inputs))
    return keras.Model(inputs, layers.Conv2D(1, 1, name="after")(x))


@pytest.mark.parametrize(
    ("side", "to", "changes"),
    [(20, 14, True), (20, 15, False), (20, 20, False), (20, 29, False), (20, 30, True), (20, 1, False), (20, 2, True)],
)
def test_the_resolution_changes_from_0_7_down_and_from_1_5_up(side: int, to: int, changes: bool) -> None:
    assert len(names_of(resized(side, to))) == 1 + changes


@pytest.mark.parametrize(
    ("layer", "changes"),
    [
        (layers.MaxPooling2D(2), True),
        (layers.MaxPooling2D(1), False),
        (layers.UpSampling2D((1, 2)), True),
        (layers.Conv2D(1, 3, strides=2), True),
        (layers.Conv2D(1, 3), False),
        (layers.ReLU(), False),
    ],
)
def test_without_fixed_shapes_the_strides_decide(layer: keras.Layer, changes: bool) -> None:
    inputs = keras.Input((None, None, 1))
    x = type(layer).from_config(layer.get_config())(layers.Conv2D(1, 1, name="before")(inputs))
    model = keras.Model(inputs, layers.Conv2D(1, 1, name="after")(x))
    assert len(names_of(model)) == 1 + changes


def test_an_operation_without_fixed_shapes_changes_nothing() -> None:
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(1, 1, name="before")(inputs)
    assert names_of(keras.Model(inputs, layers.Conv2D(1, 1, name="after")(x + 1))) == [["before", "after"]]


def test_vectors_have_no_side() -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, layers.Dense(2, name="second")(layers.Dense(4, name="first")(inputs)))
    assert names_of(model) == [["first", "second"]]


def test_a_merge_takes_the_deeper_way_and_counts_the_changes_of_the_side_it_keeps() -> None:
    inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(1, 1, name="one")(inputs)
    down = layers.Conv2D(1, 2, strides=2, name="down")(x)
    up = layers.UpSampling2D()(down)
    merged = layers.Add()([layers.Conv2D(1, 1, name="two")(x), up])
    model = keras.Model(inputs, layers.Conv2D(1, 1, name="last")(merged))
    blocks = partition(model)
    assert [[place.path for place in block.layers] for block in blocks] == [["one", "two"], ["down"], ["last"]]
    assert {place.path: place.depth for block in blocks for place in block.layers} == {
        "one": 1,
        "two": 2,
        "down": 2,
        "last": 5,
    }
    assert [block.parameters for block in blocks] == [4, 5, 2] and [block.number for block in blocks] == [1, 2, 3]


@pytest.mark.parametrize(
    ("config", "numbers", "searched", "parameters", "always"),
    [
        (PartitionConfig(), [1, 2, 3], 3, [4, 5, 2], 0),
        (PartitionConfig(head="own"), [1, 2, 3], 3, [4, 5, 2], 0),
        (PartitionConfig(head="always"), [ALWAYS, 1, 2], 2, [4, 5], 2),
    ],
)
def test_what_a_mask_chooses_among(
    config: PartitionConfig, numbers: list[int], searched: int, parameters: list[int], always: int
) -> None:
    places = [BlockLayer("one", 1, 2), BlockLayer("two", 2, 2), BlockLayer("down", 2, 5), BlockLayer("last", 5, 2)]
    units = [places[:2], places[2:3], places[3:]]
    ordered = [units[2], *units[:2]] if config.head == "always" else units
    blocks = tuple(Block(number, tuple(unit)) for number, unit in zip(numbers, ordered, strict=True))
    assert searchable(blocks) == searched and unit_parameters(blocks) == (parameters, always)
    none, first = parse("none", searched), parse("1", searched)
    assert trainable_parameters(blocks, none) == 0 and trainable_parameters(blocks, first) == 4 + always
    assert [thawed(number, first) for number in (ALWAYS, 1, 2)] == [True, True, False]
    assert not any(thawed(number, none) for number in (ALWAYS, 1, 2))


@pytest.mark.parametrize("config", [PartitionConfig(), PartitionConfig("conv", "always"), PartitionConfig(head="own")])
def test_the_head_alone_is_a_unit_behind_the_others(config: PartitionConfig) -> None:
    blocks = partition(unet(ModelConfig(size=32, filters=1)), config)
    alone, mask = head_alone(blocks)
    assert head_of(blocks) == head_of(alone) == "head"
    assert [block.paths for block in alone if thawed(block.number, mask)] == [("head",)]
    assert sorted(path for block in alone for path in block.paths) == sorted(
        path for one in blocks for path in one.paths
    )


def test_a_last_unit_that_cannot_learn_joins_the_one_before() -> None:
    inputs = keras.Input((16, 16, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(1, 1, name="first")(inputs))
    model = keras.Model(inputs, layers.Normalization(name="scaling")(x))
    assert names_of(model) == [["first", "scaling"]]


def test_a_1x1_convolution_is_the_head_only_at_the_very_end() -> None:
    inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(1, 1, name="first")(inputs)
    x = layers.Conv2D(1, (1, 3), padding="same", name="second")(x)
    units = partition(keras.Model(inputs, layers.Conv2D(1, 1, name="head")(x)), PartitionConfig("conv"))
    assert [[place.path for place in unit.layers] for unit in units] == [["first"], ["second", "head"]]
    tall = partition(keras.Model(inputs, layers.Conv2D(1, (1, 3), name="tall")(x)), PartitionConfig("conv"))
    assert [[place.path for place in unit.layers] for unit in tall] == [["first"], ["second"], ["tall"]]
    scaled = layers.BatchNormalization(name="scaled")(inputs)
    alone = partition(keras.Model(inputs, layers.Conv2D(1, 1, name="head")(scaled)), PartitionConfig("conv"))
    assert [[place.path for place in unit.layers] for unit in alone] == [["scaled", "head"]]


@pytest.mark.parametrize(("text", "adapt", "norms"), [("3", True, True), ("3", False, False), ("none", True, False)])
def test_adapting_normalisations_move_their_statistics_and_train_no_weight(text: str, adapt: bool, norms: bool) -> None:
    model = own()
    apply_mask(model, partition(model), parse(text, 3), adapt=adapt)
    frozen = [model.get_layer(name) for name in ("bn1", "bn2")]
    assert [norm.trainable for norm in frozen] == [norms] * 2
    assert not any(norm.trainable_weights for norm in frozen) and not model.get_layer("conv1").trainable
    assert model.get_layer("mask").trainable == (text == "3")


@pytest.mark.parametrize("adapt", [True, False])
def test_a_mask_thaws_all_of_a_block_whatever_mask_was_there_before(adapt: bool) -> None:
    model = own()
    for before in ("3", "2-3", "1"):
        apply_mask(model, partition(model), parse(before, 3), adapt=True)
    apply_mask(model, partition(model), parse("1,3", 3), adapt=adapt)
    assert len(model.get_layer("bn1").trainable_weights) == 2 and not model.get_layer("bn2").trainable_weights


def test_fingerprints_keep_statistics_apart() -> None:
    model = own()
    blocks = partition(model)
    before = fingerprints(model, blocks)
    norm = model.get_layer("bn2")
    norm.moving_mean.assign(norm.moving_mean + 1)
    after = fingerprints(model, blocks)
    assert [before[n].weights == after[n].weights for n in (1, 2, 3)] == [True, True, True]
    assert [before[n].statistics == after[n].statistics for n in (1, 2, 3)] == [True, False, True]
    norm.gamma.assign(norm.gamma + 1)
    assert [before[n].weights == fingerprints(model, blocks)[n].weights for n in (1, 2, 3)] == [True, False, True]


def test_seed_states_are_no_weights() -> None:
    model = own()
    states = seed_states(model)
    assert len(states) == 1 and all(state is not weight for state in states for weight in model.weights)
    assert states[0].shape == (2,)


def test_the_longer_of_two_uses_gives_the_depth_of_a_shared_layer() -> None:
    inputs = keras.Input((16, 16, 1))
    shared_layer = layers.Conv2D(1, 3, padding="same", name="shared")
    x = shared_layer(layers.ReLU()(shared_layer(inputs)))
    (block,) = partition(keras.Model(inputs, x))
    assert [(place.path, place.depth) for place in block.layers] == [("shared", 3)]
