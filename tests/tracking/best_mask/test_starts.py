"""Start x mask, by hand."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sweeps.commands.best import best, terminal_parts
from tests.tracking.made_up import sweep_info, trial_info, trial_record
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import candidates_of
from tracking.best_mask.start_tables import start_tables
from tracking.best_mask.starts import StartTable, names_of, start_table
from tracking.record import SweepInfo, SweepRecord, TrialRecord

STARTS = [["photos", "composites"], ["sim", "phantoms"], ["scratch", "scratch"], ["random-frozen", "random-frozen"]]
MASKS = ("1-5", "6-9", "all")
LEVELS = {"pretrained": 0.5, "sim": 0.6, "random-frozen": 0.3, "scratch": 0.3}
Level = Callable[[str, str], float]


def info(starts: list[list[str]], start_seeds: tuple[int, ...] = ()) -> SweepInfo:
    spec = {"search": {"starts": starts, "start_seeds": list(start_seeds)}}
    sources = {"sim": {"digest": "a", "source": "1,600 phantoms"}}
    return replace(sweep_info(), spec=spec, starts=sources)


def trial(start: str, mask: str, dice: float, start_seed: int | None = None) -> TrialRecord:
    base = trial_info("shallow-first", 5) if mask == "1-5" else trial_info("deep-first", 4 if mask == "6-9" else 9)
    if mask == "none":
        base = trial_info("", 0)
    candidate = replace(base.candidate, start=start, start_seed=start_seed)
    role = "scratch" if start == "scratch" else base.role
    drawn = np.random.default_rng(zlib.crc32(f"{start} {mask} {start_seed}".encode()))
    folds = tuple(float(dice + 0.01 * value) for value in drawn.normal(size=5))
    one = trial_record(replace(base, candidate=candidate, role=role))
    return replace(one, folds={**one.folds, "dice": folds})


def made(level: Level, starts: list[list[str]] = STARTS, start_seeds: tuple[int, ...] = ()) -> SweepRecord:
    names = ["pretrained", *(name for name, _ in starts[1:])]
    repeats = [None, *start_seeds[1:]] if start_seeds else [None]
    trials = [
        trial(start, mask, level(start, mask) + 0.05 * (seed or 0), seed)
        for start in names
        for mask in MASKS
        for seed in repeats
        if start not in ("scratch", "random-frozen") or (mask == "all") == (start == "scratch")
    ]
    trials += [trial("pretrained", "none", 0.2), trial("sim", "none", 0.4)]
    return SweepRecord(info(starts, start_seeds), "run", "FINISHED", "2026-11-27T06:00:00+00:00", tuple(trials))


def table(record: SweepRecord) -> StartTable:
    found = start_table(read(record))
    assert found is not None
    return found


def additive(start: str, mask: str) -> float:
    return LEVELS[start] + {"1-5": 0.05, "6-9": 0.0, "all": 0.02}[mask]


def crossed(start: str, mask: str) -> float:
    return LEVELS[start] + 0.2 * ((start == "sim") == (mask == "6-9"))


def test_every_start_is_a_row_and_scratch_completes_the_random_one() -> None:
    found = table(made(additive))
    assert [row.name for row in found.rows] == ["photos", "sim", "scratch", "random-frozen"]
    assert [cell.mask for cell in found.rows[2].cells] == ["all"] and found.rows[2].best is None
    assert {cell.mask for cell in found.rows[3].cells} == set(MASKS) == set(found.masks)
    assert [row.source for row in found.rows] == ["composites, 12 epochs", "1,600 phantoms", "", ""]
    assert [round(row.untrained, 1) for row in found.rows[:2]] == [0.2, 0.4] and math.isnan(found.rows[2].untrained)


def test_effects_are_the_contrasts_of_the_table() -> None:
    found = table(made(additive))
    cells = {(row.name, cell.mask): cell.dice for row in found.rows for cell in row.cells}
    names = ("photos", "sim")
    by_hand = np.array([[cells[name, mask] for mask in found.masks] for name in names])
    assert [effect.name for effect in found.starts] == ["sim"]
    assert [effect.mean for effect in found.starts] == pytest.approx(by_hand[1:].mean(1) - by_hand[0].mean())
    assert [effect.mean for effect in found.mask_effects] == pytest.approx(by_hand.mean(0) - by_hand.mean())
    left = by_hand - by_hand.mean(1, keepdims=True) - by_hand.mean(0) + by_hand.mean()
    assert [effect.mean for effect in found.interactions] == pytest.approx(left.ravel())
    assert all(effect.low > 0 or effect.high < 0 for effect in found.starts)


def test_fresh_weights_are_a_control_and_no_part_of_the_effects() -> None:
    """A control that depends on the mask as nothing else does moves no effect of the starts with weights."""

    def odd(start: str, mask: str) -> float:
        return additive(start, mask) + (0.2 if (start, mask) == ("random-frozen", "6-9") else 0.0)

    found, other = table(made(additive)), table(made(odd))
    assert (found.starts, found.mask_effects, found.interactions) == (
        other.starts,
        other.mask_effects,
        other.interactions,
    )
    cells = {(row.name, cell.mask): cell.dice for row in found.rows for cell in row.cells}
    scratch, frozen = found.fresh
    assert (scratch.name, scratch.masks) == ("scratch", ("all",)) and frozen.name == "random-frozen"
    assert scratch.mean == pytest.approx(cells["scratch", "all"] - cells["photos", "all"])
    apart = [cells["random-frozen", mask] - cells["photos", mask] for mask in frozen.masks]
    assert len(apart) == 3 and frozen.mean == pytest.approx(np.mean(apart))
    assert "Fresh weights against photos: scratch −0.2" in found.sentence and "(mask all alone)" in found.sentence


def test_weights_against_scratch_are_compared_where_both_were_measured() -> None:
    found = table(made(additive, [["photos", "composites"], ["scratch", "scratch"]]))
    assert not found.starts and [one.name for one in found.fresh] == ["scratch"]
    assert found.sentence.startswith("Start and mask: fresh weights against photos: scratch −0.2")


def test_one_contrast_counts_once_whatever_its_sign() -> None:
    """With two starts an interaction stands in both rows; with two masks, too, in both columns."""
    two = [["photos", "composites"], ["sim", "phantoms"]]
    found = table(made(crossed, two))
    assert len(found.interactions) == 6 and len({round(one.p, 12) for one in found.interactions}) == 3
    smallest = min(found.interactions, key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(3 * smallest.p)
    whole = made(crossed, two)
    few = replace(whole, trials=tuple(one for one in whole.trials if one.info.candidate.mask != "all"))
    alone = table(few)
    assert [one.p_holm for one in alone.interactions] == pytest.approx([one.p for one in alone.interactions])
    assert [one.p_holm for one in alone.mask_effects] == pytest.approx([one.p for one in alone.mask_effects])


def test_a_cell_of_another_training_setting_is_no_cell_of_the_table() -> None:
    whole = made(additive, [["photos", "composites"], ["random-frozen", "random-frozen"]])
    batch = tuple(
        replace(one, info=replace(one.info, candidate=replace(one.info.candidate, train=(("batch", 8),))))
        if one.info.role == "trial"
        else one
        for one in (*whole.trials, trial("scratch", "all", 0.9))
    )
    found = table(replace(whole, trials=batch))
    assert found.train == {"batch": 8} and "batch 8" in start_tables(found)[1].title
    assert {cell.mask for cell in found.rows[1].cells} == {"1-5", "6-9"}


def test_what_adds_up_is_not_called_dependent_and_what_crosses_is() -> None:
    plain, crossing = table(made(additive)), table(made(crossed))
    assert not plain.depends and "is not shown" in plain.sentence and "1-5 from every start" in plain.sentence
    assert crossing.depends and "depends on the start" in crossing.sentence
    assert crossing.rows[1].best == "6-9" and crossing.rows[0].best != "6-9"


def test_one_pre_training_is_said_and_several_widen_the_interval() -> None:
    once, thrice = table(made(additive)), table(made(additive, start_seeds=(0, 1, 2)))
    assert "Of this one pre-training" in once.sentence and once.pretrainings == 1
    assert "Over 3 pre-trainings of each start" in thrice.sentence and thrice.pretrainings == 3
    noise = [cell.noise for row in thrice.rows for cell in row.cells]
    assert all(one is not None and one.sd == pytest.approx(0.05, abs=0.02) for one in noise)


def test_a_start_that_left_the_plan_holds_back_no_pre_training() -> None:
    """Its trials were never repeated, and must not keep the others' repeats out."""
    two = [["photos", "composites"], ["sim", "phantoms"]]
    whole = made(additive, two, (0, 1))
    left = [trial("old", mask, 0.5) for mask in MASKS]
    assert table(replace(whole, trials=(*whole.trials, *left))).pretrainings == 2


