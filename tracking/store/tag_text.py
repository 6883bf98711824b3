"""Arrays with named axes as texts in the tags of a run: compressed, cut into pieces, and checked when they are read."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

from trainer.errors import UserError

MOST_BYTES = 2**26  # 64 MiB: four million images
PIECE = 5000  # characters: the limit of a tag in older MLflow servers, today's is 8,000
# The axes that every array of images has besides `image`, with the values that they have today.
IMAGE_AXES: Mapping[str, list[Any]] = {"class": ["foreground"], "test_set": ["out-of-fold"], "repeat": [1]}


def cut(tag: str, text: str, most: int) -> dict[str, str] | None:
    """The text as the tags `tag`0, `tag`1, ...; None where these would be more than `most`."""
    pieces = [text[first : first + PIECE] for first in range(0, len(text), PIECE)]
    return {f"{tag}{number}": piece for number, piece in enumerate(pieces)} if len(pieces) <= most else None


def joined(tag: str, tags: Mapping[str, str]) -> str:
    """The inverse of `cut`. Raises `KeyError` where a piece is missing."""
    count = sum(key.startswith(tag) for key in tags)
    return "".join(tags[f"{tag}{number}"] for number in range(count))


def check_axes(axes: Mapping[str, Any], known: Mapping[str, list[Any]], run_id: str) -> None:
    """Raise `UserError` for an axis, or values of one, that this version does not know."""
    for name, values in axes.items():
        if name != "image" and name not in known:
            raise UserError(
                f"The scores of a trial have the axes {', '.join(known)} and image, but those of run {run_id} have an "
                f"axis {name!r}, which this version of thaw does not know. Read the sweep with the version that wrote "
                "it, or a later one."
            )
        if name != "image" and values != known[name]:
            raise UserError(
                f"This version of thaw reads scores whose axis {name!r} holds {known[name]}, but in run {run_id} it "
                f"holds {values}. Read the sweep with the version that wrote it, or a later one."
            )


def pack(content: bytes) -> str:
    """Bytes as text: compressed with zlib, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def unpack(text: str) -> bytes:
    """The inverse of `pack`. Raises `ValueError` or `zlib.error` for a damaged text, and for one that unpacks to more
    than any trial's scores take.
    """
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
    if not unpacker.eof:
        raise ValueError(f"it is cut off, or unpacks to more than {MOST_BYTES:,} bytes")
    return content
