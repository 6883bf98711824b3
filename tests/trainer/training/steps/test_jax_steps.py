"""JAX against TensorFlow: one step alike, one compilation for a mask, no copies; and the contract of training holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.component import needs_package

ROOT = Path(__file__).parents[4]
CLOSE = 1e-4
# Of `test_fit.py`: what any engine must keep.
CONTRACT = (
    "budgets_on_the_way or not_touched or one_trace or moves_and_all or dead_block or not_finite or scores_are_of "
    "or low_rank or head_trains_first or first_phase"
)


def run(backend: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    needs_package("jax")
    found = {}
    for backend in ("tensorflow", "jax"):
        path = tmp_path_factory.mktemp(backend) / "step.npz"
        done = run(backend, "-m", "tests.trainer.training.steps.one_backend", str(path))
        assert done.returncode == 0, done.stderr
        with np.load(path) as file:
            found[backend] = dict(file)
    return found


def test_loss_gradients_and_answers_agree(both: Mapping[str, Mapping[str, Any]]) -> None:
    ours, theirs = both["jax"], both["tensorflow"]
    gradients = [name for name in ours if name.startswith("gradient")]
    assert len(gradients) == 38 and sum(bool(ours[name].any()) for name in gradients) == 20  # blocks 1-5
    for name in ("loss", "answers", *gradients):
        np.testing.assert_allclose(ours[name], theirs[name], atol=CLOSE * max(1e-3, np.abs(theirs[name]).max()))


def test_the_step_is_traced_once_for_folds_of_any_size(both: Mapping[str, Mapping[str, Any]]) -> None:
    assert both["jax"]["traces"] == both["tensorflow"]["traces"] == 1


@pytest.mark.slow
def test_training_on_jax_keeps_the_contract() -> None:
    needs_package("jax")
    options = ["-q", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib", "-m", "not slow", "-k", CONTRACT]
    done = run("jax", "-m", "pytest", *options, "tests/trainer/training/test_fit.py")
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]
