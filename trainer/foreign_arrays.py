"""Arrays out of an `.npz` file that somebody else may have written: nothing is unpickled, and no size is believed.

A small file can ask for any amount of memory: by what it unpacks to, and by the shape that an array claims. So the
sizes in the archive's list and in each array's head are looked at, and compared, before anything is unpacked; Python's
zipfile never gives more bytes than the list says.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Collection, Sequence
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MOST_BYTES = 2**34  # 16 GiB: more than any network's weights with their optimizer's state
MOST_ARRAYS = 2**17
SUFFIX = ".npy"
# What reading any file may raise; NumPy parses the head of an array as Python's literals.
UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, OverflowError, MemoryError, RecursionError),
    *(IndexError, RuntimeError, SyntaxError, TokenError, struct.error, zlib.error, zipfile.BadZipFile),
)


def load_arrays(
    file: IO[bytes], most_bytes: int = MOST_BYTES, names: Collection[str] | None = None
) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file by their names; with `names`, only these, which must all be there.

    Raises `ValueError` for a file that would take more than `most_bytes` of memory, for an array that is not as large
    as it says, and for objects; another of `UNREADABLE` for what is no such file.
    """
    with zipfile.ZipFile(file) as archive:
        listed = {entry.filename.removesuffix(SUFFIX): entry for entry in archive.infolist()}
        if len(listed) != len(archive.infolist()) or len(listed) > MOST_ARRAYS:
            raise ValueError(f"it lists {len(archive.infolist()):,} arrays, or one twice")
        wanted = {name: listed[name] for name in (listed if names is None else names)}
        size = sum(entry.file_size for entry in wanted.values())
        if size > most_bytes:
            raise ValueError(f"it would take {size:,} bytes of memory, and at most {most_bytes:,} are read")
        return {name: _array(archive, entry) for name, entry in wanted.items()}


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as stream:
        shape, dtype = _head(stream)
        claimed = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or claimed != entry.file_size - stream.tell():
            raise ValueError(f"the array {entry.filename!r} is not as large as it says, or holds objects")
    with archive.open(entry) as stream:
        array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return array


def _head(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"arrays of version {version} are not read")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def unpacked_bits(bits: NDArray[Any], shape: Sequence[int]) -> NDArray[np.uint8]:
    """The inverse of `np.packbits`: an array of 0 and 1 in a shape. Raises `ValueError` where the bits are too few or
    too many for it: NumPy would make up what is missing.
    """
    sides = [int(side) for side in shape]
    count = math.prod(sides)
    if bits.dtype != np.uint8 or bits.ndim != 1 or min(sides, default=0) < 0 or bits.size != math.ceil(count / 8):
        raise ValueError(f"{bits.size:,} bytes hold no bits in the shape {sides}")
    return np.unpackbits(bits, count=count).reshape(sides)
