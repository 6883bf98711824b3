"""Which engine trains: JAX's own where Keras runs on JAX, Keras's where it runs on anything else."""

from __future__ import annotations

import keras

from trainer.training.steps.contract import Steps
from trainer.training.steps.counting_model import CountingModel
from trainer.training.steps.max_pooling import without_scatters


def steps_of(network: keras.Model) -> tuple[CountingModel, Steps]:
    """The network in the form that is trained here, with the same variables, and the engine that trains it."""
    if keras.config.backend() == "jax":
        from trainer.training.steps.jax_steps import JaxSteps

        network = without_scatters(network)
        model = CountingModel(network.inputs, network.outputs)
        return model, JaxSteps(model)
    from trainer.training.steps.keras_steps import KerasSteps

    model = CountingModel(network.inputs, network.outputs)
    return model, KerasSteps(model)
