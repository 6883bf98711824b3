"""What a test needs of the machine: where it is missing the test is skipped, and fails in CI, which installs it."""

from __future__ import annotations

import importlib.util
import os
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("THAW_CI"))  # set by .ci/run, which installs what it can


def missing(message: str) -> NoReturn:
    """End the test that needs what `message` says is missing."""
    (pytest.fail if IN_CI else pytest.skip)(message)


def needs_extra(extra: str, *packages: str) -> pytest.MarkDecorator:
    """A mark for tests that need the packages of an extra."""
    absent = any(importlib.util.find_spec(name) is None for name in packages)
    return pytest.mark.skipif(absent and not IN_CI, reason=f"needs the extra: make setup EXTRAS={extra}")


needs_driver = needs_extra("postgresql", "psycopg")


def needs_package(name: str) -> None:
    """End the test where an extra's package is missing."""
    if importlib.util.find_spec(name) is None:
        missing(f"{name} is not installed; run: make setup EXTRAS={name}")
