"""One network of the zoo: how it is built, how its author reads it, and what is right for thaw to do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

Right = Literal["taken", "refused", "either", "unsearchable"]
Feed = Literal["0-1", "0-255", "-1-1"]
Reading = Literal["probability", "logits", "softmax", "two logits"]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Entry:
    """A network and what is right.

    `right`: taken by every command with its author's numbers; refused by every one in the same words; either of the
    two; or unsearchable, which is refused by `thaw masks` and `thaw run` and may be of use to `thaw predict`. `feed`:
    the range that its author feeds. `reading`: what its output number `output` is. `options`: settings of `thaw run`
    that it needs; `custom`: the module of its own layers. `said`: what `thaw run` has to say where it takes it.
    """

    name: str
    build: Callable[[], keras.Model]
    right: Right = "taken"
    size: int = 32
    feed: Feed = "0-1"
    reading: Reading = "probability"
    output: int = 0
    suffix: str = ".keras"
    options: tuple[str, ...] = ()
    custom: str = ""
    said: str = ""

    @property
    def special(self) -> str:
        """What is special about it, and why `right` is right."""
        return " ".join((self.build.__doc__ or "").split())

    def probability(self, network: keras.Model, grey: Floats) -> Floats:
        """What its author reads: grey images (n, H, W) in [0, 1] -> foreground probability (n, H, W)."""
        inputs = getattr(network, "inputs", None)  # a subclass of keras.Model has none
        channels = inputs[0].shape[-1] if inputs else 1
        given = np.repeat(fed(grey, self.feed)[..., None], channels, axis=-1)
        outputs = keras.tree.flatten(network(given, training=False))
        return foreground(np.asarray(outputs[self.output], np.float32), self.reading)


def fed(grey: Floats, feed: Feed) -> Floats:
    """Grey values in [0, 1], in the range that a network wants.

    >>> [fed(np.array([0.0, 1.0]), feed).tolist() for feed in ("0-1", "0-255", "-1-1")]
    [[0.0, 1.0], [0.0, 255.0], [-1.0, 1.0]]
    """
    scale, offset = {"0-1": (1, 0), "0-255": (255, 0), "-1-1": (2, -1)}[feed]
    return np.asarray(scale * grey + offset, np.float32)


def foreground(output: Floats, reading: Reading) -> Floats:
    """Foreground probability (n, H, W) from an output (n, H, W, channels)."""
    if reading == "probability":
        return output[..., 0]
    if reading == "softmax":
        return output[..., 1]
    logits = output[..., 0] if reading == "logits" else output[..., 1] - output[..., 0]
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))


ENTRIES: dict[str, Entry] = {}
Builder = Callable[[], keras.Model]


def entry(right: Right = "taken", **facts: Any) -> Callable[[Builder], Builder]:
    """Put a builder into the zoo under its own name; its docstring says what is special and why `right` is right."""

    def put(build: Builder) -> Builder:
        ENTRIES[build.__name__] = Entry(build.__name__, build, right, **facts)
        return build

    return put
