"""Make Keras's backend ready, through the environment and before it is imported: no call of ours names a backend."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sweeps.environment.imports import heavy_imports
from trainer.config import Precision
from trainer.errors import UserError

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
XLA = "--xla_gpu_deterministic_ops=true"
# A launcher and its workers share a GPU: none takes memory that it does not need yet.
FRUGAL = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
SETTINGS = Path(__file__).with_name("keras")  # a KERAS_HOME whose keras.json holds Keras's defaults
# However short it took and however small it is: what is compiled for a mask is kept.
COMPILED = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
BACKENDS = ("tensorflow", "jax")  # those that whole sweeps were tried with
# What Keras imports where it is there, for parts that thaw never calls: a third of the time that Keras takes, 150 MB.
UNUSED = ("matplotlib", "pandas", "sklearn")
OTHERS = {"tensorflow": (), "jax": ("tensorflow",)}  # what Keras would load beside its backend: seconds, 300 MB


def prepare_backend(
    *, deterministic: bool = True, precision: Precision = "float32", compiled: Path | None = None
) -> None:
    """One thread, determinism on request, and Keras imported without its backend's chatter.

    `precision` is that of products on an accelerator (`TrainConfig`). `compiled`: where JAX keeps compiled steps; other
    processes, and later ones, then compile no step again.

    Two single-threaded processes train small networks 1.6 times as fast as one with two threads (docs/facts.md, Keras
    7), and one thread gives the same bits whatever the number of cores. TensorFlow leaves oneDNN's kernels off on
    processors without AVX-512; there they train nearly twice as fast (`tests/benchmarks/kernels.py`), and with one
    setting everywhere a sweep does not depend on which machine of a cluster it ran.

    What another project left in the user's keras.json is not read; `KERAS_BACKEND` alone chooses the backend. Raises
    `UserError` for one that thaw was not tried with or that is not installed, and where Keras was imported before and
    is set to what thaw's numbers do not hold for.
    """
    _choose_backend()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name, value in FRUGAL.items():
        os.environ.setdefault(name, value)
    if deterministic:
        os.environ["TF_DETERMINISTIC_OPS"] = "1"
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = flags if XLA in flags else f"{flags} {XLA}".strip()
    os.environ.update(_products(precision))
    if compiled is not None:
        os.environ.update(COMPILED | {"JAX_COMPILATION_CACHE_DIR": str(compiled)})
    # Neurons are drawn block by block, each with a small traced function of its own; after some of them TensorFlow
    # warns of "retracing", a mistake in a loop, but none here. A logger can be set before its library is imported.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with heavy_imports(), _silent_stderr(), _own_settings(), _missing((*UNUSED, *OTHERS[chosen_backend()])):
        from trainer.network.keras_settings import check_settings, look_for_others

        look_for_others()
    check_settings()


def _products(precision: Precision) -> dict[str, str]:
    """How an accelerator multiplies float32: exactly unless it is asked for less."""
    if precision == "tf32":
        return {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32", "NVIDIA_TF32_OVERRIDE": "1"}
    return {"JAX_DEFAULT_MATMUL_PRECISION": "float32", "NVIDIA_TF32_OVERRIDE": "0"}


def chosen_backend() -> str:
    """The backend that Keras loads, or has loaded."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def _choose_backend() -> None:
    backend = chosen_backend()
    if backend not in BACKENDS:
        raise UserError(f"KERAS_BACKEND must be {' or '.join(BACKENDS)} for thaw, but it is {backend!r}. Unset it.")
    if importlib.util.find_spec(backend) is None:
        raise UserError(f"KERAS_BACKEND is {backend!r}, but that is not installed here. Install it, or unset it.")
    os.environ["KERAS_BACKEND"] = backend


@contextmanager
def _own_settings() -> Iterator[None]:
    """Let Keras, which reads keras.json once, when it is imported, find thaw's.

    A file of any content would decide float type, layout and backend, or end the import with a traceback.
    """
    before = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = str(SETTINGS)
    try:
        yield
    finally:
        if before is None:
            del os.environ["KERAS_HOME"]
        else:
            os.environ["KERAS_HOME"] = before


@contextmanager
def _missing(names: Sequence[str]) -> Iterator[None]:
    """Let what is imported meanwhile find none of these packages, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: what Python's import takes for missing
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


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
