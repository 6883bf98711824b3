"""Learning rate x mask: whether the rate changes which mask is best.

One rate for all masks handicaps some of them: few shallow blocks can take a larger one than the whole network. Where a
sweep measured several rates, it is read as a table at its largest budget (`two_way`), from the sweep's own start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracking.analysis.comparisons import at_setting, main_setting
from tracking.analysis.seeds import Reading
from tracking.best_mask.start_words import dependence
from tracking.best_mask.two_way import Interaction, two_way


@dataclass(frozen=True)
class RateTable:
    """Learning rate x mask at `epochs`. `rates`, rising, and `best`: the best mask of each; `masks`: those that were
    measured at every rate, cheapest first; `interactions`: what a mask brings at a rate beyond what both add up to
    (`name` is the rate). `depends`: whether one was shown (Holm p up to 0.05). `sentence`: all of it in words.
    """

    epochs: int
    rates: tuple[float, ...]
    best: tuple[str, ...]
    masks: tuple[str, ...]
    interactions: tuple[Interaction, ...]
    depends: bool
    sentence: str


def rate_table(reading: Reading) -> RateTable | None:
    """The table of a sweep; None for fewer than two rates, or masks that were measured at all of them."""
    info, done = reading.honest.info, reading.honest.finished
    epochs, main_rate = main_setting(done)
    main = at_setting(done, epochs, main_rate)
    train = main[0].info.candidate.train if main else ()
    every = sorted({trial.info.candidate.learning_rate for trial in done if trial.info.candidate.epochs == epochs})
    by_rate = {rate: {one.info.candidate.mask: one for one in at_setting(done, epochs, rate, train)} for rate in every}
    by_rate = {rate: trials for rate, trials in by_rate.items() if len(trials) > 1}
    common = set.intersection(*map(set, by_rate.values())) if len(by_rate) > 1 else set()
    if epochs is None or len(common) < 2:
        return None
    rates = tuple(by_rate)
    first = by_rate[rates[0]]
    masks = sorted(common, key=lambda mask: (first[mask].info.trainable_params, mask))
    names = [f"lr {rate:g}" for rate in rates]
    dice = np.array([[reading.repeats.by_pretraining(by_rate[rate][mask]) for mask in masks] for rate in rates])
    effects = two_way(dice, names, masks, info)
    best = tuple(max(masks, key=lambda mask: by_rate[rate][mask].mean_dice) for rate in rates)
    said = dependence("rate", dict(zip(names, best, strict=True)), effects)
    sentence = f"Learning rate and mask: {said[:1].lower()}{said[1:]}."
    return RateTable(epochs, rates, best, tuple(masks), effects.interactions, effects.depends, sentence)
