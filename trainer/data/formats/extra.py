"""The libraries of the extra `medical`, loaded when a file needs them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from trainer.errors import UserError


def load_library(name: str, path: Path, kind: str) -> Any:
    """The library that reads files of a kind. Raises `UserError` that says how to install it, where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"{path} is a {kind} file, and reading it needs {name}, which is not installed. Install it with "
            "thaw's Makefile: make setup EXTRAS=medical"
        ) from error
