"""A trial's per-image scores as tags of its run: they come with the run, hundreds of trials a request.

The tags `thaw.scores.0`, `thaw.scores.1`, ... are one JSON text in pieces (`docs/record.md` has the format): named axes
and an array of integers, compressed. Dice, pixel error and adjusted Rand follow from the counts (`trainer.results`).
The tags `thaw.distances.0`, ... hold the distances in the same form (`tracking.store.distance_tags`).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.image_scores import FoldScore, ImageOrder, ImageScores, compact
from tracking.record import SweepInfo
from tracking.store.distance_tags import distances_from_tags, distances_to_tags
from tracking.store.tag_text import IMAGE_AXES, check_axes, cut, joined, pack, unpack

TAG = "thaw.scores."
MOST = 64  # tags: MLflow takes 100 in one request; beyond, the artifact scores.json is the record
# Every axis of the array but `image`, with the values that it has today.
AXES: dict[str, list[Any]] = {"count": ["tp", "fp", "fn"], **IMAGE_AXES}
TYPES = ("<u2", "<u4")  # little-endian unsigned integers of 16 and 32 bits


@dataclass(frozen=True)
class Record:
    """The JSON text: `axes` of the array, outermost first, (name, values), for `image` their number; `digest` of the
    images' order; `images` null where that is the sweep's, else three lists, packed: folds, names, labels; `pixels` of
    every image; `type` of the integers (one of `TYPES`), `data` the array in C order, packed (zlib, then base64).
    """

    axes: Sequence[tuple[str, Any]]
    digest: str
    images: str | None
    pixels: int
    type: str
    data: str


def order_of_sweep(info: SweepInfo) -> ImageOrder:
    """The order in which every trial scores the sweep's own images: fold by fold, as `info.folds` lists them."""
    labels = info.labels or [[""] * len(fold) for fold in info.folds]
    return ImageOrder(
        tuple(number for number, fold in enumerate(info.folds, 1) for _ in fold),
        tuple(image for fold in info.folds for image in fold),
        tuple(label for fold in labels for label in fold),
    )


def digest_of(order: ImageOrder) -> str:
    """16 hexadecimal digits that tell one order of images from any other."""
    rows = zip(order.folds, order.labels, order.images, strict=True)
    text = "\n".join(f"{fold}\t{label}\t{image}" for fold, label, image in rows)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def scores_to_tags(scores: Sequence[FoldScore], *, own_images: bool = False) -> dict[str, str]:
    """The tags that hold the scores of a trial, or nothing where they cannot hold them to the last bit.

    `own_images`: the images are not the sweep's in the sweep's order (augmented copies), so the tags name them.
    Nothing: what `compact` refuses, or more than `MOST` tags.
    """
    arrays = compact(scores)
    if arrays is None:
        return {}
    counts, distances = cut(TAG, _text(arrays, own_images), MOST), distances_to_tags(arrays)
    return {} if counts is None or distances is None else counts | distances


def scores_from_tags(
    tags: Mapping[str, str], orders: MutableMapping[str, ImageOrder], run_id: str
) -> ImageScores | None:
    """The scores in a run's tags; None where there are none.

    `orders`: digest -> order of images, those that are known: the sweep's at least; one that the tags name is added,
    so that trials share it. Raises `UserError` for an axis, or values of one, that this version does not know,
    `ValueError` for tags that are damaged or belong to images of another sweep.
    """
    if f"{TAG}0" not in tags:
        return None
    try:
        record = _read(tags)
        check_axes(dict(record.axes), AXES, run_id)
        order = _order_of(record, orders)
        counts, distances = _counts(record, len(order.images)), distances_from_tags(tags, len(order.images), run_id)
        return ImageScores(order, counts, int(record.pixels), distances)
    except (KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ValueError(f"the tags {TAG}* are damaged ({error})") from error


def _text(scores: ImageScores, own_images: bool) -> str:
    order, kind = scores.order, scores.counts.dtype.newbyteorder("<")
    record = Record(
        axes=[*AXES.items(), ("image", len(order.images))],
        digest=digest_of(order),
        images=pack(json.dumps([order.folds, order.images, order.labels]).encode()) if own_images else None,
        pixels=scores.pixels,
        type=kind.str,
        data=pack(scores.counts.astype(kind).tobytes()),
    )
    return json.dumps(vars(record), separators=(",", ":"))


def _read(tags: Mapping[str, str]) -> Record:
    """The record in the tags; fields that were added under the same version are ignored."""
    fields = json.loads(joined(TAG, tags))
    return Record(**{name: fields[name] for name in Record.__dataclass_fields__})


def _counts(record: Record, images: int) -> NDArray[np.unsignedinteger]:
    """TP, FP and FN (3, images), whatever the order of the axes in the record."""
    names = [name for name, _ in record.axes]
    if sorted(names) != sorted((*AXES, "image")) or dict(record.axes)["image"] != images:
        raise ValueError(f"an axis is missing from {names}, or its images are not {images}")
    if record.type not in TYPES:
        raise ValueError(f"the type must be one of {TYPES}, not {record.type!r}")
    sizes = [len(AXES.get(name, range(images))) for name in names]
    array = np.frombuffer(unpack(record.data), record.type).reshape(sizes)
    counts = array.transpose([names.index(name) for name in (*AXES, "image")]).reshape(len(AXES["count"]), images)
    if (counts.sum(axis=0, dtype=np.int64) > record.pixels).any():
        raise ValueError("an image has more counts than pixels")
    return counts


def _order_of(record: Record, orders: MutableMapping[str, ImageOrder]) -> ImageOrder:
    if record.digest not in orders:
        if record.images is None:
            raise ValueError("the counts belong to images of another sweep")
        folds, images, labels = json.loads(unpack(record.images))
        order = ImageOrder(tuple(folds), tuple(images), tuple(labels))
        if digest_of(order) != record.digest:
            raise ValueError("the names of the images are not those that were scored")
        orders[record.digest] = order
    return orders[record.digest]
