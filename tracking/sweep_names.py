"""What a sweep may be called: its name becomes a folder and an MLflow experiment, and comes back out of the record."""

from __future__ import annotations

LONGEST = 100  # bytes
RESERVED = ("thaw-pretraining", "Default")
HELD_OUT_OF = "thaw.held_out_of"  # the tag of the sweep of an outer part: the name of the whole
HELD_OUT = "held-out"  # the test set of the sweep of an outer part: what that part holds out


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


def outer_name(sweep: str, part: int, parts: int) -> str:
    """The name of the sweep without `part`, from 1, of the outer `parts` of the sweep called `sweep`.

    >>> outer_name("breast", 1, 3)
    'breast-outer-1-of-3'
    """
    return f"{sweep}-outer-{part}-of-{parts}"
