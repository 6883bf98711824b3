"""How often each printed test finds something in sweeps where there is nothing: rates beside the nominal 5 %.

    .venv/bin/python -m tests.tracking.false_positives [--sweeps 5000] [--seed 7] [--errors measured]

Every sweep has the 17 masks of the default one, equally good, with errors as they were measured (`equal_masks`), and is
asked all that a report prints; a family under Holm counts as one test. Beside the measured errors stand those of folds
that share nothing, and of folds that share as much as the measurement leaves open.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.tracking.equal_masks import CHANGE, MEASURED, MOST_SHARED, Errors
from tests.tracking.made_up import FOLDS, sweep_info
from tracking.analysis.contrasts import contrast
from tracking.analysis.seeds import read
from tracking.analysis.simulated_rates import Test
from tracking.analysis.winners_curse import against_best
from tracking.best_mask.block_effects import Term, block_effects
from tracking.best_mask.candidates import candidates_of
from tracking.best_mask.references import judged
from tracking.best_mask.two_way import TwoWay, two_way
from tracking.statistics import Comparison, area_between_curves, holm
from tracking.summary.two_sweeps import subtract

DEPTHS = 8
INFO = sweep_info()
TRAIN, TEST = zip(*INFO.fold_sizes, strict=True)
SHALLOW = [tuple(range(1, k + 1)) for k in range(1, DEPTHS + 1)]
DEEP = [tuple(range(10 - k, 10)) for k in range(1, DEPTHS + 1)]
ALL = tuple(range(1, 10))
MASKS: list[Term] = [*SHALLOW, *DEEP, ALL]
BLOCKS = 3  # of the network whose sets of blocks are all measured
SETS: list[Term] = [tuple(block for block in range(1, BLOCKS + 1) if bits >> (block - 1) & 1) for bits in range(8)]
NOMINAL = 0.05
PRETRAININGS = 3
BETWEEN = 0.02  # SD in Dice of what a pre-training adds to a mask: three of BUSI gave 0.624, 0.625, 0.601
DRAWS = 200  # of the bootstrap that corrects the winner's lead
NOT_PRINTED = "(not printed)"
WINNER: Test = "the winner against three references after Holm"


class Scenario(NamedTuple):
    """A name, the errors of a difference of two masks, and those of what a longer training changes."""

    name: str
    pair: Errors
    change: Errors


SCENARIOS = (
    Scenario("independent", MEASURED.with_extra(0.0), CHANGE.with_extra(0.0)),
    Scenario("measured", MEASURED, CHANGE),
    Scenario("most", MEASURED.with_extra(MOST_SHARED), CHANGE.with_extra(MOST_SHARED)),
)


def findings(rng: np.random.Generator, scenario: Scenario, *, winners: bool) -> dict[str, bool]:
    """Which tests are significant at 5 % in one sweep without any effect; `winners`: that of the winner, too."""
    one = scenario.pair.of_one()
    dice, other = (0.6 + one.draw(rng, len(MASKS)).mean(axis=2) for _ in range(2))
    change = scenario.change.draw(rng, len(MASKS)).mean(axis=2)
    shallow, deep = dice[:DEPTHS], dice[DEPTHS : 2 * DEPTHS]
    first = contrast(shallow[4] - deep[3], INFO)
    area = contrast(area_between_curves(shallow, deep), INFO)
    elsewhere = contrast(other[4] - other[DEPTHS + 3], INFO)
    mains, pairs = effects(rng, one)
    starts, again = two_ways(rng.spawn(1)[0], one), two_ways_again(rng.spawn(1)[0], one)
    plain = stats.ttest_1samp(shallow[4] - deep[3], 0.0).pvalue
    found = {
        f"plain t-test {NOT_PRINTED}": bool(plain < NOMINAL),
        "contracting − expanding": first.p < NOMINAL,
        "area between the curves": area.p < NOMINAL,
        "both after Holm": any_of([first, area]),
        "eight depths after Holm": any_of([contrast(row, INFO) for row in shallow - deep]),
        "17 masks at two budgets after Holm": any_of([contrast(row, INFO) for row in change]),
        f"any mask excluded, own spreads, Holm {NOT_PRINTED}": own_spreads(dice),
        "any mask not tied with the best, all pairs": any(
            behind.p_adjusted < NOMINAL for behind in against_best(dice, TRAIN, TEST)[1]
        ),
        "effects of blocks after Holm": any_of(mains),
        "effects of pairs of blocks after Holm": any_of(pairs),
        "starts after Holm": any_of(starts.rows),
        "masks over all starts after Holm": any_of(starts.masks),
        "interactions of start and mask after Holm": any_of(starts.interactions),
        "contracting − expanding, three pre-trainings": again.halves.p < NOMINAL,
        "starts after Holm, three pre-trainings": any_of(again.effects.rows),
        "masks over all starts after Holm, three pre-trainings": any_of(again.effects.masks),
        "interactions of start and mask after Holm, three pre-trainings": any_of(again.effects.interactions),
        "two sweeps": subtract(first, elsewhere).p < NOMINAL,
    }
    return found | ({WINNER: winner(rng, scenario.pair)} if winners else {})


def any_of(family: Sequence[Comparison]) -> bool:
    """Whether Holm leaves any of them."""
    return any(one.p_holm < NOMINAL for one in holm(family))


def own_spreads(dice: NDArray[np.float64]) -> bool:
    """The textbook way: the best against each of the others with its own spread, Holm over these 16 only."""
    best = dice[np.argmax(dice.mean(axis=1))]
    return any_of([contrast(best - row, INFO) for row in dice])


def winner(rng: np.random.Generator, pair: Errors) -> bool:
    """Whether the winner, corrected for its choice, is shown to be above contracting, expanding or all."""
    record = pair.record(rng, MASKS, lambda _: 0.6)
    return any(
        one.p_holm < NOMINAL for one in judged(candidates_of(read(record)), DRAWS).against if one.name != "zero-shot"
    )


def effects(rng: np.random.Generator, one: Errors) -> tuple[list[Comparison], list[Comparison]]:
    """The effects of blocks, and of pairs of them, where none has any."""
    found = block_effects(SETS, 0.6 + one.draw(rng, len(SETS)).mean(axis=2), replace(INFO, n_blocks=BLOCKS))
    assert found is not None
    return [effect.comparison for effect in found.mains], [effect.comparison for effect in found.pairs]


def two_ways(rng: np.random.Generator, one: Errors) -> TwoWay:
    """The effects of three starts and three masks, where all nine are equally good."""
    dice = (0.6 + one.draw(rng, 9).mean(axis=2)).reshape(3, 3, 1, FOLDS)
    return two_way(dice, ("a", "b", "c"), ("1-5", "6-9", "all"), INFO)


class Again(NamedTuple):
    """What is tested where pre-trainings were repeated."""

    halves: Comparison
    effects: TwoWay


def two_ways_again(rng: np.random.Generator, one: Errors) -> Again:
    """The same with three pre-trainings of each start, which move all folds of a mask alike."""
    dice = (0.6 + one.draw_again(rng, 9, PRETRAININGS, BETWEEN)).reshape(3, 3, PRETRAININGS, FOLDS)
    return Again(contrast(dice[0, 0] - dice[0, 1], INFO), two_way(dice, ("a", "b", "c"), ("1-5", "6-9", "all"), INFO))


def rates(scenario: Scenario, sweeps: int, seed: int, *, winners: bool = True) -> dict[str, float]:
    """The rate of every test over so many sweeps; that of the winner takes twice as long as all others."""
    rng = np.random.default_rng(seed)
    runs = [findings(rng, scenario, winners=winners) for _ in range(sweeps)]
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


def show(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print the rates, a column for each scenario."""
    names = next(iter(found.values()))
    print(f"\n{'false positives, %':64}" + "".join(f"{name:>13}" for name in found) + "      nominal")
    for name in names:
        print(f"{name:64}" + "".join(f"{100 * of[name]:13.1f}" for of in found.values()) + f"{100 * NOMINAL:13.1f}")


def main(arguments: Sequence[str]) -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=7)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--errors", nargs="+", choices=names, default=names)
    given = parser.parse_args(arguments)
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in given.errors]
    for scenario in scenarios:
        shares = " and ".join(f"{errors.extra:.2f}" for errors in (scenario.pair, scenario.change))
        print(f"{scenario.name}: c = {shares} (a difference of two masks, a longer training)")
    show({scenario.name: rates(scenario, given.sweeps, given.seed) for scenario in scenarios})


if __name__ == "__main__":
    main(sys.argv[1:])
