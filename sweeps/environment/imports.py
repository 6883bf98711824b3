"""Heavy imports without the collector of cycles, which would go through what they leave again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Collect nothing meanwhile, and from then on leave alone what is there.

    TensorFlow, Keras and MLflow leave a million objects that live as long as the process. Going through them takes a
    fifth of their imports, and a tenth of a second or more at every full collection later.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
