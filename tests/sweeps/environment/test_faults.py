"""What the machine refuses is told; bugs stay bugs."""

from __future__ import annotations

import pytest

from sweeps.environment.faults import user_error
from trainer.errors import UserError

MATPLOTLIB = OSError("Matplotlib requires access to a writable cache directory; set the MPLCONFIGDIR variable")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("as it is"), "as it is"),
        (PermissionError(13, "Permission denied", "/srv/lock"), "/srv/lock cannot be used: Permission denied. Fix"),
        (OSError(30, "Read-only file system", "/srv/x"), "/srv/x cannot be used: Read-only file system"),
        (OSError(28, "No space left on device", "/srv/x"), "Cannot write /srv/x: No space left on device"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "with the variable TMPDIR"),
        (
            RuntimeError("RESOURCE_EXHAUSTED: Out of memory\nand more"),
            "its device, but: RESOURCE_EXHAUSTED: Out of memory Let",
        ),
        (
            type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"),
            "OOM when allocating Let fewer workers",
        ),
        (MATPLOTLIB, "with the variable TMPDIR"),
    ],
)
def test_the_machine(error: Exception, words: str) -> None:
    assert words in str(user_error(error))


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(2, "No such file", "x"), RuntimeError("x")])
def test_bugs(error: Exception) -> None:
    assert user_error(error) is None
