from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.made_up import BLOCK_PARAMS, subset_record
from tracking.analysis.seeds import read
from tracking.as_json import to_json
from tracking.best_mask.answer import BestMask, best_mask, chosen_runs, conclusion, why_no_choice
from tracking.best_mask.pareto import PRICES, price_of
from tracking.record import SweepRecord

SETS = [*chain.from_iterable(combinations(range(1, 10), size) for size in range(1, 10))]


def level(blocks: tuple[int, ...]) -> float:
    return 0.4 + 0.06 * (1 in blocks) + 0.04 * (2 in blocks) - 0.05 * ({1, 2} <= set(blocks)) - 0.02 * (9 in blocks)


def sample(count: int) -> list[tuple[int, ...]]:
    chosen = np.random.default_rng(count).choice(len(SETS), count, replace=False)
    named = [(1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10))]
    return [*named, *(SETS[place] for place in chosen if SETS[place] not in named)]


@pytest.fixture(scope="module")
def found() -> BestMask:
    return answer(subset_record(sample(38), level))


@pytest.fixture(scope="module")
def full() -> BestMask:
    return answer(subset_record(SETS, level))


def test_every_candidate_has_its_price_score_and_distance(found: BestMask) -> None:
    assert found.corrected is not None and found.masks == found.candidates == len(found.compared)
    for one in found.compared:
        assert one.trainable_params == sum(BLOCK_PARAMS[block - 1] for block in one.blocks)
        assert one.share == pytest.approx(one.trainable_params / sum(BLOCK_PARAMS))
        assert one.behind == pytest.approx(found.best.dice - one.dice)
        assert one.tied == (one.low <= 0)
        assert one.high + one.low == pytest.approx(2 * (one.behind - found.corrected.optimism))
    assert sum(one.chosen for one in found.compared) == pytest.approx(1)
    assert found.corrected.corrected < found.corrected.apparent == found.best.dice


def test_fronts_rise_with_their_price(found: BestMask) -> None:
    for price in PRICES:
        front = found.pareto.of(price)
        prices = [price_of(one, price) for one in front]
        assert prices == sorted(set(prices)) and front[-1].mask == found.best.mask


def test_all_sets_give_blocks_and_pairs(full: BestMask) -> None:
    effects = full.effects
    assert effects is not None and (effects.design, effects.masks, effects.zero_shot) == ("full", 511, True)
    blocks = {one.block: one for one in effects.blocks}
    assert blocks[1].mean == pytest.approx(0.035, abs=0.006)  # alone 0.06, together with 2 only 0.01
    assert blocks[9].low < -0.02 < blocks[9].high
    pairs = {one.blocks: one for one in effects.pairs}
    assert len(pairs) == 36 and pairs[1, 2].high < 0
    assert min(pairs, key=lambda pair: pairs[pair].mean) == (1, 2)
    assert effects.confounded == () and "all 511 masks, the zero-shot score apart" in effects.sentences[0]


def test_the_curves_of_a_list_of_masks_have_an_answer_too(record: SweepRecord) -> None:
    found = answer(record)
    assert found.failed == 1 and found.unfinished == 1
    assert {one.epochs for one in found.settings} == {6, 12}
    assert [one.name for one in found.against][-2:] == ["zero-shot", "scratch"]


KEYS = {
    "schema",
    "sweep",
    "synthetic",
    "sentence",
    "notes",
    "masks",
    "candidates",
    "dropped",
    "failed",
    "unfinished",
    "settings",
    "starts",
    "rates",
    "best",
    "corrected",
    "against",
    "compared",
    "one_standard_error",
    "pareto",
    "effects",
    "importance",
    "nested",
    "smoothed",
}
CANDIDATE = {
    "mask",
    "aliases",
    "blocks",
    "epochs",
    "learning_rate",
    "train",
    "start",
    "trainable_params",
    "share",
    "seconds",
    "dice",
}


def test_the_json_has_the_keys_that_it_always_had_and_is_the_same_every_time(found: BestMask) -> None:
    again = answer(subset_record(sample(38), level))
    assert to_json(found) == to_json(again)
    told = json.loads(to_json(found))
    assert told.keys() == KEYS and told["schema"] == 2
    assert told["best"].keys() == CANDIDATE == told["pareto"]["seconds"][0].keys()
    distance = {"behind", "low", "high", "tied", "p_adjusted", "chosen", "noise"}
    assert told["compared"][0].keys() == CANDIDATE | distance
    assert {"name", "candidate", "apparent", "mean", "p_holm", "threshold", "noise"} <= told["against"][0].keys()
    assert {"block", "mean", "low", "detectable"} <= told["effects"]["blocks"][0].keys()
    assert not any(isinstance(value, float) and math.isnan(value) for value in told["corrected"].values())


def test_what_cannot_be_known_is_null() -> None:
    record = subset_record([(1,), (2,)], level)
    few = replace(record, trials=tuple(replace(one, scores=(), seconds=math.nan) for one in record.trials))
    told = json.loads(to_json(answer(few)))
    assert told["corrected"] is None and told["smoothed"] is None and told["effects"] is None
    assert told["compared"][0]["chosen"] is None and told["best"]["seconds"] is None


def test_without_a_choice_it_says_why() -> None:
    reading = read(subset_record([(1,)], level))
    assert best_mask(reading) is None and chosen_runs(reading, None) == {}
    assert conclusion(reading, None) == why_no_choice(reading) != ""


def test_the_runs_of_the_winner_and_of_the_cheapest_choice_are_named() -> None:
    record = subset_record([(1,), (1, 2), (9,)], level)
    dice = {"1": (0.80, 0.88, 0.80, 0.88, 0.84), "1-2": (0.81, 0.89, 0.81, 0.89, 0.85)}
    folds = [{**trial.folds, "dice": dice.get(trial.info.candidate.mask, (0.2,) * 5)} for trial in record.trials]
    pairs = zip(record.trials, folds, strict=True)
    apart = replace(record, trials=tuple(replace(trial, folds=values) for trial, values in pairs))
    by_mask = {trial.info.candidate.mask: trial.run_id for trial in apart.trials}
    assert chosen_runs(read(apart), answer(apart)) == {by_mask["1-2"]: "winner", by_mask["1"]: "cheapest choice"}
    words = conclusion(read(apart), answer(apart))
    assert words.startswith("Thaw blocks 1-2: ") and " One-standard-error choice: 1 (shallow-1), " in words
    alone = subset_record([(1,), (2,)], lambda blocks: 0.5 + 0.3 * (1 in blocks))
    assert list(chosen_runs(read(alone), answer(alone)).values()) == ["winner, cheapest choice"]


def test_networks_that_learned_nothing_have_no_winner() -> None:
    low = subset_record([(1,), (2,), (1, 2)], lambda _: 0.04, zero_shot=0.01)
    assert chosen_runs(read(low), answer(low)) == {} and answer(low).sentence.startswith("No answer: ")
    assert conclusion(read(low), answer(low)) == answer(low).sentence


def test_where_no_training_is_best_no_run_wins() -> None:
    record = subset_record([(1,), (2,), (1, 2)], lambda _: 0.5, zero_shot=0.8)
    assert chosen_runs(read(record), answer(record)) == {}
    assert conclusion(read(record), answer(record)) == answer(record).sentence
    assert answer(record).sentence.startswith("Thaw nothing: ")
