"""The end of a network: which values it gives, whether they are squashed, and how logits are made of them.

One answer for every command. The values are followed backwards from the output, through nested models, functions and
layers without weights, to what decides about them: an activation, or a layer that learns. Where a sigmoid or a softmax
is only moved about behind its layer (nearest up-sampling, cropping, a cast), it is taken off there, and the logits take
the same way. Where probabilities are mixed (a resizing, a mean, a clip), the logit of what comes out is taken:
log(p / (1 - p)). Everything else is no mask, or cannot be known, and is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.graph import Place, inner_graph, nodes, operands, origin, sources

EPSILON = 1e-7  # as Keras clips probabilities in its losses
THRESHOLD = 0.5
SQUASHING = ("sigmoid", "softmax")
# Layers and functions whose values are those of their input, moved about: they can change places with a sigmoid.
MOVES = ("Identity", "Cast", "Activation", "Cropping2D", "CropImages", "UpSampling2D", "Resizing", "Resize")
MOVES_ANYHOW = ("Reshape", "Permute", "Transpose", "Squeeze", "ExpandDims", "Flip", "Moveaxis", "Swapaxes", "GetItem")
# Those whose values lie between the smallest and the largest of their inputs.
BETWEEN = (
    *MOVES,
    *MOVES_ANYHOW,
    *("AveragePooling2D", "AveragePool", "MaxPooling2D", "MaxPool", "CenterCrop", "DepthToSpace", "SpaceToDepth"),
    *("Average", "Mean", "Max", "Amax", "Min", "Amin", "Median", "Concatenate", "Stack"),
    *("Copy", "Repeat", "Take", "Split", "Slice", "ActivityRegularization", "GaussianNoise", "Flatten"),
)
WITH_ZEROS = ("ZeroPadding2D", "Pad", "PadImages")
DROPPING = ("Dropout", "SpatialDropout2D", "GaussianDropout", "AlphaDropout")
# A sigmoid of their values is above 0.5 everywhere. That of a ReLU is 0.5 where it gives 0, which is background.
ABOVE_ZERO = ("hard_sigmoid", "sparse_sigmoid", "softplus")
ACTIVATIONS = {  # layers and functions that are an activation, by the name of their class
    **{kind: kind.lower() for kind in ("Sigmoid", "Softmax", "ReLU", "Relu", "Relu6", "Tanh", "ELU", "Elu", "Selu")},
    **{"LeakyReLU": "leaky_relu", "LeakyRelu": "leaky_relu", "PReLU": "prelu", "HardSigmoid": "hard_sigmoid"},
    **{"Softplus": "softplus", "Silu": "silu", "Gelu": "gelu", "LogSigmoid": "log_sigmoid"},
    **{"LogSoftmax": "log_softmax", "SparseSigmoid": "sparse_sigmoid", "HardTanh": "hard_tanh", "Softsign": "softsign"},
}


@dataclass(frozen=True)
class Values:
    """What is known of a tensor's numbers: their bounds, whether they are `raw` (no activation lies behind the last
    weights), and the `fault` that makes them neither logits nor probabilities.
    """

    low: float = -math.inf
    high: float = math.inf
    raw: bool = False
    fault: str = ""


RAW = Values(raw=True)


@dataclass(frozen=True, eq=False)
class End:
    """Which output of a network is the mask, and how it becomes logits.

    `position`: among the network's outputs. `taken_off`: the operation that is copied without its activation, or None.
    `probabilities`: what comes out then is a probability, whose logit is taken. `channel`: the one that is the
    foreground, or None where there is only one; with `against_others` its logit is against those of all others, as
    behind a softmax. `note`: what the user has to know of it.
    """

    position: int
    taken_off: Any = None
    probabilities: bool = False
    channel: int | None = None
    against_others: bool = False
    note: str = ""


def end_of(network: keras.Model, config: ModelConfig) -> End:
    """Find the end of a functional network. Raises `UserError`, with what to do, for one that gives no single mask."""
    position = _output_position(network, config.output)
    output = network.outputs[position]
    if len(output.shape) != 4:
        raise UserError(
            f"A network must give a mask (height, width, 1), but '{network.name}' gives {tuple(output.shape[1:])}. "
            "End it with a convolution to 1 channel."
        )
    place = origin(Place(output))
    channels = int(output.shape[-1])
    if config.gives != "auto":
        return _as_told(network, config, position, channels)
    values = values_of(place, {})
    _check_values(network, values)
    kind = _kind(place)
    channel, note = _channel(network, config, channels, kind)
    if values.raw:
        return End(position)
    squashing, moved_only = _squashing(place)
    if squashing is not None and moved_only and _used_once(network, squashing):
        if channels == 1 and kind == "softmax":
            raise UserError(
                f"{_one_value(network, channels, kind)}: multi-class with one class. Take a sigmoid instead."
            )
        return End(position, squashing.operation, False, channel, kind == "softmax", note)
    behind = f"The logit of its probabilities is taken behind '{place.operation.name}'." if channels == 1 else note
    return End(position, None, True, channel, False, behind)


def as_logits(end: End, x: Any, name: str) -> Any:
    """Put what turns the copied output `x` (batch, height, width, channels) into logits (…, 1) behind it: functions of
    Keras in a nested model called `name`. A probability is kept 1e-7 away from 0 and 1, as in Keras's losses.
    """
    if end.channel is None and not end.probabilities:
        return x
    given = keras.Input(batch_shape=x.shape, dtype=x.dtype)
    return keras.Model(given, _logits(end, given), name=name)(x)


def _logits(end: End, x: Any) -> Any:
    if end.channel is not None:
        chosen = x[..., end.channel : end.channel + 1]
        if end.against_others:
            others = [x[..., other : other + 1] for other in range(x.shape[-1]) if other != end.channel]
            rest = others[0] if len(others) == 1 else ops.logsumexp(ops.concatenate(others, -1), axis=-1, keepdims=True)
            return chosen - rest
        x = chosen
    if not end.probabilities:
        return x
    x = ops.clip(ops.cast(x, "float32"), EPSILON, 1 - EPSILON)
    return ops.log(x) - ops.log1p(-x)


def expected_probability(end: End, output: Any) -> Any:
    """The foreground's probability in the original network's output, as an array: what the copy must give."""
    x = np.asarray(ops.convert_to_numpy(output), np.float64)
    squashed = end.taken_off is not None or end.probabilities
    if not squashed and end.against_others:
        x = np.exp(x - x.max(-1, keepdims=True))
        x /= x.sum(-1, keepdims=True)
    if end.channel is not None:
        x = x[..., end.channel : end.channel + 1]
    return x if squashed or end.against_others else 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def activation_of(operation: Any) -> str:
    """`sigmoid`, `softmax`, `relu` ... or `linear`: the activation of a layer, or an activation layer or function."""
    if isinstance(operation, layers.Wrapper):
        return activation_of(operation.layer)
    own, kind = getattr(operation, "activation", None), type(operation).__name__
    if own is None:
        return ACTIVATIONS.get(kind, "linear")
    return str(getattr(own, "__name__", "") or ACTIVATIONS.get(type(own).__name__, type(own).__name__))


def values_of(place: Place, known: dict[tuple[int, ...], Values]) -> Values:
    """What is known of the values at `place`, which is where an operation gives them (`origin`)."""
    if place.key not in known:
        known[place.key] = _values(place, known)
    return known[place.key]


def _values(place: Place, known: dict[tuple[int, ...], Values]) -> Values:
    operation = place.operation
    kind, name = type(operation).__name__, operation.name
    if isinstance(operation, layers.InputLayer):
        return Values()
    if not is_of_keras(operation):
        return Values(fault=f"'{name}' is a {kind}, and what it does to values cannot be known")
    activation = activation_of(operation)
    if activation == "softmax" and getattr(operation, "axis", -1) not in (-1, 3):
        return Values(fault=f"the softmax of '{name}' does not go over the channels")
    if activation == "sigmoid" and not getattr(operation, "weights", ()):
        logits = values_of(sources(place)[0], known)
        return Values(_sigmoid(logits.low), _sigmoid(logits.high))
    if activation in SQUASHING:
        return Values(0, 1)
    if activation != "linear":
        low = 0.0 if activation in ABOVE_ZERO else -math.inf
        return Values(low, fault=f"it ends with '{activation}' (layer '{name}')")
    if isinstance(operation, layers.BatchNormalization):
        squashed, _ = _squashing(sources(place)[0])
        return RAW if squashed is None else Values(fault=_stands_behind(name, squashed.operation))
    if getattr(operation, "weights", ()):
        return RAW
    return _combined(place, [values_of(source, known) for source in sources(place)])


def is_of_keras(operation: Any) -> bool:
    """Whether an operation is one of Keras's, or a live form of one, and not somebody's own."""
    return type(operation).__module__.startswith(("keras.", "trainer.network.live_layers"))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-min(max(logit, -60), 60)))


def _combined(place: Place, inputs: Sequence[Values]) -> Values:
    """The values of an operation without weights and activation, by those of its inputs."""
    operation, kind, name = place.operation, type(place.operation).__name__, place.operation.name
    if faults := [values.fault for values in inputs if values.fault]:
        return Values(fault=faults[0])
    raw = any(values.raw for values in inputs)
    if kind in DROPPING:
        return RAW if raw else Values(fault=f"'{name}' drops values behind the activation")
    if kind == "Cast" and not keras.backend.is_float_dtype(operation.dtype):
        return Values(fault=f"'{name}' makes whole numbers of its values")
    bounds = _bounds(place, inputs)
    if bounds is None or math.isnan(bounds[0]) or math.isnan(bounds[1]):
        return Values(fault=f"what '{name}' ({kind}) does to values behind the last weights cannot be known")
    return Values(*bounds, raw=raw)


def _bounds(place: Place, inputs: Sequence[Values]) -> tuple[float, float] | None:
    """The smallest and the largest value of an operation; None for one that is not known."""
    operation, kind = place.operation, type(place.operation).__name__
    lows, highs = [values.low for values in inputs], [values.high for values in inputs]
    if kind in BETWEEN:
        return min(lows), max(highs)
    if kind in WITH_ZEROS:
        return min(0.0, *lows), max(0.0, *highs)
    if kind == "Clip":
        low, high = float(np.max(operation.x_min)), float(np.min(operation.x_max))
        return min(max(lows[0], low), high), max(min(highs[0], high), low)
    if kind == "Rescaling":
        return _products([(lows[0], highs[0]), _spread(operation.scale)], _spread(operation.offset))
    if kind == "Negative":
        return -highs[0], -lows[0]
    bounds = _operands(place, inputs)
    if kind == "Add":
        return sum(low for low, _ in bounds), sum(high for _, high in bounds)
    if kind in ("Maximum", "Minimum"):
        choose = max if kind == "Maximum" else min
        return choose(low for low, _ in bounds), choose(high for _, high in bounds)
    if kind == "Subtract" and len(bounds) == 2:
        return bounds[0][0] - bounds[1][1], bounds[0][1] - bounds[1][0]
    if kind == "Multiply":
        return _products(bounds)
    if kind in ("Divide", "TrueDivide") and len(bounds) == 2 and bounds[1][0] * bounds[1][1] > 0:
        return _products([bounds[0], (1 / bounds[1][1], 1 / bounds[1][0])])
    return None


def _operands(place: Place, inputs: Sequence[Values]) -> list[tuple[float, float]]:
    """The bounds of an operation's operands in their order, tensors and numbers."""
    values = iter((tensor.low, tensor.high) for tensor in inputs)
    return [_spread(each) if isinstance(each, np.ndarray) else next(values) for each in operands(place)]


