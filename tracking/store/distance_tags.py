"""A trial's distances of every image as tags of its run, beside the pixel counts (`tracking.store.score_tags`).

The tags `thaw.distances.0`, ... are one JSON text in pieces: named axes and an array of floats, compressed. A trial
recorded before distances were has none; a version of thaw that does not know them reads the counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.image_scores import ImageScores
from tracking.store.tag_text import IMAGE_AXES, check_axes, cut, joined, pack, unpack
from trainer.results import DISTANCES

TAG = "thaw.distances."
MOST = 32  # tags, beside those of the counts
AXES: dict[str, list[Any]] = {"distance": list(DISTANCES), **IMAGE_AXES}
TYPE = "<f8"


def distances_to_tags(scores: ImageScores) -> dict[str, str] | None:
    """The tags that hold the distances, none where nothing was measured; None where they would be too many."""
    if scores.distances is None:
        return {}
    axes = [*AXES.items(), ("image", len(scores))]
    fields = {"axes": axes, "type": TYPE, "data": pack(scores.distances.astype(TYPE).tobytes())}
    return cut(TAG, json.dumps(fields, separators=(",", ":")), MOST)


def distances_from_tags(tags: Mapping[str, str], images: int, run_id: str) -> NDArray[np.float64] | None:
    """The distances (2, images) in a run's tags, None where there are none.

    Raises `UserError` for an axis that this version does not know; `ValueError`, `KeyError`, `TypeError` or
    `zlib.error` for tags that are damaged.
    """
    if f"{TAG}0" not in tags:
        return None
    fields = json.loads(joined(TAG, tags))
    names, sizes = zip(*fields["axes"], strict=True)
    check_axes(dict(fields["axes"]), AXES, run_id)
    if sorted(names) != sorted((*AXES, "image")) or dict(fields["axes"])["image"] != images or fields["type"] != TYPE:
        raise ValueError(f"distances of {images} images in the type {TYPE} were expected, not {names}, {sizes}")
    array = np.frombuffer(unpack(fields["data"]), TYPE).reshape([len(AXES.get(name, range(images))) for name in names])
    return array.transpose([names.index(name) for name in (*AXES, "image")]).reshape(len(DISTANCES), images)
