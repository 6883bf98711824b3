"""The network of a sweep: the built-in U-Net, or one of your own, made to take one image and give logits.

Only this module builds it, so that workers, estimates, refits, restored networks and predictions are the same network.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it

from trainer.channels import RGB, in_channels
from trainer.config import ModelConfig, PartitionConfig
from trainer.errors import UserError, first_line
from trainer.files import given_path
from trainer.keys import digest
from trainer.network.blocks import CONVOLUTIONS, leaf_layers, partition, seed_states
from trainer.network.copying import FLOAT32, Changes, copied, reseeded
from trainer.network.encoders import encoder_network, is_encoder
from trainer.network.ending import as_logits, end_of, expected_probability
from trainer.network.graph import nodes
from trainer.network.input_range import IMAGE, range_of
from trainer.network.network_file import custom_code, load_network
from trainer.network.random_layers import moving_layers
from trainer.network.unet import unet
from trainer.network.weights import load_weights

DIGITS = 16  # of an architecture's digest
PROBED_SIDE = 64  # pixels of the image that a copy is compared on, where the network reads any size
ALIKE, ALIKE_HALF = 1e-3, 5e-2  # how far probabilities may differ from the original's; from one in half precision
PLAIN_RANGE = (0.0, 1.0)
AS_IT_IS = ModelConfig()
SCOPE = re.compile(r"[A-Za-z0-9_.\\/>-]*")  # what TensorFlow takes as the name of a scope
THREE_TIMES = (
    "It reads three channels and is given the grey image three times: data.colour=true (thaw predict: --colour) gives "
    "it colours."
)
NAMED = 5  # odd names in one message
Size = int | tuple[int | None, int | None]  # a square, or height and width; None reads any


def network_of(config: ModelConfig, seed: int = 0) -> keras.Model:
    """Build the network: (batch, size, size, channels) in [0, 1] -> logits (batch, size, size, 1).

    The U-Net with weights drawn from `seed`, or the network in `config.path` with the weights in its file. Raises
    `UserError` for a file that holds no network, and for a network that cannot be searched (`adapted`).
    """
    if config.path is None:
        return unet(config, seed)
    network = adapted(opened(config), config.size, config)
    _seed_layers(network, seed)
    return network


def from_scratch(config: ModelConfig, seed: int) -> keras.Model:
    """The network from scratch: every layer's weights as its own initialisers draw them from `seed`, statistics too.

    What `Normalization` has learned of images by `adapt` is preprocessing, and stays.
    """
    if config.path is None:
        return unet(config, seed)
    keras.utils.set_random_seed(seed)  # for layers that draw without an initialiser of their own
    rng = np.random.default_rng(seed)
    original = opened(config)
    network = adapted(original, config.size, config, lambda settings: reseeded(settings, rng))
    _copy_preprocessing(original, network)
    _seed_layers(network, seed)
    return network


def opened(config: ModelConfig) -> keras.Model:
    """The network of one's own as it is in its file. Raises `UserError` for a file that holds none."""
    if config.custom_code and custom_code(config.custom) != config.custom_code:
        raise UserError(
            f"The code of {', '.join(config.custom)} (model.custom) must be that of the sweep, but it has changed "
            "since. Run the sweep again: it then has another identity."
        )
    if not config.file and is_encoder(config.path):
        return encoder_network(str(config.path), config.size)
    return load_network(given_path(config.file or str(config.path)), config.custom, str(config.path))


def load_start(network: keras.Model, config: ModelConfig, path: Path) -> None:
    """Put starting weights into a copy of the network: a file of thaw's, or one made for the network as it is in its
    own file. Raises `UserError` as `load_weights` does.

    Only where the copy leaves outputs out do the two differ: then Keras would count the layers differently.
    """
    if config.path is not None and config.output:
        original = opened(config)
        try:
            load_weights(original, path)
        except UserError:
            pass  # a file of thaw's
        else:
            return _copy_weights(original, network)
    load_weights(network, path)


def examined(config: ModelConfig, units: PartitionConfig | None = None) -> tuple[ModelConfig, tuple[str, ...]]:
    """The settings with all that is found out about a network of one's own, and a sentence for each thing to know.

    Raises `UserError` if the network cannot be searched.
    """
    network = opened(config)
    config, notes = found_out(network, config)
    partition(checked_copy(network, config.size, config), units, config.blocks)
    return replace(config, architecture=architecture(network), custom_code=custom_code(config.custom)), notes