def _spread(number: Any) -> tuple[float, float]:
    array = np.asarray(number, float)
    return float(array.min()), float(array.max())


def _products(factors: Sequence[tuple[float, float]], plus: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    low, high = 1.0, 1.0
    for one, other in factors:
        products = [0.0 if 0 in (a, b) else a * b for a in (low, high) for b in (one, other)]
        low, high = min(products), max(products)
    return low + plus[0], high + plus[1]


def _check_values(network: keras.Model, values: Values) -> None:
    """Raise `UserError` unless values are logits or probabilities."""
    advice = (
        "End it with a convolution without an activation or with a sigmoid, or say what it gives: "
        "model.gives=logits or model.gives=probabilities."
    )
    if values.fault:
        raise UserError(
            f"A network must end with logits or with a sigmoid, but of '{network.name}' {values.fault}. {advice}"
        )
    if values.raw and values.low < 0 < values.high:
        return
    within = values.low >= -EPSILON and values.high <= 1 + EPSILON
    if not values.raw and within and values.low < THRESHOLD < values.high:
        return
    cut = "cut off at" if values.raw else "from"
    raise UserError(
        f"A network must end with logits or with a sigmoid, but '{network.name}' gives values {cut} {values.low:g} to "
        f"{values.high:g}. {advice}"
    )


def _kind(place: Place) -> str:
    """`softmax` or `sigmoid` where all values behind the last weights come out of one, else `linear`."""
    activation = activation_of(place.operation)
    if activation in SQUASHING:
        return activation
    if getattr(place.operation, "weights", ()):
        return "linear"
    kinds = {_kind(source) for source in sources(place)}
    return kinds.pop() if len(kinds) == 1 else "sigmoid" if kinds == set(SQUASHING) else "linear"


def _squashing(place: Place) -> tuple[Place | None, bool]:
    """Where the nearest sigmoid or softmax lies on a single way before `place`, and whether the values are only moved
    about behind it, so that it can be taken off.
    """
    moved_only = True
    while True:
        operation = place.operation
        if activation_of(operation) in SQUASHING:
            return place, moved_only
        before = sources(place)
        if getattr(operation, "weights", ()) or len(before) != 1:
            return None, False
        moved_only = moved_only and _moves(operation)
        (place,) = before


def _moves(operation: Any) -> bool:
    """Whether an operation gives values of its input, unchanged, at other pixels of the same channel."""
    if type(operation).__name__ not in MOVES or getattr(operation, "pad_to_aspect_ratio", False):
        return False
    return getattr(operation, "interpolation", "nearest") == "nearest"


def _used_once(network: keras.Model, place: Place) -> bool:
    """Whether the operation, and each nested model that it lies in, is called once: taken off, it is off everywhere."""
    scopes = [network, *(inner_graph(node.operation) for node in place.around)]
    called = [*(node.operation for node in place.around), place.operation]
    return all(
        sum(node.operation is operation for node in nodes(scope)) == 1
        for scope, operation in zip(scopes, called, strict=True)
    )


def _stands_behind(name: str, squashed: Any) -> str:
    activation = f"the activation of '{squashed.name}' ({activation_of(squashed)})"
    return f"'{name}' stands behind {activation}, which must come last"


def _channel(network: keras.Model, config: ModelConfig, channels: int, kind: str) -> tuple[int | None, str]:
    """The foreground's channel, None where there is one only, and what to say of it."""
    numbers, start = f"0 to {channels - 1}", _one_value(network, channels, kind)
    if channels == 1:
        if config.channel not in (None, 0):
            raise UserError(f"'model.channel' must be 0 where a network gives one channel, but got {config.channel}.")
        return None, ""
    if config.channel is not None and config.channel >= channels:
        raise UserError(f"'model.channel' must be one of {numbers} of '{network.name}', but got {config.channel}.")
    if kind == "linear":
        raise UserError(
            f"{start}, and nothing says how they go together. If they compete, as behind a softmax, set "
            f"model.gives=logits and model.channel, one of {numbers}; else end it with a convolution to 1 channel."
        )
    if config.channel is None and (kind, channels) != ("softmax", 2):
        raise UserError(
            f"{start}: multi-class masks are not supported. Choose the channel that is the foreground against all "
            f"others, model.channel, one of {numbers}; or end it with a convolution to 1 channel."
        )
    channel = 1 if config.channel is None else config.channel
    against = f"{channels} channels ({kind})"
    return channel, f"Channel {channel} of its {against} is taken as the foreground (model.channel)."


def _one_value(network: keras.Model, channels: int, kind: str) -> str:
    return (
        "A network must give one value per pixel, foreground against background, but "
        f"'{network.name}' gives {channels} ({kind})"
    )


def _as_told(network: keras.Model, config: ModelConfig, position: int, channels: int) -> End:
    """The end as `model.gives` says that it is."""
    said = f"Its output is taken as {config.gives}, as model.gives says."
    if channels == 1:
        return End(position, probabilities=config.gives == "probabilities", note=said)
    channel, note = _channel(network, config, channels, "softmax")
    return End(position, None, config.gives == "probabilities", channel, config.gives == "logits", f"{said} {note}")


def _output_position(network: keras.Model, wanted: str) -> int:
    """Which output is meant. Raises `UserError` where several are there and none is chosen, or none has that name."""
    names = output_names(network)
    every = [name for each in names for name in each]
    choices = [next(name for name in each if every.count(name) == 1) for each in names]
    if not wanted:
        if len(names) == 1:
            return 0
        raise UserError(
            f"A network must have one output, but '{network.name}' has {len(names)}: {', '.join(choices)}. Choose one, "
            f"such as model.output={choices[-1]}."
        )
    found = [position for position, each in enumerate(names) if wanted in each]
    if len(found) != 1:
        raise UserError(
            f"'model.output' must name one output of '{network.name}', but got '{wanted}'. Its outputs: "
            f"{', '.join(choices)}."
        )
    return found[0]


def output_names(network: keras.Model) -> list[tuple[str, ...]]:
    """What each output can be called: its key where outputs have keys, the layer that gives it, the one inside a nested
    model that does, its number from 0.
    """
    structure: Any = network._outputs_struct
    keys = sorted(structure) if isinstance(structure, Mapping) else []  # as Keras flattens them
    names = []
    for number, output in enumerate(network.outputs):
        given = [str(keys[number])] if len(keys) == len(network.outputs) else []
        layer, inner = output._keras_history.operation.name, origin(Place(output)).operation.name
        names.append(tuple(dict.fromkeys([*given, layer, inner, str(number)])))
    return names
