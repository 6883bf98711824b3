"""The graph of a functional network, walked through nested models too."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it
from numpy.typing import NDArray


def nodes(model: keras.Model) -> list[Any]:
    """The nodes of a functional model from the inputs on. Keras has no public way to walk them in order."""
    by_depth = model._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def inner_graph(operation: Any) -> Functional | None:
    """The functional model that an operation is (nested model) or holds (`Sequential`); None for any other."""
    if isinstance(operation, keras.Sequential):
        return operation._functional
    return operation if isinstance(operation, Functional) else None


@dataclass(frozen=True, eq=False)
class Place:
    """A tensor in a network's graph, and the nodes of the nested models that it lies in, outermost first."""

    tensor: Any
    around: tuple[Any, ...] = ()

    @property
    def operation(self) -> Any:
        """What gives the tensor."""
        return self.tensor._keras_history.operation

    @property
    def node(self) -> Any:
        """The call of the operation that gives the tensor."""
        return self.operation._inbound_nodes[self.tensor._keras_history.node_index]

    @property
    def key(self) -> tuple[int, ...]:
        """Equal for the same tensor of the same call."""
        return (id(self.tensor), *map(id, self.around))


def origin(place: Place) -> Place:
    """The same values where a layer or function gives them: inside a nested model, or outside one that passes its input
    on. An input of the whole network stays what it is.
    """
    while True:
        inner = inner_graph(place.operation)
        if inner is not None:
            outputs = keras.tree.flatten(inner.outputs)
            place = Place(outputs[place.tensor._keras_history.tensor_index], (*place.around, place.node))
        elif isinstance(place.operation, layers.InputLayer) and place.around:
            *around, node = place.around
            inputs = [id(tensor) for tensor in inner_graph(node.operation).inputs]  # type: ignore[union-attr]
            place = Place(node.input_tensors[inputs.index(id(place.tensor))], tuple(around))
        else:
            return place


def sources(place: Place) -> tuple[Place, ...]:
    """Where the inputs of the operation at `place` come from."""
    return tuple(origin(Place(tensor, place.around)) for tensor in place.node.input_tensors)


def readers(network: keras.Model, place: Place) -> Iterator[Place]:
    """What reads the tensor at `place`, as the places of its outputs; inside nested models, and behind them."""
    scope = inner_graph(place.around[-1].operation) if place.around else network
    assert scope is not None
    for node in nodes(scope):
        for position, tensor in enumerate(node.input_tensors):
            if tensor is not place.tensor:
                continue
            inner = inner_graph(node.operation)
            if inner is None:
                yield from (Place(output, place.around) for output in node.outputs)
            else:
                yield from readers(network, Place(inner.inputs[position], (*place.around, node)))
    if place.around:
        *around, node = place.around
        for output, tensor in zip(node.outputs, scope.outputs, strict=True):
            if tensor is place.tensor:
                yield from readers(network, Place(output, tuple(around)))


def operands(place: Place) -> list[Any]:
    """What the operation at `place` is called with, in order: tensors of the graph, and numbers as float arrays.

    A constant is a number, an array, or a tensor of the backend, as a function holds one that was read from a file.
    """
    given = keras.tree.flatten((place.node.arguments.args, place.node.arguments.kwargs))
    return [_array(each) if _is_number(each) else each for each in given if _counts(each)]


def _counts(operand: Any) -> bool:
    return isinstance(operand, keras.KerasTensor) or _is_number(operand)


def _is_number(operand: Any) -> bool:
    if isinstance(operand, bool | keras.KerasTensor):
        return False
    return isinstance(operand, int | float | np.ndarray | np.generic) or bool(keras.ops.is_tensor(operand))


def _array(number: Any) -> NDArray[np.float64]:
    return np.asarray(keras.ops.convert_to_numpy(number), np.float64)


class Step(NamedTuple):
    """What an operation makes of which tensors; of an input of the network there are none."""

    operation: Any
    inputs: Sequence[Any]
    outputs: Sequence[Any]


def evaluated(model: keras.Model, inputs: Sequence[Any] | None = None) -> Generator[Step, None, list[Any]]:
    """Every operation with its symbolic inputs and outputs, as the network evaluates them, nested models step by step.

    `inputs`: what a nested model is called with, whose own inputs may leave their size open. Returns the outputs.
    """
    given = model.inputs if inputs is None else inputs
    tensors = dict(zip(map(id, model.inputs), given, strict=True))
    known = all(tensor.shape == own.shape for tensor, own in zip(given, model.inputs, strict=True))
    if inputs is None:
        yield from (Step(None, (), (tensor,)) for tensor in given)
    for node in nodes(model):
        if isinstance(node.operation, layers.InputLayer):
            continue
        before = [tensors[id(tensor)] for tensor in node.input_tensors]
        inner = inner_graph(node.operation)
        if inner is not None:
            outputs = yield from evaluated(inner, before)
        elif known:
            outputs = node.outputs
            yield Step(node.operation, before, outputs)
        else:
            args, kwargs = node.arguments.fill_in(tensors)
            outputs = keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs))
            yield Step(node.operation, before, outputs)
        tensors |= dict(zip(map(id, node.outputs), outputs, strict=True))
    return [tensors[id(tensor)] for tensor in model.outputs]
