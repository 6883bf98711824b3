from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest

from tests.tracking.made_up import BLOCK_PARAMS, subset_record
from tracking.as_json import to_json
from tracking.best_mask.answer import answer_object
from tracking.record import Json, SweepRecord

SETS = [*chain.from_iterable(combinations(range(1, 10), size) for size in range(1, 10))]


def level(blocks: tuple[int, ...]) -> float:
    return 0.4 + 0.06 * (1 in blocks) + 0.04 * (2 in blocks) - 0.05 * ({1, 2} <= set(blocks)) - 0.02 * (9 in blocks)


def sample(count: int) -> list[tuple[int, ...]]:
    chosen = np.random.default_rng(count).choice(len(SETS), count, replace=False)
    named = [(1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10))]
    return [*named, *(SETS[place] for place in chosen if SETS[place] not in named)]


@pytest.fixture(scope="module")
def found() -> Json:
    return answer_object(subset_record(sample(38), level))


@pytest.fixture(scope="module")
def full() -> Json:
    return answer_object(subset_record(SETS, level))


def test_every_candidate_has_its_price_score_and_distance(found: Json) -> None:
    assert found["masks"] == found["candidates"] == len(found["compared"])
    best = found["best"]
    for one in found["compared"]:
        assert one["trainable_params"] == sum(BLOCK_PARAMS[block - 1] for block in one["blocks"])
        assert one["share"] == pytest.approx(one["trainable_params"] / sum(BLOCK_PARAMS))
        assert one["behind"] == pytest.approx(best["dice"] - one["dice"])
        assert one["tied"] == (one["low"] <= 0)
        assert one["high"] + one["low"] == pytest.approx(2 * (one["behind"] - found["corrected"]["optimism"]))
    assert sum(one["chosen"] for one in found["compared"]) == pytest.approx(1)
    assert found["corrected"]["corrected"] < found["corrected"]["apparent"] == best["dice"]


def test_fronts_rise_with_their_price(found: Json) -> None:
    for price, key in (("parameters", "trainable_params"), ("seconds", "seconds")):
        front = found["pareto"][price]
        assert [one[key] for one in front] == sorted({one[key] for one in front})
        assert front[-1]["mask"] == found["best"]["mask"]


def test_all_sets_give_blocks_and_pairs(full: Json) -> None:
    effects = full["effects"]
    assert (effects["design"], effects["masks"], effects["zero_shot"]) == ("full", 511, True)
    blocks = {one["block"]: one for one in effects["blocks"]}
    assert blocks[1]["mean"] == pytest.approx(0.035, abs=0.006)  # alone 0.06, together with 2 only 0.01
    assert blocks[9]["low"] < -0.02 < blocks[9]["high"]
    pairs = {tuple(one["blocks"]): one for one in effects["pairs"]}
    assert len(pairs) == 36 and pairs[1, 2]["high"] < 0
    assert min(pairs, key=lambda pair: pairs[pair]["mean"]) == (1, 2)
    assert effects["confounded"] == [] and "all 511 masks, the zero-shot score apart" in effects["sentences"][0]


def test_a_sample_gives_blocks_only_and_says_so(found: Json) -> None:
    effects = found["effects"]
    assert (effects["design"], effects["zero_shot"], effects["pairs"]) == ("sample", False, [])
    assert len(effects["blocks"]) == 9 and effects["confounded"]
    words = " ".join(effects["sentences"])
    assert f"{found['masks']} of 511 masks." in words and "cannot tell interactions" in words
    assert "chose the masks by their scores" not in words  # strategy "random"
    tpe = answer_object(subset_record(sample(38), level, strategy="tpe"))
    assert "'tpe' chose the masks by their scores" in tpe["effects"]["sentences"][-1]


def test_settings_are_named_and_do_not_mix() -> None:
    """The longer training brings 0.2; only the larger sets had it; blocks must not take the credit."""
    record = subset_record(sample(38), level, settings=((6, 1e-3), (12, 1e-3)))
    trials = []
    for one in record.trials:
        epochs = one.info.candidate.epochs
        if epochs == 6 and len(one.info.blocks) <= 4:
            lower = tuple(value - 0.2 for value in one.folds["dice"])
            trials.append(replace(one, folds={**one.folds, "dice": lower}))
        elif epochs == 0 or (epochs == 12 and len(one.info.blocks) > 4):
            trials.append(one)
    found = answer_object(replace(record, trials=tuple(trials)))
    assert [one["epochs"] for one in found["settings"]] == [6, 12]
    assert "(12 epochs, lr 0.001)" in found["sentence"] and "candidates" in found["sentence"]
    assert found["effects"]["settings"] == 2 and not found["effects"]["zero_shot"]
    assert all(abs(one["mean"]) < 0.08 for one in found["effects"]["blocks"])


def test_the_curves_of_a_study_have_an_answer_too(record: SweepRecord) -> None:
    found = answer_object(record)
    assert found["failed"] == 1 and found["unfinished"] == 1
    assert {one["epochs"] for one in found["settings"]} == {6, 12}
    assert [one["name"] for one in found["against"]][-2:] == ["zero-shot", "scratch"]


def test_it_is_json_and_the_same_every_time(found: Json) -> None:
    again = answer_object(subset_record(sample(38), level))
    assert to_json(found) == to_json(again)
    read = json.loads(to_json(found))
    assert read["importance"] is None and read["best"]["mask"] == found["best"]["mask"]
    assert not any(isinstance(value, float) and math.isnan(value) for value in read["corrected"].values())


def test_a_design_of_resolution_four_keeps_its_blocks_clear_of_pairs() -> None:
    """Every block but the first three thawed by the parity of others: 64 cells, the empty one measured by zero-shot."""
    rules = {7: (1, 2, 3, 4), 8: (1, 2, 5, 6), 9: (1, 3, 5, 6)}
    sums = ({*low, *(block for block, of in rules.items() if len({*of} & {*low}) % 2)}
            for size in range(7) for low in combinations(range(1, 7), size))  # fmt: skip
    cells = [tuple(sorted(one)) for one in sums if one]
    effects = answer_object(subset_record([*cells, tuple(range(1, 10))], level, strategy="factorial"))["effects"]
    assert (effects["design"], effects["masks"], effects["zero_shot"], effects["clear"]) == ("balanced", 63, True, True)
    assert "no pair can pass for a single block" in effects["sentences"][1] and effects["confounded"]
