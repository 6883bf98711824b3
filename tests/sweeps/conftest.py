"""Commands and homes for tests of whole sweeps."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sweeps.whole import SPEC

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(thaw_here: Run) -> Run:
    """Runs the sweep `s` in a home, by one worker unless told otherwise."""
    return lambda home, *more: thaw_here(*SPEC, "--home", home, *more)


@pytest.fixture
def fresh(smoke_home: Path, tmp_path: Path) -> Path:
    """A home with nothing in it but the pre-trained weights of another: what does not ask about pre-training."""
    shutil.copytree(smoke_home / "weights", tmp_path / "weights")
    return tmp_path
