"""What a trial's networks score on external test sets, as tags of its run and, for many images, as an artifact.

The tags `thaw.external.0`, ... are one JSON text in pieces: for each test set its named axes and an array of pixel
counts, compressed. Where they would be too many, the artifact `external.json` is the record.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.store.tag_text import cut, joined, pack, unpack
from trainer.results import FoldResult

TAG = "thaw.external."
FILE = "external.json"
MOST = 64  # tags
COUNTS = ["tp", "fp", "fn", "tn"]
TYPE = "<u4"

External = Mapping[str, NDArray[np.int64]]  # test set -> (networks, 4, images)


def external_of(results: Sequence[FoldResult]) -> External:
    """The counts of each fold's network on each image of each test set; empty without test sets."""
    names = results[0].external if results else {}
    return {
        name: np.array(
            [[[getattr(score, count) for score in result.external[name]] for count in COUNTS] for result in results],
            np.int64,
        )
        for name in names
    }


def external_text(external: External) -> str:
    """The JSON text; empty without test sets."""
    if not external:
        return ""
    tables = {
        name: {
            "axes": [["network", len(counts)], ["count", COUNTS], ["image", counts.shape[2]]],
            "type": TYPE,
            "data": pack(counts.astype(TYPE).tobytes()),
        }
        for name, counts in external.items()
    }
    return json.dumps(tables, separators=(",", ":"))


def external_to_tags(external: External) -> dict[str, str]:
    """The tags that hold the counts; none where there are none, or too many."""
    text = external_text(external)
    return (cut(TAG, text, MOST) or {}) if text else {}


def external_from_tags(tags: Mapping[str, str]) -> External | None:
    """The counts in a run's tags; None where there are none, or they are damaged."""
    if f"{TAG}0" not in tags:
        return None
    try:
        return external_from_text(joined(TAG, tags))
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None


def external_from_text(text: str) -> External:
    """The inverse of `external_text`. Raises `ValueError`, `KeyError`, `TypeError` or `zlib.error` for another text."""
    return {str(name): _counts(table) for name, table in json.loads(text).items()}


def _counts(table: Mapping[str, Any]) -> NDArray[np.int64]:
    (first, networks), (second, counts), (third, images) = table["axes"]
    if [first, second, third] != ["network", "count", "image"] or counts != COUNTS or table["type"] != TYPE:
        raise ValueError("the axes of an external test set are network, count and image")
    return np.frombuffer(unpack(table["data"]), TYPE).reshape(networks, len(COUNTS), images).astype(np.int64)
