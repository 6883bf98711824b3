"""GPUs of this machine, by a program that stands for nvidia-smi: which are visible and usable, and what is said."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from sweeps.environment.gpus import unused_gpus, usable_gpus, visible_gpus

H100 = "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5a1f)"
A100 = "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-77c0)\n  MIG 1g.5gb Device 0: (UUID: MIG-9b)"
SAYS = "This machine has a GPU (NVIDIA H100 80GB HBM3), but {} here sees none, so training runs on the CPU. To use it: "


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that alone holds programs; CUDA_VISIBLE_DEVICES is not set, and nothing is installed for CUDA."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    install(monkeypatch)
    return tmp_path


def install(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these and no others be the modules and packages that are looked for."""

    def distribution(name: str) -> str:
        if name not in names:
            raise PackageNotFoundError(name)
        return name

    monkeypatch.setattr("importlib.util.find_spec", lambda name: ModuleSpec(name, None) if name in names else None)
    monkeypatch.setattr("sweeps.environment.gpus.distribution", distribution)


def nvidia_smi(folder: Path, *lines: str, code: int = 0) -> None:
    text = "\n".join(lines)
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
    (folder / "nvidia-smi").chmod(0o755)


@pytest.mark.parametrize(
    ("listed", "chosen", "visible"),
    [
        ([H100, A100], None, ["0", "1"]),
        ([H100], "0, GPU-7", ["0", "GPU-7"]),
        ([H100], "", []),
        ([H100], "-1", []),
        ([H100], "NoDevFiles", []),
        (["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."], None, []),
        ([], None, []),
        ([], "2,3", ["2", "3"]),
    ],
)
def test_visible(
    listed: list[str], chosen: str | None, visible: list[str], machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if listed:
        nvidia_smi(machine, *listed)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == visible


@pytest.mark.parametrize(
    ("backend", "installed", "usable"),
    [
        ("jax", (), []),
        ("jax", ("nvidia-cudnn-cu12",), []),
        ("jax", ("jax_cuda12_plugin",), ["0"]),
        ("jax", ("jax_cuda13_plugin",), ["0"]),
        ("tensorflow", ("jax_cuda13_plugin",), []),
        ("tensorflow", ("nvidia-cudnn-cu12",), ["0"]),
    ],
)
def test_usable(
    backend: str, installed: tuple[str, ...], usable: list[str], machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, *installed)
    assert usable_gpus(backend) == []
    nvidia_smi(machine, H100)
    assert usable_gpus(backend) == usable


@pytest.mark.parametrize(
    ("backend", "installed", "said"),
    [
        (
            "tensorflow",
            (),
            SAYS.format("TensorFlow") + "make setup EXTRAS=jax-cuda, then KERAS_BACKEND=jax thaw run ...; "
            "or make setup EXTRAS=tensorflow-cuda.",
        ),
        (
            "tensorflow",
            ("jax_cuda12_plugin",),
            SAYS.format("TensorFlow") + "KERAS_BACKEND=jax thaw run ...; or make setup EXTRAS=tensorflow-cuda.",
        ),
        ("jax", (), SAYS.format("JAX") + "make setup EXTRAS=jax-cuda."),
        (
            "jax",
            ("jax_cuda12_plugin",),
            SAYS.format("JAX") + "look at NVIDIA's driver, which must be 525 or later, for JAX's packages for CUDA "
            "are installed.",
        ),
    ],
)
def test_what_to_install_is_said(
    backend: str, installed: tuple[str, ...], said: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, *installed)
    nvidia_smi(machine, H100)
    assert unused_gpus(backend, sees_one=False) == said


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (None, "has 2 GPUs (NVIDIA H100 80GB HBM3, NVIDIA A100-SXM4-40GB)"),
        ("1", "has a GPU (NVIDIA A100-SXM4-40GB)"),
        ("GPU-5a", "has a GPU (NVIDIA H100 80GB HBM3)"),
    ],
)
def test_what_is_visible_is_named(
    chosen: str | None, words: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(machine, H100, A100)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert words in unused_gpus("jax", sees_one=False)


@pytest.mark.parametrize(
    ("listed", "chosen", "sees_one"),
    [([], None, False), ([], "0", False), ([H100], "", False), ([H100], None, True)],
    ids=["no nvidia-smi", "no nvidia-smi, but chosen", "none chosen", "seen"],
)
def test_there_is_nothing_to_say(
    listed: list[str], chosen: str | None, sees_one: bool, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if listed:
        nvidia_smi(machine, *listed)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert unused_gpus("tensorflow", sees_one=sees_one) == ""
