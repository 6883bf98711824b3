"""Where the study is, when machines share it: the address of a database, which may hold a password.

`THAW_STORAGE` or `--storage` gives the address itself or a file that holds it. What stands in a command's arguments is
seen by everybody on the machine (`ps`), so an address with a secret moves into the environment before anything else
happens, and only the environment hands it on to workers.
"""

from __future__ import annotations

import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from tracking.redact import redact
from trainer.errors import UserError

VARIABLE = "THAW_STORAGE"
OPTION = "--storage"
HELP = (
    "Database in which several machines share the sweep: its address, or a file of mode 600 that holds it. "
    "Example: postgresql+psycopg://ann:secret@db.lab/thaw"
)
SCHEME = "postgresql+psycopg"
ALSO = ("postgresql", "postgres")  # what others write for the same
LONGEST = 4096  # bytes of an address in a file
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def resolve_storage(option: str | None) -> None:
    """Put the address of the shared storage into `THAW_STORAGE`; without option and variable nothing is shared.

    `option` is what `--storage` says, None without it; it goes before the variable. Raises `UserError` for an address
    of another kind, for a file that others may read, and where the database's driver is missing.
    """
    given = os.environ.get(VARIABLE) or None if option is None else option
    if given is not None:
        os.environ[VARIABLE] = checked_address(given)


def checked_address(given: str) -> str:
    """The address that `given` is, or that the file `given` holds, in the form that SQLAlchemy reads."""
    address = given.strip()
    if "://" not in address:
        address = _read_private(Path(address)) if address else ""
    scheme, _, rest = address.partition("://")
    if scheme not in (SCHEME, *ALSO) or not rest.strip("/"):
        raise UserError(
            f"{OPTION} (or {VARIABLE}) must be the address of a PostgreSQL database, such as "
            f"{SCHEME}://user:password@host/database, or a file that holds it, but got {_shown(given, address)!r}."
        )
    if rest.count("@") > 1:
        raise UserError(
            f"In an address a password must be written with %40 for @, but that of {OPTION} (or {VARIABLE}) has two @, "
            f"so it would lead to another host: {redact(address)}."
        )
    if find_spec("psycopg") is None:
        raise UserError(
            "A storage in PostgreSQL needs the extra `postgresql`, which is not installed. Install it in the folder "
            "that holds thaw's Makefile: make setup EXTRAS=postgresql"
        )
    return f"{SCHEME}://{rest}"


def _shown(given: str, address: str) -> str:
    """What an error may quote: never the content of a file."""
    return redact(given)[:200] if given.strip() == address else given[:200]


def _read_private(path: Path) -> str:
    """The one line of a file that nobody else may read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(LONGEST + 1).decode() if stat.S_ISREG(mode) else ""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        raise UserError(
            f"{OPTION} (or {VARIABLE}) is an address (with ://) or a file that holds one, but the file {path} cannot "
            f"be read: {reason}."
        ) from None  # what could not be decoded may be the secret
    if not stat.S_ISREG(mode) or len(text) > LONGEST or len(text.split()) != 1:
        raise UserError(f"The file {path} must hold one address and nothing else.")
    if mode & OF_OTHERS:
        raise UserError(
            f"The file {path} may hold a password, so only you may be able to read it, but its mode is "
            f"{stat.S_IMODE(mode):o}. Run: chmod 600 {path}"
        )
    return text.strip()


def hide_storage(arguments: list[str]) -> None:
    """Take an address with a secret out of a command's arguments, for the very beginning of the command.

    The process begins anew with the address in its environment, so that `ps` shows it for milliseconds only. Where
    thaw was called by another program in its own process, that program's arguments stay, and `arguments` are changed.
    """
    kept, address = without_storage(arguments[1:])
    if address is None or redact(address) == address:
        return
    os.environ[VARIABLE] = address
    started = sys.orig_argv
    if started[len(started) - len(arguments) + 1 :] == arguments[1:]:
        interpreter = started[1 : len(started) - len(arguments) + 1]
        os.execve(sys.executable, [sys.executable, *interpreter, *kept], os.environ)
    arguments[1:] = kept


def without_storage(words: list[str]) -> tuple[list[str], str | None]:
    """The words of a command without `--storage` and its value, and that value: the last, None where there is none.

    >>> without_storage(["worker", "--storage", "postgresql://h/d", "mine"])
    (['worker', 'mine'], 'postgresql://h/d')
    """
    kept: list[str] = []
    address: str | None = None
    rest = iter(words)
    for word in rest:
        if word == "--":
            kept += [word, *rest]
        elif word.startswith(f"{OPTION}="):
            address = word.removeprefix(f"{OPTION}=")
        elif word == OPTION and (value := next(rest, None)) is not None:
            address = value
        else:
            kept.append(word)
    return kept, address
