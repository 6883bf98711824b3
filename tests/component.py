"""What a test needs of the machine: where it is missing the test is skipped, and fails in CI, which installs it."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("THAW_CI"))  # set by .ci/run, which installs what it can


def missing(message: str) -> NoReturn:
    """End the test that needs what `message` says is missing."""
    (pytest.fail if IN_CI else pytest.skip)(message)
