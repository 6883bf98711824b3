"""Distances as tags of a run: the same bits back; none where there are none; other axes and damage are said."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from tests.tracking.made_up import fold_results, sweep_info, trial_info
from tracking.image_scores import FoldScore
from tracking.store.distance_tags import AXES, TAG
from tracking.store.score_tags import digest_of, order_of_sweep, scores_from_tags, scores_to_tags
from tracking.store.tag_text import joined
from trainer.errors import UserError

SCORES = tuple(
    (result.fold, score) for result in fold_results(trial_info("shallow-first", 5)) for score in result.scores
)
ORDER = order_of_sweep(sweep_info())


def read(tags: dict[str, str]) -> tuple[FoldScore, ...]:
    return tuple(scores_from_tags(tags, {digest_of(ORDER): ORDER}, "r") or ())


def tags_with(**changed: object) -> dict[str, str]:
    tags = scores_to_tags(SCORES)
    return tags | {f"{TAG}0": json.dumps(json.loads(joined(TAG, tags)) | changed)}


def test_distances_come_back_to_the_bit() -> None:
    odd = tuple((fold, replace(score, hd95=score.hd95 / 3, surface_dice=1 / 3)) for fold, score in SCORES)
    assert repr(read(scores_to_tags(odd))) == repr(odd)
    assert any(math.isnan(score.hd95) for _, score in SCORES), "an empty truth has none"


def test_a_trial_recorded_before_distances_were_has_none() -> None:
    tags = {tag: text for tag, text in scores_to_tags(SCORES).items() if not tag.startswith(TAG)}
    before = [replace(score, hd95=math.nan, surface_dice=math.nan) for _, score in SCORES]
    assert repr([score for _, score in read(tags)]) == repr(before)
    assert repr(scores_to_tags([(1, score) for score in before]).keys()) == repr(tags.keys())


@pytest.mark.parametrize(("axis", "values"), [("class", ["lesion", "cyst"]), ("distance", ["hd95"]), ("rater", ["A"])])
def test_axes_and_values_of_later_versions_are_refused(axis: str, values: list[str]) -> None:
    axes = list((dict(AXES) | {"image": 30, axis: values}).items())
    with pytest.raises(UserError, match=f"axis '{axis}'"):
        read(tags_with(axes=axes))


@pytest.mark.parametrize(
    "changed", [{"type": "<f4"}, {"data": "AAAA"}, {"axes": [["image", 30]]}, {"axes": [*AXES.items(), ["image", 29]]}]
)
def test_damaged_tags_are_never_distances(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read(tags_with(**changed))
