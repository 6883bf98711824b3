from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import level, sample
from tests.tracking.made_up import subset_record
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import candidates_of
from tracking.best_mask.measured_effects import MeasuredEffects, measured_effects
from tracking.record import SweepRecord


def effects_in(record: SweepRecord) -> MeasuredEffects:
    effects = measured_effects(candidates_of(read(record)))
    assert effects is not None
    return effects


def test_a_sample_gives_blocks_only_and_says_so() -> None:
    record = subset_record(sample(38), level)
    effects = effects_in(record)
    assert (effects.design, effects.zero_shot, effects.pairs) == ("sample", False, ())
    assert len(effects.blocks) == 9 and effects.confounded
    words = " ".join(effects.sentences)
    assert f"{effects.masks} of 511 masks." in words and "cannot tell interactions" in words
    assert "chose the masks by their scores" not in words  # strategy "random"
    assert effects == answer(record).effects
    tpe = effects_in(subset_record(sample(38), level, strategy="tpe"))
    assert "'tpe' chose the masks by their scores" in tpe.sentences[-1]


def test_settings_do_not_mix() -> None:
    """The longer training brings 0.2; only the larger sets had it; blocks must not take the credit."""
    record = subset_record(sample(38), level, settings=((6, 1e-3), (12, 1e-3)))
    trials = []
    for trial in record.trials:
        epochs, few = trial.info.candidate.epochs, len(trial.info.blocks) <= 4
        if epochs == 6 and few:
            lower = tuple(value - 0.2 for value in trial.folds["dice"])
            trials.append(replace(trial, folds={**trial.folds, "dice": lower}))
        elif epochs == 0 or (epochs == 12 and not few):
            trials.append(trial)
    found = answer(replace(record, trials=tuple(trials)))
    assert [setting.epochs for setting in found.settings] == [6, 12]
    assert "(12 epochs, lr 0.001)" in found.sentence and "candidates" in found.sentence
    assert found.effects is not None and found.effects.settings == 2 and not found.effects.zero_shot
    assert "each of the 2 settings with a mean of its own" in found.effects.sentences[0]
    assert all(abs(effect.mean) < 0.08 for effect in found.effects.blocks)


def test_a_design_of_resolution_four_keeps_its_blocks_clear_of_pairs() -> None:
    """Every block but the first three thawed by the parity of others: 64 cells, the empty one measured by zero-shot."""
    rules = {7: (1, 2, 3, 4), 8: (1, 2, 5, 6), 9: (1, 3, 5, 6)}
    bases = [low for size in range(7) for low in combinations(range(1, 7), size)]
    sums = [{*low, *(block for block, of in rules.items() if len({*of} & {*low}) % 2)} for low in bases]
    cells = [tuple(sorted(cell)) for cell in sums if cell]
    effects = effects_in(subset_record([*cells, tuple(range(1, 10))], level, strategy="factorial"))
    assert (effects.design, effects.masks, effects.zero_shot, effects.clear) == ("balanced", 63, True, True)
    assert "no pair can pass for a single block" in effects.sentences[1] and effects.confounded


def test_masks_that_never_vary_one_block_without_another_have_no_effects() -> None:
    assert measured_effects(candidates_of(read(subset_record([(1,), (2,)], level)))) is None
