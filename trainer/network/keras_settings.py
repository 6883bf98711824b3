"""What Keras must be set to: process-wide settings that change numbers or shapes without any call of thaw's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import keras

from trainer.errors import UserError

EPSILON = 1e-7


def check_settings() -> None:
    """Raise `UserError` where Keras is set to another float type, layout or backend than thaw's numbers hold for.

    The command line sets Keras before importing it; a notebook, or a program that imported Keras first, may not have.
    """
    if wrong := list(_wrong_settings()):
        raise UserError(
            f"thaw needs Keras as it is by default, but in this process {', '.join(wrong)}. A keras.json that Keras "
            "read when it was imported, a variable KERAS_... or a call of keras.config did that: remove it, and start "
            "again."
        )


def look_for_others() -> None:
    """Let Keras find out, once, which other backend it might need: it does so when it first writes a layer's policy."""
    keras.dtype_policies.serialize(keras.DTypePolicy("float32"))


def _wrong_settings() -> Iterator[str]:
    config = keras.config
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if config.backend() != backend:
        yield f"the backend is {config.backend()} (must be {backend}, or KERAS_BACKEND={config.backend()} be set)"
    if config.floatx() != "float32":
        yield f"floatx is {config.floatx()} (must be float32)"
    if config.dtype_policy().name not in ("float32", config.floatx()):
        yield f"the dtype policy is {config.dtype_policy().name} (must be float32)"
    if config.image_data_format() != "channels_last":
        yield f"image_data_format is {config.image_data_format()} (must be channels_last)"
    if config.epsilon() != EPSILON:
        yield f"epsilon is {config.epsilon():g} (must be {EPSILON:g})"
    if config.max_epochs() is not None:
        yield f"training stops after {config.max_epochs()} epochs (max_epochs must not be set)"
    if config.max_steps_per_epoch() is not None:
        yield f"an epoch stops after {config.max_steps_per_epoch()} steps (max_steps_per_epoch must not be set)"
