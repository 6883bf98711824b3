"""The score of the whole procedure: every image once, by what a search without it has chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import repeated, subset_record
from tracking.analysis.seeds import read
from tracking.best_mask.answer import best_mask
from tracking.best_mask.nested import NO_TRAINING, Nested, choice_of
from tracking.record import Refit, SweepRecord
from tracking.sweep_names import HELD_OUT, outer_name

MASKS = ((1,), (1, 2), (1, 2, 3), (6, 7, 8, 9))
TRUTH, PIXELS = 1000, 4096
Level = Callable[[tuple[int, ...]], float]


def counts_of(dice: Sequence[float]) -> np.ndarray:
    """(1, 4, images) of a network with these Dice, one image without a target behind them."""
    tp = (np.asarray(dice) * TRUTH).astype(np.int64)
    marked = np.stack([tp, TRUTH - tp, TRUTH - tp, PIXELS - 2 * TRUTH + tp])
    return np.concatenate([marked, [[0], [9], [0], [PIXELS - 9]]], axis=1)[None]


def favours(mask: tuple[int, ...]) -> Level:
    return lambda blocks: 0.7 if blocks == mask else 0.5


def part(number: int, level: Level, dice: Sequence[float], zero_shot: float = 0.3) -> SweepRecord:
    """The sweep of an outer part, ended: its choice scores `dice` on the part, all fold networks 0.4."""
    record = subset_record(MASKS, level, zero_shot=zero_shot, seed=number)
    images = len(dice) + 1
    table = {**record.info.data, "group_of": [100 * number + image // 2 for image in range(images)]}
    spec = {**record.info.spec, "held_out": {"part": number, "parts": 3, "of": "demo"}}
    info = replace(record.info, name=outer_name("demo", number, 3), spec=spec, external={HELD_OUT: table})
    trials = tuple(replace(trial, external={HELD_OUT: counts_of([0.4] * len(dice))}) for trial in record.trials)
    record = replace(record, info=info, trials=trials)
    choice = choice_of(record)
    assert choice is not None
    refit = Refit(choice.trial.info.candidate, {HELD_OUT: counts_of(dice)}) if choice.trainings else None
    return replace(record, refit=refit)


def whole(*parts: SweepRecord | None) -> SweepRecord:
    return replace(subset_record(MASKS, favours((1, 2))), outer=parts)


def found(record: SweepRecord) -> Nested:
    answer = best_mask(read(record))
    assert answer is not None and answer.nested is not None
    return answer.nested


def test_the_score_is_the_mean_over_images_that_are_each_held_out_once() -> None:
    parts = [
        part(1, favours((1, 2)), [0.6] * 8),
        part(2, favours((1, 2)), [0.7] * 8),
        part(3, favours((1,)), [0.4] * 4),
    ]
    nested = found(whole(*parts))
    assert nested.dice is not None and nested.dice.value == pytest.approx((8 * 0.6 + 8 * 0.7 + 4 * 0.4) / 20)
    assert nested.dice.low < nested.dice.value < nested.dice.high
    assert (nested.images, nested.groups, nested.planned) == (20, 10, 3)
    assert nested.fold_networks == pytest.approx(0.4) and nested.sd == pytest.approx(np.std([0.6, 0.7, 0.4], ddof=1))
    assert [one.scored for one in nested.parts] == [8, 8, 4] and [one.searched for one in nested.parts] == [30] * 3
    assert nested.chosen == {"1-2": 2, "1": 1} and [one.same for one in nested.parts] == [True, True, False]
    assert "has a Dice of 0.60 [" in nested.sentence and "corrected for the search and" in nested.sentence
    assert (
        "chose 1-2 (2 of 3) and 1 (1 of 3); with all images it is 1-2, which ties with the best in 0 of"
        in nested.sentence
    )


def test_all_that_choose_alike_say_so() -> None:
    nested = found(whole(*(part(number, favours((1, 2)), [0.6] * 8) for number in (1, 2, 3))))
    assert "chose 1-2 (3 of 3); with all images it is 1-2, too." in nested.sentence


def test_where_no_training_is_best_the_network_as_it_was_is_scored() -> None:
    parts = [part(number, favours((1, 2)), [0.6] * 8, zero_shot=0.9) for number in (1, 2)]
    nested = found(whole(*parts))
    assert nested.dice is not None and nested.dice.value == pytest.approx(0.4)
    assert nested.chosen == {NO_TRAINING: 2} and not any(one.same for one in nested.parts)
    assert all(math.isnan(one.corrected) for one in nested.parts)


@pytest.mark.parametrize("spoilt", ["missing", "running", "no refit", "another refit", "another search", "not scored"])
def test_a_part_that_is_not_done_leaves_the_whole_without_a_score(spoilt: str) -> None:
    one, two = (part(number, favours((1, 2)), [0.6] * 8) for number in (1, 2))
    assert two.refit is not None
    others: dict[str, SweepRecord | None] = {
        "missing": None,
        "running": replace(two, status="KILLED"),
        "no refit": replace(two, refit=None),
        "another refit": replace(two, refit=replace(two.refit, candidate=replace(two.refit.candidate, mask="1"))),
        "another search": replace(two, info=replace(two.info, spec={**two.info.spec, "search": {"space": "single"}})),
        "not scored": replace(two, trials=tuple(replace(trial, external={}) for trial in two.trials)),
    }
    nested = found(whole(one, others[spoilt]))
    assert nested.dice is None and len(nested.parts) == 1 and math.isnan(nested.sd)
    assert "1 of 2 outer parts are done, so the whole procedure has no score yet" in nested.sentence


def test_a_sweep_without_outer_parts_has_no_such_score() -> None:
    answer = best_mask(read(whole()))
    assert answer is not None and answer.nested is None


def test_a_choice_is_trained_once_a_seed() -> None:
    record = part(1, favours((1, 2)), [0.6] * 8)
    choice, again = choice_of(record), choice_of(repeated(record, seeds=(0, 3)))
    assert choice is not None and again is not None
    assert [one.seed for one in choice.trainings] == [0] and [one.seed for one in again.trainings] == [0, 3]


def test_a_refit_of_fewer_seeds_than_the_search_has_now_is_none() -> None:
    """Seeds may be added when the parts are done: the score would be of one network beside means over several."""
    one, two = (part(number, favours((1, 2)), [0.6] * 8) for number in (1, 2))
    nested = found(whole(one, repeated(two, seeds=(0, 3))))
    assert nested.dice is None and len(nested.parts) == 1


def test_what_was_not_measured_against_no_training_ties_with_nothing() -> None:
    parts = [part(number, favours((1, 2)), [0.6] * 8, zero_shot=0.95) for number in (1, 2)]
    assert "is 1-2, which ties with the best in 0 of the 2" in found(whole(*parts)).sentence
    trained = [part(number, favours((1, 2)), [0.6] * 8, zero_shot=0.69) for number in (1, 2)]
    best = subset_record(MASKS, favours((1, 2)), zero_shot=0.9)
    sentence = found(replace(best, outer=tuple(trained))).sentence
    assert "no training, which ties with the best in 2 of the 2" in sentence


def test_one_mask_is_no_choice() -> None:
    assert choice_of(subset_record(MASKS[:1], favours((1,)))) is None
