"""What a process writes to its standard error holds no secret: a worker's log, a warning, the traceback of a bug."""

from __future__ import annotations

import io
import sys
import threading
import traceback
from types import TracebackType

from tracking.redact import redact


class Redacted(io.TextIOWrapper):
    """A text stream that redacts what is written, piece by piece."""

    def write(self, text: str, /) -> int:
        """Write a text without its secrets; its length, as if it had been written whole."""
        super().write(redact(text))
        return len(text)


def redact_errors() -> None:
    """Redact this process's standard error from now on; for the beginning of a program, after `prepare_streams`.

    What a test or a notebook put in its place stays as it is.
    """
    stream = sys.stderr
    if type(stream) is io.TextIOWrapper:
        sys.stderr = Redacted(stream.buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=True)
        sys.excepthook = _print_whole
        threading.excepthook = _print_of_thread


def _print_whole(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As Python prints an error, but in one piece: what is secret may have line ends in it."""
    sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))
    sys.stderr.flush()


def _print_of_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        sys.stderr.write(f"Exception in thread {arguments.thread.name if arguments.thread else '?'}:\n")
        _print_whole(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
