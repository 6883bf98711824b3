"""NVIDIA's GPUs of this machine: which are visible, whether the backend can use them, and what to install where not.

No backend is imported for that: its packages say whether it has CUDA.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

VISIBLE = "CUDA_VISIBLE_DEVICES"
NO_GPU = ("", "-1", "NoDevFiles")  # in that variable; the last is SLURM's
LISTED = re.compile(r"^GPU \d+: (.+?)(?: \(UUID: (\S+)\))?$", re.MULTILINE)  # a line of `nvidia-smi -L`
JAX_PLUGINS = ("jax_cuda12_plugin", "jax_cuda13_plugin")
TENSORFLOW_LIBRARY = "nvidia-cudnn-cu12"
NAMES = {"tensorflow": "TensorFlow", "jax": "JAX"}


def visible_gpus() -> list[str]:
    """The names, for CUDA_VISIBLE_DEVICES, of the GPUs that this process may use."""
    chosen = os.environ.get(VISIBLE)
    if chosen is not None:
        return [name for name in map(str.strip, chosen.split(",")) if name not in NO_GPU]
    return [str(number) for number in range(len(_listed()))]


def usable_gpus(backend: str) -> list[str]:
    """Those of `visible_gpus` that a backend can use by its packages; of CUDA that was installed otherwise (a module of
    a cluster) nothing is known, so there it says none.
    """
    gpus = visible_gpus()
    return gpus if gpus and _has_cuda(backend) else []


def unused_gpus(backend: str, *, sees_one: bool) -> str:
    """What to say where training runs on the CPU although there is a GPU; empty where it does not, or there is none.

    `sees_one`: whether the backend, once imported, has an accelerator.
    """
    models = [] if sees_one else _visible_models()
    if not models:
        return ""
    count, them = ("a GPU", "it") if len(models) == 1 else (f"{len(models)} GPUs", "them")
    return (
        f"This machine has {count} ({', '.join(dict.fromkeys(models))}), but {NAMES.get(backend, backend)} here sees "
        f"none, so training runs on the CPU. To use {them}: {_what_to_do(backend)}."
    )


def _what_to_do(backend: str) -> str:
    if backend == "jax":
        if _has_cuda(backend):
            return "look at NVIDIA's driver, which must be 525 or later, for JAX's packages for CUDA are installed"
        return "make setup EXTRAS=jax-cuda"
    install = "" if _has_cuda("jax") else "make setup EXTRAS=jax-cuda, then "
    return f"{install}KERAS_BACKEND=jax thaw run ...; or make setup EXTRAS=tensorflow-cuda"


def _has_cuda(backend: str) -> bool:
    if backend == "jax":
        return any(importlib.util.find_spec(plugin) for plugin in JAX_PLUGINS)
    try:
        distribution(TENSORFLOW_LIBRARY)
    except PackageNotFoundError:
        return False
    return True


def _visible_models() -> list[str]:
    """The models of the GPUs that are visible, as far as nvidia-smi knows them."""
    listed = _listed()
    visible = visible_gpus() if listed else []
    return [
        model
        for number, (model, identity) in enumerate(listed)
        if any(name == str(number) or (not name.isdigit() and identity.startswith(name)) for name in visible)
    ]


def _listed() -> list[tuple[str, str]]:
    """Model and identity of every GPU of this machine, in NVIDIA's order."""
    program = shutil.which("nvidia-smi")
    return [] if program is None else _ask(program)


@cache
def _ask(program: str) -> list[tuple[str, str]]:
    """What `nvidia-smi -L` lists; asked once, for it may take a second."""
    try:
        shown = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    except OSError:
        return []
    return LISTED.findall(shown.stdout)
