"""Versions of what is written, and how far a reader may go past its own."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from tests.tracking.made_up import fold_results, sweep_info, trial_info
from tracking.store import schema
from trainer.errors import UserError


def test_a_sweep_reads_back_and_says_its_version() -> None:
    text = schema.info_to_json(sweep_info())
    assert schema.info_from_json(text) == sweep_info()
    assert json.loads(text)["version"] == schema.INFO_VERSION


def test_a_sweep_of_before_versions_reads_without_labels() -> None:
    values = json.loads(schema.info_to_json(sweep_info()))
    before = {key: value for key, value in values.items() if key not in ("version", "labels")}
    assert schema.info_from_json(json.dumps(before)) == replace(sweep_info(), labels=[])


def test_a_field_that_came_under_the_same_version_is_ignored() -> None:
    values = json.loads(schema.info_to_json(sweep_info())) | {"scanner": "ultrasound"}
    assert schema.info_from_json(json.dumps(values)) == sweep_info()


@pytest.mark.parametrize("version", [schema.INFO_VERSION + 1, "1.5", -1, None])
def test_an_unknown_version_of_a_sweep_is_refused(version: object) -> None:
    values = json.loads(schema.info_to_json(sweep_info())) | {"version": version}
    with pytest.raises(UserError, match=rf"sweep 'demo' has version {version}, but this thaw reads versions up to 1"):
        schema.info_from_json(json.dumps(values))


def test_a_trial_reads_from_its_tags_with_a_version_or_without() -> None:
    info = trial_info("deep-first", 3)
    tags = {"thaw.trial": schema.trial_to_json(info)}
    assert schema.trial_from_tags(tags, "r") == info
    assert schema.trial_from_tags(tags | {schema.VERSION_TAG: str(schema.TRIAL_VERSION)}, "r") == info


@pytest.mark.parametrize("version", [str(schema.TRIAL_VERSION + 1), "", "one"])
def test_an_unknown_version_of_a_trial_is_refused(version: str) -> None:
    tags = {"thaw.trial": schema.trial_to_json(trial_info("deep-first", 3)), schema.VERSION_TAG: version}
    with pytest.raises(UserError, match=r"trial in run r has version .*: a later one wrote it\. Read it with that one"):
        schema.trial_from_tags(tags, "r")


def test_a_table_of_scores_reads_without_later_columns_and_past_unknown_ones() -> None:
    results = fold_results(trial_info("shallow-first", 5))
    scores = tuple((result.fold, score) for result in results for score in result.scores)
    table = json.loads(schema.scores_to_table(results))
    assert repr(schema.scores_from_table(json.dumps(table))) == repr(scores)
    more = {"columns": [*table["columns"], "rater"], "data": [[*row, "A"] for row in table["data"]]}
    assert repr(schema.scores_from_table(json.dumps(more))) == repr(scores)
    fewer = {"columns": table["columns"][:-2], "data": [row[:-2] for row in table["data"]]}
    before = tuple((fold, replace(score, hd95=math.nan, surface_dice=math.nan)) for fold, score in scores)
    assert repr(schema.scores_from_table(json.dumps(fewer))) == repr(before)


def test_processors_of_folds_read_back_and_damaged_ones_are_not_known() -> None:
    one, two, three, *_ = (replace(result, processor="A, AVX2") for result in fold_results(trial_info("deep-first", 3)))
    text = schema.processors_to_tag([one, replace(two, processor="B"), replace(three, processor="")])
    assert schema.processors_of({schema.PROCESSORS_TAG: text}, 4) == ("A, AVX2", "B", "", "")
    assert schema.processors_to_tag([replace(one, processor="")]) == ""
    for damaged in ("", "{", "[1]", '{"A": 3}', '{"A": ["x"]}'):
        assert schema.processors_of({schema.PROCESSORS_TAG: damaged}, 4) == ()


def test_a_setting_at_its_default_stands_in_no_tag_so_that_thaws_of_before_read_it() -> None:
    plain = json.loads(schema.trial_to_json(trial_info("deep-first", 3)))["candidate"]
    assert plain.keys() == {"mask", "epochs", "learning_rate", "start", "seed", "split"}
