"""Which libraries and which kind of machine a number came from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version


def versions() -> dict[str, str]:
    """The libraries and the machine kind that numbers depend on, known without importing any of them.

    `kernels`: TensorFlow's switch of oneDNN, whose sums are rounded in another order.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    used = {"backend": backend, "python": platform.python_version(), "machine": platform.machine()}
    if backend == "tensorflow":
        used["kernels"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default")
    for package in ("keras", backend, "numpy", "scipy"):
        try:
            used[package] = version(package)
        except PackageNotFoundError:
            used[package] = "unknown"
    return used