def found_out(network: keras.Model, config: ModelConfig) -> tuple[ModelConfig, tuple[str, ...]]:
    """The settings with what a copy changes in the network, and a sentence for each thing to know.

    Raises `UserError` for a network that cannot be copied, as `adapted` does.
    """
    _check_graph(network)
    _check_input(network)
    _check_colour(network, config)
    end, wanted, moving = end_of(network, config), range_of(network, config), dict(moving_layers(network))
    notes = [wanted.note, *([end.note] if end.note else [])]
    if not config.colour and network.inputs[0].shape[-1] == RGB:
        notes.append(THREE_TIMES)
    if moving:
        named = ", ".join(f"{path} ({kind})" for path, kind in moving.items())
        notes.append(f"Left out, because they would move images without their masks: {named}.")
    if policies := _other_policies(network):
        notes.append(f"It computes in {FLOAT32} here, not in {', '.join(policies)}.")
    bounds = (wanted.low, wanted.high)
    reads = () if bounds == PLAIN_RANGE else bounds
    output = "" if len(network.outputs) == 1 else config.output
    return replace(config, output=output, reads=reads, still=tuple(moving), float32=bool(policies)), tuple(notes)


def checked_copy(network: keras.Model, size: Size, config: ModelConfig) -> keras.Model:
    """`adapted`, compared with the original on noise. Raises `UserError`, too, for a copy that answers differently."""
    copy = adapted(network, size, config)
    sides = [side or PROBED_SIDE for side in copy.inputs[0].shape[1:3]]
    image = np.random.default_rng(0).random((1, *sides, config.channels), np.float32)
    low, high = config.reads or PLAIN_RANGE
    (channels,) = network.inputs[0].shape[3:]
    read = in_channels(low + (high - low) * image, channels)
    end = end_of(network, config)
    given = keras.tree.pack_sequence_as(network.input, [read.astype(network.inputs[0].dtype)])  # a list or dict of one
    try:
        outputs = keras.tree.flatten(network(given, training=False))
    except Exception as error:  # of the backend, or of a layer's own code
        raise UserError(
            f"A network must answer for an image of {'x'.join(map(str, sides))} pixels, but '{network.name}' does not: "
            f"{first_line(error)} Set model.size to a side that it can read."
        ) from error
    expected = expected_probability(end, outputs[end.position])
    logits = np.asarray(keras.ops.convert_to_numpy(copy(image, training=False)), np.float64)
    found = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    near = ALIKE_HALF if config.float32 else ALIKE
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=near, equal_nan=True):
        raise UserError(
            f"A copy of a network must answer as the network does, but that of '{network.name}' does not: one of its "
            "layers keeps a state outside its weights and settings, or draws at random. Leave it out, or let its "
            "get_config and its weights hold all that it is."
        )
    return copy


def architecture(network: keras.Model) -> str:
    """Digest of a network's layers and how they are joined, whatever their weights: 16 hex digits."""
    return digest(json.loads(network.to_json())["config"])[:DIGITS]


def adapted(
    network: keras.Model,
    size: Size,
    config: ModelConfig = AS_IT_IS,
    change: Callable[[Any], Any] | None = None,
) -> keras.Model:
    """A copy of a segmentation network that takes images of `size` in [0, 1], of `config.channels`, and gives logits.

    A three-channel input gets a grey image three times, scaled as `config.reads` says; a final sigmoid is taken off.
    Layers keep their names, and their weights unless `change` alters their settings (`from_scratch`). Raises
    `UserError`, with what to do, for anything else than one image in and one value per pixel out.
    """
    _check_graph(network)
    channels = _check_input(network, size)
    _check_colour(network, config)
    end = end_of(network, config)
    sides = size if isinstance(size, tuple) else (size, size)
    shown = "x".join(str(side or "any") for side in sides)
    image = x = keras.Input((*sides, config.channels), name=IMAGE)
    if config.reads:
        low, high = config.reads
        x = layers.Rescaling(high - low, low, name=free_name(network, "thaw_range"))(x)
    if channels != config.channels:
        x = layers.Concatenate(name=free_name(network, "thaw_grey_as_rgb"))([x] * channels)
    changes = Changes(end.taken_off, config.still, config.float32, change)
    try:
        outputs = keras.tree.flatten(copied(network, x, changes))  # a dict or list of outputs, too
        logits = as_logits(end, outputs[end.position], free_name(network, "thaw_logits"))
    except (ValueError, TypeError) as error:
        raise UserError(
            f"'model.size' must be a size that '{network.name}' can read, but {shown} pixels do not go through it: "
            f"{first_line(error)} Choose a multiple of what its poolings need."
        ) from error
    if tuple(logits.shape[1:3]) != sides:
        raise UserError(
            f"A network must answer at the size of its input, {shown}, but '{network.name}' gives "
            f"{logits.shape[1]}x{logits.shape[2]}. Add up-sampling (or cropping) behind it, or choose a model.size "
            "that its poolings divide."
        )
    copy = keras.Model(image, logits, name=network.name)
    copy.trainable = True
    if change is None:
        _copy_weights(network, copy)
    return copy


