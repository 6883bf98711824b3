"""What a sweep may be called: its name becomes a folder and an MLflow experiment, and comes back out of the record."""

from __future__ import annotations

LONGEST = 100  # bytes
RESERVED = ("thaw-pretraining", "Default")


def is_sweep_name(name: object) -> bool:
    """Whether a text can be a sweep's name: it leads out of no folder, and is no command to a terminal.

    >>> [is_sweep_name(name) for name in ("my sweep", "../up", "a/b", ".hidden", "", "line\\nbreak")]
    [True, False, False, False, False, False]
    """
    if not isinstance(name, str) or not name.strip() or name.startswith(".") or name in RESERVED:
        return False
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return length <= LONGEST and not any(letter in "/\\" or not letter.isprintable() for letter in name)
