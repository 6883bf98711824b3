"""How long to wait for a server that is away: one number for all that waits, in the environment of all processes."""

from __future__ import annotations

import math
import os

from trainer.errors import UserError

VARIABLE = "THAW_PATIENCE"
SECONDS = 3600.0


def patience() -> float:
    """Seconds to wait: `THAW_PATIENCE`, or an hour. Raises `UserError` for what is no number of seconds."""
    text = os.environ.get(VARIABLE) or repr(SECONDS)
    try:
        return _checked(float(text))
    except ValueError:
        raise UserError(f"{VARIABLE} must be a number of seconds from 0 on, but it is {text!r}.") from None


def resolve_patience(option: float | None) -> None:
    """Put the seconds of `--patience` into the environment; None leaves what is there."""
    if option is not None:
        try:
            os.environ[VARIABLE] = repr(_checked(option))
        except ValueError:
            raise UserError(f"--patience must be a number of seconds from 0 on, but got {option}.") from None


def _checked(seconds: float) -> float:
    if not 0 <= seconds < math.inf:
        raise ValueError(seconds)
    return seconds
