"""How often each printed test finds something where there is nothing: `-n 0 -s` shows rates beside nominal ones.

The generator (after `Nadeau and Bengio`'s setting, sizes of the BUSI sweep): 160 images in 5 folds, `MASKS` masks of
equal true Dice. The Dice of an image under a mask is a difficulty that all masks share, plus noise of its own, plus an
error of that mask's network in that fold, SD 0.02 (0.03 for a difference of two). Half of that error's variance may be
shared by all folds of a mask (`shared=0.5`), because their training sets overlap: the harder null, on which a plain
t-test is far too sure, and beyond the correlation of 0.2 that the correction is made for.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tracking.analysis.winners_curse import against_best
from tracking.statistics import Comparison, area_between_curves, corrected_t, holm
from tracking.summary.two_sweeps import subtract

FOLDS, PER_FOLD, DEPTHS = 5, 32, 8
MASKS = 2 * DEPTHS + 1
TRAIN, TEST = [128] * FOLDS, [32] * FOLDS
SWEEPS = 500
NOMINAL = 0.05


def errors(rng: np.random.Generator, shared: float, training: float = 0.02) -> NDArray[np.float64]:
    """(masks, folds): what images and trainings add to the mean Dice of equal masks."""
    own = rng.normal(0, 0.1, (MASKS, FOLDS, PER_FOLD)).mean(axis=2)
    common = rng.normal(0, training * np.sqrt(shared), (MASKS, 1))
    fold = rng.normal(0, training * np.sqrt(1 - shared), (MASKS, FOLDS))
    return np.asarray(own + common + fold, np.float64)


def null_sweep(rng: np.random.Generator, shared: float) -> NDArray[np.float64]:
    """(masks, folds) mean Dice without any true difference between the masks."""
    difficulty = rng.normal(0.6, 0.2, (FOLDS, PER_FOLD)).mean(axis=1)  # cancels in every paired difference
    return np.asarray(difficulty + errors(rng, shared), np.float64)


def test_of(differences: NDArray[np.float64]) -> Comparison:
    return corrected_t(list(differences), TRAIN, TEST)


test_of.__test__ = False  # type: ignore[attr-defined]  # a helper, not a test


def findings(rng: np.random.Generator, shared: float) -> dict[str, bool]:
    """Which printed tests are significant at 5 % in one sweep without any effect; Holm families count as one."""
    dice, other = null_sweep(rng, shared), null_sweep(rng, shared)
    change = errors(rng, shared) - errors(rng, shared)  # what a longer training shifts
    shallow, deep = dice[:DEPTHS], dice[DEPTHS : 2 * DEPTHS]
    first = test_of(shallow[4] - deep[3])
    area = test_of(np.array(area_between_curves(shallow, deep)))
    by_depth = holm([test_of(row) for row in shallow - deep])
    convergence = holm([test_of(row) for row in change])
    elsewhere = test_of(other[4] - other[DEPTHS + 3])
    plain = stats.ttest_1samp(shallow[4] - deep[3], 0.0).pvalue
    return {
        "plain t-test (not printed)": bool(plain < NOMINAL),
        "contracting - expanding": first.p < NOMINAL,
        "area between the curves": area.p < NOMINAL,
        "both, Holm": min(one.p_holm for one in holm([first, area])) < NOMINAL,
        "eight depths, Holm": min(one.p_holm for one in by_depth) < NOMINAL,
        "17 masks, longer budget, Holm": min(one.p_holm for one in convergence) < NOMINAL,
        "any mask excluded, own spreads, Holm (not printed)": holm_excludes(dice),
        "any equal mask not tied with the best": any(
            one.p_adjusted <= NOMINAL for one in against_best(dice, TRAIN, TEST)[1]
        ),
        "two sweeps": subtract(first, elsewhere).p < NOMINAL,
    }


def holm_excludes(dice: NDArray[np.float64]) -> bool:
    """The textbook way: the best against each of the others with its own spread, Holm over these 16 only."""
    best = dice[np.argmax(dice.mean(axis=1))]
    return any(one.p_holm < NOMINAL for one in holm([test_of(best - row) for row in dice]))


@pytest.mark.parametrize(("shared", "most"), [(0.0, 0.05), (0.5, 0.12)], ids=["independent", "half-shared"])
def test_false_positive_rates(shared: float, most: float) -> None:
    rng = np.random.default_rng(7)
    runs = [findings(rng, shared) for _ in range(SWEEPS)]
    rates = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    print(f"\n{'false positives, ' + ('half-shared' if shared else 'independent') + ' fold noise':52s} rate  nominal")
    for name, rate in rates.items():
        print(f"{name:52s} {rate:.3f}  {NOMINAL:.2f}")
    error = 2 * np.sqrt(most * (1 - most) / SWEEPS)
    printed = {name: rate for name, rate in rates.items() if "not printed" not in name}
    assert {name: rate for name, rate in printed.items() if rate > most + error} == {}
    if shared:  # the generator is hard enough to catch a test that is too sure
        assert min(rate for name, rate in rates.items() if name not in printed) > most + error
