"""Scores as tags of a run: the same bits back, or words that say why not."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, leaky_record, sweep_info, trial_info
from tracking.image_scores import FoldScore, ImageOrder
from tracking.store.distance_tags import TAG as DISTANCE_TAG
from tracking.store.score_tags import (
    AXES,
    MOST,
    TAG,
    digest_of,
    order_of_sweep,
    scores_from_tags,
    scores_to_tags,
)
from tracking.store.tag_text import PIECE, joined
from trainer.errors import UserError
from trainer.results import Score

SCORES = tuple(
    (result.fold, score) for result in fold_results(trial_info("shallow-first", 5)) for score in result.scores
)
LEAKY = tuple(leaky_record(trial_info("shallow-first", 5)).scores)


def orders() -> dict[str, ImageOrder]:
    order = order_of_sweep(sweep_info())
    return {digest_of(order): order}


def record_of(tags: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(joined(TAG, tags))
    return record


def tags_with(**changed: object) -> dict[str, str]:
    """The tags of `SCORES` with some fields of their record replaced."""
    return scores_to_tags(SCORES) | {f"{TAG}0": json.dumps(record_of(scores_to_tags(SCORES)) | changed)}


def many(images: int, draw: np.random.Generator) -> tuple[FoldScore, ...]:
    counts = draw.integers(0, 2**20, (images, 3)).tolist()
    return tuple(
        (1, Score.of_counts(f"scan {at}", "", tp, fp, fn, 2**22 - tp - fp - fn))
        for at, (tp, fp, fn) in enumerate(counts)
    )


def test_the_sweep_s_own_images_cost_two_short_tags() -> None:
    tags = scores_to_tags(SCORES)
    assert list(tags) == [f"{TAG}0", f"{DISTANCE_TAG}0"] and all(len(tag) < 900 for tag in tags.values())
    assert repr(scores_from_tags(tags, orders(), "r")) == repr(SCORES)


def test_trials_share_the_names_of_their_images() -> None:
    known = orders()
    (sweeps,) = known.values()
    own, copies = scores_to_tags(SCORES), scores_to_tags(LEAKY, own_images=True)
    read = [scores_from_tags(tags, known, "r") for tags in (own, own, copies, copies)]
    first, second, third, fourth = (scores.order for scores in read if scores is not None)
    assert first is second is sweeps and third is fourth is not sweeps


def test_augmented_copies_are_named_in_the_tags() -> None:
    tags = scores_to_tags(LEAKY, own_images=True)
    assert repr(scores_from_tags(tags, orders(), "r")) == repr(LEAKY)
    assert any("//2" in score.image for _, score in LEAKY)


def test_large_records_are_split_and_larger_ones_left_to_the_artifact() -> None:
    draw = np.random.default_rng(0)
    scores = many(3000, draw)
    order = ImageOrder(*(tuple(column) for column in zip(*((1, score.image, "") for _, score in scores), strict=True)))
    tags = scores_to_tags(scores)
    assert 4 < len(tags) <= MOST and {len(piece) for piece in list(tags.values())[:-1]} == {PIECE}
    assert repr(scores_from_tags(dict(reversed(tags.items())), {digest_of(order): order}, "r")) == repr(scores)
    assert scores_to_tags(many(60_000, draw)) == {}


def test_a_run_without_such_tags_has_none() -> None:
    assert scores_from_tags({"thaw.kind": "trial"}, orders(), "r") is None


@pytest.mark.parametrize(
    ("axis", "values", "words"),
    [
        (
            "class",
            ["lesion", "cyst"],
            r"whose axis 'class' holds \['foreground'\], but in run r .* \['lesion', 'cyst'\]",
        ),
        ("test_set", ["external"], r"whose axis 'test_set' holds \['out-of-fold'\]"),
        ("repeat", [1, 2], r"whose axis 'repeat' holds \[1\]"),
        ("count", ["tp", "fp", "fn", "tn"], "whose axis 'count' holds"),
        ("annotator", ["A", "B"], "run r have an axis 'annotator', which this version of thaw does not know"),
    ],
)
def test_axes_and_values_of_later_versions_are_refused(axis: str, values: list[Any], words: str) -> None:
    axes = list((dict(record_of(scores_to_tags(SCORES))["axes"]) | {axis: values}).items())
    with pytest.raises(UserError, match=words):
        scores_from_tags(tags_with(axes=axes), orders(), "r")


def test_axes_are_known_by_their_names_not_by_their_order() -> None:
    record = record_of(scores_to_tags(SCORES))
    counts = np.frombuffer(zlib.decompress(base64.b64decode(record["data"])), record["type"]).reshape(3, -1)
    data = base64.b64encode(zlib.compress(counts.T.tobytes())).decode()
    turned = tags_with(axes=record["axes"][::-1], data=data)
    assert repr(scores_from_tags(turned, orders(), "r")) == repr(SCORES)


DATA = record_of(scores_to_tags(SCORES))["data"]
DAMAGED: dict[str, dict[str, str]] = {
    "no JSON": {f"{TAG}0": "{"},
    "no object": {f"{TAG}0": "[]"},
    "a field missing": {f"{TAG}0": "{}"},
    "a piece missing": {f"{TAG}0": json.dumps(record_of(scores_to_tags(SCORES)))[:200], f"{TAG}2": "}"},
    "an axis missing": tags_with(axes=[["image", 30]]),
    "other base64": tags_with(data="!" + DATA[1:]),
    "cut off": tags_with(data=DATA[: len(DATA) // 8 * 4]),
    "another byte": tags_with(data=DATA[:40] + ("A" if DATA[40] != "A" else "B") + DATA[41:]),
    "another type": tags_with(type="<f8"),
    "a wider type": tags_with(type="<u4"),
    "other images": tags_with(digest="0" * 16),
    "other names": tags_with(digest="0" * 16, images=record_of(scores_to_tags(LEAKY, own_images=True))["images"]),
    "fewer images": tags_with(axes=[*record_of(scores_to_tags(SCORES))["axes"][:-1], ["image", 29]]),
    "too few pixels": tags_with(pixels=100),
}


@pytest.mark.parametrize("tags", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_tags_are_never_scores(tags: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        scores_from_tags(tags, orders(), "r")


@pytest.mark.parametrize("part", ["folds", "images", "labels"])
def test_other_images_labels_or_folds_have_another_digest(part: str) -> None:
    order = order_of_sweep(sweep_info())
    turned = replace(order, **{part: getattr(order, part)[::-1]})
    assert digest_of(turned) != digest_of(order)
    assert re.fullmatch("[0-9a-f]{16}", digest_of(order))


def test_the_example_in_the_docs_reads_the_tags() -> None:
    page = (Path(__file__).parents[3] / "docs" / "record.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    dice = names["dice_of"]({"thaw.kind": "trial", **scores_to_tags(SCORES)})
    assert dice.tobytes() == np.array([score.dice for _, score in SCORES]).tobytes()
    assert all(f"| `{axis}` |" in page for axis in (*AXES, "image"))
    assert all(f"| `{field}` |" in page for field in record_of(scores_to_tags(SCORES)))
