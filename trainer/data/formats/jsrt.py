"""JSRT's raw chest X-rays (.IMG): 2048x2048 values of 16 bits, high byte first, 12 of them used, no header, inverted.

Shiraishi et al., American Journal of Roentgenology 174:71, 2000.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError

SUFFIX = ".img"
SIDE = 2048
BYTES = 2 * SIDE * SIDE
TOP = 4095


def read_raw(path: Path) -> NDArray[np.float32]:
    """Grey float32 (2048, 2048) in [0, 1], air dark and bone bright, as a radiograph is looked at.

    Raises `UserError` for a file of another length and for values beyond 12 bits, `OSError` if it cannot be read.
    """
    check_length(path)
    values = np.fromfile(path, dtype=">u2").reshape(SIDE, SIDE)
    largest = int(values.max())
    if largest > TOP:
        swapped = int(values.byteswap().max()) <= TOP
        hint = "Its bytes are in the other order (low byte first): swap them" if swapped else "Download it again"
        raise UserError(
            f"A .IMG file holds 12-bit values (0 to {TOP}) in 16 bits, high byte first, but {path} holds {largest}. "
            f"{hint}, or save it as a 16-bit PNG."
        )
    return (1 - values / TOP).astype(np.float32)


def check_length(path: Path) -> None:
    """Raise `UserError` unless the file is exactly as long as 2048x2048 values, for it has no header to check."""
    length = path.stat().st_size
    if length == BYTES:
        return
    fault = "is truncated" if length < BYTES else "is of another size"
    raise UserError(
        f"A .IMG file is {SIDE}x{SIDE} values of 2 bytes ({BYTES:,} bytes, as JSRT publishes it), but {path} {fault}: "
        f"{length:,} bytes. Copy or download it again; images of another size can be saved as 16-bit PNG."
    )
