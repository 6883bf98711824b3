"""Make Keras's backend ready, through the environment and before it is imported: no call of ours names a backend."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
XLA = "--xla_gpu_deterministic_ops=true"


def prepare_backend(*, deterministic: bool = True) -> None:
    """One thread, determinism on request, and Keras imported without its backend's chatter.

    Two single-threaded processes train small networks 1.6 times as fast as one with two threads (docs/facts.md, Keras
    7), and one thread gives the same bits whatever the number of cores. TensorFlow leaves oneDNN's kernels off on
    processors without AVX-512; there they train nearly twice as fast (`tests/benchmarks/kernels.py`), and with one
    setting everywhere a sweep does not depend on which machine of a cluster it ran.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if deterministic:
        os.environ["TF_DETERMINISTIC_OPS"] = "1"
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = flags if XLA in flags else f"{flags} {XLA}".strip()
    # Neurons are drawn block by block, each with a small traced function of its own; after some of them TensorFlow
    # warns of "retracing", a mistake in a loop, but none here. A logger can be set before its library is imported.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with _silent_stderr():
        import trainer.network.unet  # noqa: F401


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """TensorFlow 2.21 writes two lines straight to file descriptor 2 before its own log level applies."""
    stderr_copy = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    try:
        yield
    finally:
        os.dup2(stderr_copy, 2)
        os.close(stderr_copy)
        os.close(silence)
