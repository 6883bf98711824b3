"""Which engine trains: JAX's own where Keras runs on JAX, Keras's where it runs on anything else."""

from __future__ import annotations

import keras

from trainer.training.steps.contract import Steps
from trainer.training.steps.counting_model import CountingModel


def steps_of(model: CountingModel) -> Steps:
    """The engine for this process."""
    if keras.config.backend() == "jax":
        from trainer.training.steps.jax_steps import JaxSteps

        return JaxSteps(model)
    from trainer.training.steps.keras_steps import KerasSteps

    return KerasSteps(model)
