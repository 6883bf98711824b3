"""Versions stand in keys: known without the libraries, other for other kernels."""

from __future__ import annotations

import pytest

from trainer.training.versions import versions


def test_versions_are_known_without_the_libraries() -> None:
    assert versions()["backend"] == "tensorflow" and versions()["keras"].startswith("3.")


def test_other_kernels_are_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = set()
    for switch in "01":
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", switch)
        kernels.add(versions()["kernels"])
    assert kernels == {"0", "1"}


def test_another_backend_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "nowhere")
    assert versions()["backend"] == "nowhere" and versions()["nowhere"] == "unknown" and "kernels" not in versions()
