"""What this process trains on: the CPU or an accelerator, and which kind of it. The backend is asked, never guessed.

A process that has not loaded its backend trains nothing; of it, the CPU is said.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from trainer.config import Precision
from trainer.errors import UserError
from trainer.training.cpu_kind import cpu_kind

CPU = "cpu"
THEN = ", then "  # between the processors of one training
FLOAT = "float32"  # the only float type of thaw's weights (`trainer.network.keras_settings`)
ROUNDED = f"{FLOAT} by TF32"  # products of factors rounded to 10 bits
# What JAX calls them; where it is told nothing it rounds.
PRODUCTS = {"float32": FLOAT, "highest": FLOAT, "tensorfloat32": ROUNDED, None: ROUNDED}
TF32_SWITCH = "NVIDIA_TF32_OVERRIDE"  # "0" switches TF32 off in NVIDIA's libraries


@dataclass(frozen=True)
class Device:
    """`kind`: `cpu`, or the family of an accelerator, whose members round alike, such as `gpu 9.0` (NVIDIA's compute
    capability). `processor`: its model, of a CPU with its instructions. `precision`: how exact products are.
    """

    kind: str
    processor: str
    precision: str = FLOAT


def device() -> Device:
    """The device of this process."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    library = sys.modules.get(backend)
    found = None if library is None else (_of_jax(library) if backend == "jax" else _of_tensorflow(library))
    return found or Device(CPU, cpu_kind())


def check_precision(precision: Precision) -> None:
    """Raise `UserError` for a precision that the device of this process has not."""
    if precision == "tf32" and not device().kind.startswith("gpu"):
        raise UserError(
            f"'train.precision' is 'tf32', which only NVIDIA's cards have, but training runs on {device().kind} here. "
            "Set float32 or bfloat16."
        )


def in_key() -> dict[str, str]:
    """What of the device stands in keys: nothing on a CPU, so that keys of before there were others hold."""
    here = device()
    return {} if here.kind == CPU else {"device": here.kind, "precision": here.precision}


def continued(before: str, here: str) -> str:
    """The processor of a training that was begun on `before` ("" where nothing is known) and went on `here`.

    >>> continued("", "B"), continued("A", "A"), continued("A", "B"), continued("A, then B", "B")
    ('B', 'A', 'A, then B', 'A, then B')
    """
    if not before or before.split(THEN)[-1] == here:
        return before or here
    return f"{before}{THEN}{here}"


def _of_tensorflow(library: Any) -> Device | None:
    accelerators = [one for one in library.config.get_visible_devices() if one.device_type != "CPU"]
    if not accelerators:
        return None
    first = accelerators[0]
    told = library.config.experimental.get_device_details(first) if first.device_type == "GPU" else {}
    name = str(told.get("device_name") or first.device_type)
    exact = os.environ.get(TF32_SWITCH) == "0" or not library.config.experimental.tensor_float_32_execution_enabled()
    return _accelerator(first.device_type, name, told.get("compute_capability"), FLOAT if exact else ROUNDED)


def _of_jax(library: Any) -> Device | None:
    first = library.devices()[0]
    if first.platform == CPU:
        return None
    products = library.config.jax_default_matmul_precision
    capability = getattr(first, "compute_capability", None)
    return _accelerator(
        first.platform, str(first.device_kind), capability, PRODUCTS.get(products, f"{FLOAT} by {products}")
    )


def _accelerator(kind: str, name: str, capability: object, precision: str) -> Device:
    """`capability`: NVIDIA's, as text or as two numbers; without one the model stands for the family."""
    family = ".".join(map(str, capability)) if isinstance(capability, tuple) else str(capability or name)
    return Device(f"{kind.lower()} {family}", name, precision)
