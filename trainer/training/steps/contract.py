"""What an engine of training steps gives: it computes, and knows nothing of masks, folds, budgets and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Loss = Callable[[Any, Any], Any]


class Epoch(Protocol):
    """The steps of one epoch, or of what is left of it."""

    def step(self) -> None:
        """Train the next step. It may still be at work when this returns."""

    def losses(self) -> list[float]:
        """The training loss of each step so far, once all of them are done."""


class Steps(Protocol):
    """The steps of one network. Its weights lie in the network's variables after `settle`, and whenever nothing runs.

    Images are (n, H, W) or (n, H, W, channels) float32 in [0, 1], masks (n, H, W) uint8.
    """

    @property
    def traces(self) -> int:
        """How often the training step was traced since the last `compile`."""

    def compile(self, optimizer: Any, loss: Loss) -> None:
        """Make the step anew, for the flags that the network's layers have now."""

    def beside(self) -> Steps:
        """Steps of the same network, compiled apart from these. One of both may have steps that run."""

    def epoch(self, images: NDArray[np.float32], masks: NDArray[np.uint8], order: NDArray[np.int64]) -> Epoch:
        """Ready for the steps of `order` (steps, batch), whose rows are the images of a batch.

        Arrays that were given last time, too, are not sent to the device again.
        """

    def settle(self) -> None:
        """Wait for what runs, and put weights and optimizer back into the network's variables."""

    def device_memory(self) -> int:
        """The most bytes of an accelerator's memory that were in use so far; 0 where nothing says so."""

    def predict(self, images: NDArray[np.float32], between: Callable[[], None]) -> NDArray[np.float32]:
        """Foreground probability (n, H, W); `between()` is called before each batch."""
