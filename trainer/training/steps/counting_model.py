"""The network in the form that is trained: it counts its traces."""

from __future__ import annotations

from typing import Any

import keras


class CountingModel(keras.Model):  # type: ignore[misc]
    """A functional model that counts how often its training step is traced."""

    traces = 0

    def train_step(self, *state_and_data: Any) -> Any:
        """Runs in Python only while the step is being traced, on TensorFlow as on JAX."""
        self.traces += 1
        return super().train_step(*state_and_data)
