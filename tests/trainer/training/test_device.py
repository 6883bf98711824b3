"""Which device trains, as each backend tells it, and what of it stands in keys."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from trainer.candidate import Candidate
from trainer.config import ModelConfig, Settings
from trainer.training import device as module
from trainer.training.cpu_kind import cpu_kind
from trainer.training.device import CPU, Device, device, in_key
from trainer.training.training_key import training_key


def tensorflow(*kinds: str, tf32: bool = True, **details: Any) -> SimpleNamespace:
    config = SimpleNamespace(
        get_visible_devices=lambda: [SimpleNamespace(device_type=kind) for kind in ("CPU", *kinds)],
        experimental=SimpleNamespace(
            get_device_details=lambda one: details, tensor_float_32_execution_enabled=lambda: tf32
        ),
    )
    return SimpleNamespace(config=config)


def jax(platform: str, precision: str | None = None, **told: Any) -> SimpleNamespace:
    first = SimpleNamespace(platform=platform, **told)
    return SimpleNamespace(devices=lambda: [first], config=SimpleNamespace(jax_default_matmul_precision=precision))


H100 = "NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize(
    ("backend", "library", "wanted"),
    [
        ("tensorflow", tensorflow(), None),
        (
            "tensorflow",
            tensorflow("GPU", device_name=H100, compute_capability=(9, 0)),
            Device("gpu 9.0", H100, "float32 by TF32"),
        ),
        ("tensorflow", tensorflow("GPU", device_name="Metal", tf32=False), Device("gpu Metal", "Metal")),
        ("tensorflow", tensorflow("TPU", tf32=False), Device("tpu TPU", "TPU")),
        ("jax", jax("cpu"), None),
        ("jax", jax("gpu", "float32", device_kind=H100, compute_capability="9.0"), Device("gpu 9.0", H100)),
        ("jax", jax("gpu", device_kind=H100, compute_capability="9.0"), Device("gpu 9.0", H100, "float32 by TF32")),
        ("jax", jax("tpu", "bfloat16", device_kind="TPU v4"), Device("tpu TPU v4", "TPU v4", "float32 by bfloat16")),
    ],
)
def test_each_backend_tells_its_device(
    backend: str, library: Any, wanted: Device | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    monkeypatch.setitem(sys.modules, backend, library)
    assert device() == (wanted or Device(CPU, cpu_kind()))


def test_a_process_without_its_backend_is_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    assert device() == Device(CPU, cpu_kind()) and in_key() == {}


def test_keys_of_the_cpu_hold_and_other_devices_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def key(here: Device) -> str:
        monkeypatch.setattr(module, "device", lambda: here)
        return training_key(Settings(model=ModelConfig(32, 2)), Candidate("1-5", 2, 1e-3), 1, ["a"], "d", "w")

    monkeypatch.setattr("trainer.training.training_key.versions", lambda: {})
    keys = [key(Device(CPU, "A, AVX2")), key(Device("gpu 9.0", "X")), key(Device("gpu 8.0", "X"))]
    assert len({*keys, key(Device("gpu 9.0", "X", "float32 by TF32"))}) == 4
    assert keys[0] == key(Device(CPU, "B, AMX")) and keys[1] == key(Device("gpu 9.0", "Y"))
    monkeypatch.setattr("trainer.training.training_key.in_key", dict)  # as before there were devices
    assert keys[0] == key(Device("gpu 9.0", "X"))
