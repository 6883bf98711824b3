"""What each block does in a sweep: which trials they are estimated from, their sizes, and their sentences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracking.analysis.contrasts import Difference, difference
from tracking.best_mask.block_effects import Effects, Term, block_effects, usable
from tracking.best_mask.candidates import Candidates, setting_of
from tracking.best_mask.confounding import confounded
from tracking.best_mask.sentences import signed
from tracking.record import SweepInfo, TrialRecord
from tracking.units import WORDS, unit_of

UNBIASED = ("grid", "exhaustive", "factorial", "random", "qmc")  # strategies whose masks do not depend on their scores


@dataclass(frozen=True, kw_only=True)
class BlockEffect(Difference):
    """The effect of one `block`: mean Dice with it thawed minus frozen; `p_holm` over all blocks."""

    block: int


@dataclass(frozen=True, kw_only=True)
class PairEffect(Difference):
    """The interaction of two `blocks`: half of what thawing one brings more when the other is thawed too; `p_holm` over
    all pairs.
    """

    blocks: Term


@dataclass(frozen=True)
class MeasuredEffects:
    """What each block does, and each pair of blocks. `masks` of `possible` sets were measured; `zero_shot`: whether the
    score without training is among them (with a mean of its own, so that it moves no effect); `settings`: how many
    were searched, each with a mean of its own.

    `design`: `full` (every set), `balanced` (every block thawed in half of the masks, whatever the others do) or
    `sample`. `blocks` and `pairs` with their effects; no pairs where the masks cannot tell them apart. `inseparable`:
    blocks without an effect of their own; `clear`: no pair can pass for a block; `confounded`: effects that these masks
    cannot tell apart, in words; `sentences`: what to say of it all.
    """

    masks: int
    possible: int
    zero_shot: bool
    settings: int
    design: Literal["full", "balanced", "sample"]
    blocks: tuple[BlockEffect, ...]
    pairs: tuple[PairEffect, ...]
    inseparable: Term
    clear: bool
    confounded: tuple[str, ...]
    sentences: tuple[str, ...]


def measured_effects(candidates: Candidates) -> MeasuredEffects | None:
    """The effects of a sweep's blocks; None when no block has any.

    With one setting the zero-shot score is the set of no block in a design. It has a mean of its own: no training at
    all is further from any set than sets are from each other, and in a design of 64 cells it bends every effect
    (tests/benchmarks/factorial_effects.py, `--apart`).
    """
    trials, means = _trials_for_effects(candidates)
    masks, info = [trial.info.blocks for trial in trials], candidates.info
    effects = block_effects(
        masks, np.array([candidates.repeats.by_pretraining(trial) for trial in trials]), info, means
    )
    if effects is None:
        return None
    distinct = list(dict.fromkeys(masks))
    blocks, pairs = _block_effects(effects, info), _pair_effects(effects, info)
    measured, possible = len({mask for mask in distinct if mask}), 2**info.n_blocks - 1
    settings, zero_shot = len(candidates.settings), () in distinct
    head = f"{_definition(measured, possible, settings, zero_shot, info)} {_largest(blocks, info)}"
    return MeasuredEffects(
        masks=measured,
        possible=possible,
        zero_shot=zero_shot,
        settings=settings,
        design=effects.design,
        blocks=blocks,
        pairs=pairs,
        inseparable=effects.inseparable,
        clear=effects.clear,
        confounded=() if pairs else tuple(group.words for group in confounded(distinct, info.n_blocks)),
        sentences=(head, *_caveats(effects, pairs, info)),
    )


def _block_effects(effects: Effects, info: SweepInfo) -> tuple[BlockEffect, ...]:
    return tuple(
        BlockEffect(**vars(difference(effect.comparison, info)), block=effect.blocks[0]) for effect in effects.mains
    )


def _pair_effects(effects: Effects, info: SweepInfo) -> tuple[PairEffect, ...]:
    return tuple(
        PairEffect(**vars(difference(effect.comparison, info)), blocks=effect.blocks) for effect in effects.pairs
    )


def _trials_for_effects(candidates: Candidates) -> tuple[list[TrialRecord], list[Hashable]]:
    """The trials to take effects from, and what has a mean of its own for each."""
    trials = list(candidates.trials)
    if len(candidates.settings) > 1:
        return trials, [setting_of(trial.info.candidate) for trial in trials]
    trials += candidates.references.get("zero-shot", ())
    masks = [trial.info.blocks for trial in trials]
    usable_trials = [trials[index] for index in usable(masks, candidates.info.n_blocks, _baselines(candidates))]
    return usable_trials, [bool(trial.info.blocks) for trial in usable_trials]


def _baselines(candidates: Candidates) -> set[Term]:
    """The masks that are measured whatever a design asks for."""
    info = candidates.info
    named = {info.named_masks.get(name) for name in ("contracting", "expanding")}
    measured = {trial.info.blocks for trial in candidates.trials if trial.info.candidate.mask in named}
    return measured | {(), (info.n_blocks,), tuple(range(1, info.n_blocks + 1))}


def _definition(masks: int, possible: int, settings: int, zero_shot: bool, info: SweepInfo) -> str:
    which = f"all {possible}" if masks == possible else f"{masks} of {possible:,}"
    empty = ", the zero-shot score apart" if zero_shot else ""
    offsets = f", each of the {settings} settings with a mean of its own" if settings > 1 else ""
    return f"Effect of a {_unit_word(info)}: mean Dice with it thawed minus frozen, over {which} masks{empty}{offsets}."


def _largest(blocks: Sequence[BlockEffect], info: SweepInfo) -> str:
    largest = max(blocks, key=lambda effect: abs(effect.mean))
    return f"Largest: {_unit_word(info)} {largest.block}, {signed(largest)}."


def _caveats(effects: Effects, pairs: Sequence[PairEffect], info: SweepInfo) -> list[str]:
    """How far the effects can be believed."""
    unit, sentences = _unit_word(info), []
    if pairs:
        pair = max(pairs, key=lambda effect: abs(effect.mean))
        sentences.append(
            "Interaction of two: half of what one brings more when the other is thawed too. Largest: "
            f"{'×'.join(map(str, pair.blocks))}, {signed(pair)}."
        )
    elif effects.clear:
        sentences.append(f"These masks cannot tell pairs of {unit}s apart; no pair can pass for a single {unit}.")
    else:
        sentences.append(
            f"These masks cannot tell interactions: the effects suppose that {unit}s add up, and what pairs do "
            "together shows up in them."
        )
    if effects.inseparable:
        blocks = ", ".join(map(str, effects.inseparable))
        sentences.append(f"Without an effect of their own, for these masks never vary them alone: {unit} {blocks}.")
    strategy = dict(info.spec.get("search") or {}).get("strategy", "grid")
    if effects.design == "sample" and strategy not in UNBIASED:
        sentences.append(
            f"'{strategy}' chose the masks by their scores, so these effects lean towards where it looked."
        )
    return sentences


def _unit_word(info: SweepInfo) -> str:
    return WORDS[unit_of(info.spec)]