def _set(one: TrialRecord) -> TrialRecord:
    second = one.info.candidate.start_seed is not None
    dice = tuple(0.42 + 1e-3 * fold if second else 0.6 for fold in range(5))
    return replace(one, folds={**one.folds, "dice": dice})


def test_pre_trainings_that_disagree_leave_no_difference_shown() -> None:
    """The start is better by 0.1 with one pre-training and worse by 0.1 with the other, the same in every fold."""
    whole = made(lambda start, mask: 0.5, [["photos", "composites"], ["sim", "phantoms"]], (0, 1))
    trials = [_set(one) if one.info.candidate.start == "sim" else one for one in whole.trials]
    (effect,) = table(replace(whole, trials=tuple(trials))).starts
    assert effect.low < 0 < effect.high and effect.df <= 2


def test_a_sweep_with_one_start_has_no_table(record: SweepRecord) -> None:
    assert start_table(read(record)) is None and names_of(record.info) == {}


def test_a_search_that_measured_few_says_so() -> None:
    whole = made(additive)
    own = tuple(one for one in whole.trials if one.info.candidate.start != "sim" or not one.info.candidate.epochs)
    found = table(replace(whole, trials=own))
    assert [row.name for row in found.rows] == ["photos", "scratch", "random-frozen"]
    alone = tuple(one for one in whole.trials if one.info.candidate.start == "pretrained")
    assert "too little is measured yet" in table(replace(whole, trials=alone)).sentence


def test_of_several_trainings_from_scratch_that_of_the_tables_setting_counts_in_any_order() -> None:
    whole = made(additive)
    scratch = next(one for one in whole.trials if one.info.role == "scratch")
    searched = replace(scratch.info, candidate=replace(scratch.info.candidate, train=(("batch", 8),)))
    other = replace(scratch, info=searched, folds={**scratch.folds, "dice": (0.9,) * 5})
    for trials in ((*whole.trials, other), (other, *whole.trials)):
        assert table(replace(whole, trials=trials)) == table(whole)


def test_thaw_best_prints_it() -> None:
    answer = best(made(additive))
    printed = [part for part in terminal_parts(answer) if isinstance(part, str)]
    assert answer.starts is not None and f"{answer.starts.sentence}\n" in printed


def test_a_control_does_not_compete() -> None:
    """However far its luck reaches: it neither wins nor ties, and no effect of blocks is taken from it."""
    found = candidates_of(read(made(lambda start, mask: 0.9 if start == "random-frozen" else 0.5)))
    assert {trial.info.candidate.start for trial in found.trials} == {"pretrained", "sim", "scratch"}