def free_name(network: keras.Model, name: str) -> str:
    """`name`, with more behind it while an operation of the network is called so: Keras allows each name once."""
    taken = {node.operation.name for node in nodes(network)}
    while name in taken:
        name += "_"
    return name


def _copy_weights(original: keras.Model, copy: keras.Model) -> None:
    """Give the layers of a copy the weights of the layers they were made of, by their paths."""
    originals = leaf_layers(original)
    for path, layer in leaf_layers(copy).items():
        if layer.weights:
            layer.set_weights(originals[path].get_weights())


def _copy_preprocessing(original: keras.Model, copy: keras.Model) -> None:
    """Give every `Normalization` of a copy, those within other layers too, the weights of the one it was made of."""
    originals = leaf_layers(original)
    for path, layer in leaf_layers(copy).items():
        for inner, source in zip(_normalizations(layer), _normalizations(originals.get(path, layer)), strict=True):
            inner.set_weights(source.get_weights())


def _normalizations(layer: keras.Layer) -> list[keras.Layer]:
    return [inner for inner in layer._flatten_layers() if isinstance(inner, layers.Normalization)]


def _other_policies(network: keras.Model) -> tuple[str, ...]:
    """The names of all policies of a network's layers but float32. Raises `UserError` for a quantised one."""
    leaves = [inner for layer in leaf_layers(network).values() for inner in layer._flatten_layers()]
    named = {layer.dtype_policy.name for layer in leaves if not isinstance(layer, layers.InputLayer)}
    if quantised := sorted(name for name in named if name.startswith(("int", "float8"))):
        raise UserError(
            f"A network must have weights that can be trained, but those of '{network.name}' are quantised "
            f"({', '.join(quantised)}). Give the network from before it was quantised."
        )
    return tuple(sorted(named - {FLOAT32}))


def _check_graph(network: keras.Model) -> None:
    if not isinstance(network, Functional):
        raise UserError(
            f"A network must be a functional Keras model, whose layers can be walked, but '{network.name}' is a "
            f"{type(network).__name__}. Rebuild it as keras.Model(inputs, outputs)."
        )
    inner_layers = (inner for layer in leaf_layers(network).values() for inner in layer._flatten_layers())
    if not any(isinstance(inner, CONVOLUTIONS) for inner in inner_layers):
        raise UserError(
            f"A segmentation network has convolutions, but '{network.name}' has none. Give one that has, such as a "
            "U-Net with any encoder."
        )
    names = {layer.name for layer in network._flatten_layers() if not isinstance(layer, layers.InputLayer)}
    if keras.config.backend() == "tensorflow" and (odd := sorted(name for name in names if not SCOPE.fullmatch(name))):
        raise UserError(
            f"TensorFlow computes with names of letters from A to Z, digits and _ . - > only, but '{network.name}' has "
            f"{', '.join(map(repr, odd[:NAMED]))}. Rename them: layer.name = ..., and save the network again."
        )


def _check_input(network: keras.Model, size: Size | None = None) -> int:
    """Channels of the one image that the network takes, 1 or 3. `size`: what it is to be given, where that is known."""
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise UserError(
            f"A network must have one input, an image (height, width, channels), but '{network.name}' takes "
            f"{', '.join(str(shape[1:]) for shape in shapes)}. Give the other inputs fixed values in the model."
        )
    _, height, width, channels = shapes[0]
    if channels not in (1, RGB):
        raise UserError(
            f"A network must read 1 channel (grey) or 3 (the grey image three times), channels last, but "
            f"'{network.name}' takes {shapes[0][1:]}. Put a convolution to that many channels in front of it."
        )
    if isinstance(size, int) and any(side not in (None, size) for side in (height, width)):
        square = f"Set model.size={height}." if height == width else "Rebuild it for square images."
        raise UserError(f"'model.size' must be what '{network.name}' takes, {height}x{width}, but got {size}. {square}")
    return int(channels)


def reads_colour(network: keras.Model) -> bool:
    """Whether a network is a copy of thaw's that was given colours: of any other network its input does not tell."""
    (image,) = network.inputs if len(network.inputs) == 1 else (None,)
    return image is not None and image.name == IMAGE and len(image.shape) == 4 and image.shape[-1] == RGB


def _check_colour(network: keras.Model, config: ModelConfig) -> None:
    channels = _check_input(network)
    if config.colour and channels != RGB:
        raise UserError(
            f"Colour is for a network that reads three channels, but '{network.name}' reads {channels}. Leave out "
            "data.colour (of thaw predict: --colour), or give another network."
        )


def _seed_layers(network: keras.Model, seed: int) -> None:
    """Give random layers (dropout) a state from `seed`, because a file holds none."""
    for number, variable in enumerate(seed_states(network)):
        state = np.random.SeedSequence([seed, number]).generate_state(math.prod(variable.shape))
        variable.assign(state.reshape(variable.shape).astype(variable.dtype))
