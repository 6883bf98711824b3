"""Errors that the machine around thaw caused, in words: no traceback, for there is nothing to fix in the code."""

from __future__ import annotations

import errno
import os

from trainer.errors import UserError
from trainer.full_disk import full_disk

OF_THE_MACHINE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENAMETOOLONG,
)


NO_TEMPORARY = ("No usable temporary directory", "MPLCONFIGDIR")  # Python's words, and Matplotlib's


def user_error(error: BaseException) -> UserError | None:
    """The error as a message for the user; None where it is a bug.

    For the one place of a program where errors end: what meets them earlier knows better what was being done.
    """
    if isinstance(error, UserError):
        return error
    if (told := full_disk(error)) is not None:
        return told
    if _device_is_full(error):
        return UserError(
            f"A training must fit into the memory of its device, but: {str(error).splitlines()[0]} Let fewer workers "
            "share it (--per-gpu, --workers), or set a smaller train.batch, model.filters or model.size, then run the "
            "same command again: finished work is kept."
        )
    if isinstance(error, OSError) and any(words in str(error) for words in NO_TEMPORARY):
        return UserError(
            f"There must be a folder for temporary files, but {os.environ.get('TMPDIR', '/tmp')} cannot be written. "
            "Name one with the variable TMPDIR."
        )
    if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
        return UserError(
            f"{error.filename or 'A file'} cannot be used: {error.strerror}. Fix its permissions, or choose another "
            "place (--home, --out), then run the same command again: finished work is kept."
        )
    return None


def _device_is_full(error: BaseException) -> bool:
    """Whether this is TensorFlow's or JAX's word for it; neither is imported here."""
    if type(error).__name__ == "ResourceExhaustedError":
        return True
    return isinstance(error, RuntimeError) and str(error).startswith("RESOURCE_EXHAUSTED")
