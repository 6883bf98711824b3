"""Standard output and error take any text and outlive their readers: a sweep of hours never ends over its last line."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import IO

# What thaw prints beyond ASCII, for terminals and logs that cannot show it.
SHOWN_AS = {
    "−": "-",
    "±": "+-",
    "·": ".",
    "–": "-",
    "—": "-",
    "…": "...",
    "×": "x",
    "²": "^2",
    "√": "sqrt ",
    "≤": "<=",
    "≥": ">=",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "→": "->",
    "←": "<-",
    "─": "-",
    "│": "|",
    "├": "|",
    "└": "`",
    "━": "-",
}
REPLACING = "thaw.replace"  # the name of the error handler


def replace_unshowable(error: UnicodeError) -> tuple[str, int]:
    """What stands for the characters that an encoding does not have; a question mark for any that has no likeness.

    >>> codecs.register_error(REPLACING, replace_unshowable)
    >>> "0.71 ± 0.02, 3 × 4 … Ö 心".encode("ascii", REPLACING)
    b'0.71 +- 0.02, 3 x 4 ... ? ?'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(SHOWN_AS.get(character, "?") for character in characters), error.end


def prepare_streams() -> None:
    """Make this process's standard streams safe; for the beginning of a command, before any file is opened.

    A stream that was closed by whoever started thaw is opened to nowhere: otherwise the next file, a database perhaps,
    would get its number, and what is meant for the screen would be written into it.
    """
    for number in (0, 1, 2):
        _open_if_closed(number)
    codecs.register_error(REPLACING, replace_unshowable)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACING)


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)


def write_data(text: str) -> None:
    """Print what another program reads, in UTF-8 whatever the terminal shows: JSON and CSV must stay exact."""
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    try:
        if buffer is None:  # replaced by something that only takes text
            sys.stdout.write(text)
        else:
            buffer.write(text.encode("utf-8", REPLACING))
        sys.stdout.flush()
    except BrokenPipeError:
        forget_reader(sys.stdout)


def forget_reader(stream: IO[str]) -> None:
    """Send a stream nowhere from now on: its reader is gone (`thaw best | head -1`), the work is not."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
