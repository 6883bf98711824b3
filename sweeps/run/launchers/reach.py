"""What workers on other machines need of this one: places that they can reach, and the variables that lead there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sweeps.environment.home import Home
from trainer.errors import UserError

# What leads to the study's database and to MLflow, with their passwords, tokens and certificates, and what decides how
# thaw and Keras work. Everything else is the machine's own.
PREFIXES = ("THAW_", "MLFLOW_", "PG")
NAMES = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def worker_environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that a worker on another machine needs. They hold secrets: they are passed on, never shown."""
    return {name: value for name, value in variables.items() if name.startswith(PREFIXES) or name in NAMES}


def worker_command(sweep: str, home: Path) -> list[str]:
    """What Python runs, on any machine, as one worker of a sweep."""
    return ["-m", "sweeps.cli", "worker", "--home", str(home), "--", sweep]


def check_shared(home: Home, launcher: str) -> None:
    """Raise `UserError` where workers on other machines would find neither work nor record."""
    if home.many_machines:
        return
    raise UserError(
        f"--launcher {launcher} starts workers on other machines, which need a PostgreSQL database for the study and "
        f"an MLflow server for the record, but {_what_is_here(home)}. Give --storage postgresql+psycopg://... (or "
        "THAW_STORAGE) and MLFLOW_TRACKING_URI=http://...; docs/many-machines.md shows how to start both. On this "
        "machine alone, --launcher local needs neither."
    )


def _what_is_here(home: Home) -> str:
    kept = []
    if home.shared_storage is None:
        kept.append("the study")
    if not home.tracking_uri.startswith(("http://", "https://")):
        kept.append("the record")
    return f"{' and '.join(kept)} of this sweep {'is' if len(kept) == 1 else 'are'} a file of this machine"
