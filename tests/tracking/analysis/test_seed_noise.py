"""The noise floor against numpy by hand: of every mask, and of every printed difference, paired by seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, rendered, repeated, summary_of, trial_info
from tracking.analysis.seed_noise import pooled_sd, seed_noise
from tracking.record import SweepRecord
from tracking.report.text import to_text
from tracking.summary.sweep import SweepSummary, summarise

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def found(record: SweepRecord) -> SweepSummary:
    return summarise(repeated(record, SEEDS))


def dice(order: str, depth: int, seed: int, epochs: int = 12) -> float:
    """Mean over folds of one seed's trial, from the results that it was made of."""
    info = trial_info(order, depth, epochs)
    results = fold_results(replace(info, candidate=replace(info.candidate, seed=seed)))
    return float(np.mean([result.mean("dice") for result in results]))


def differences(left: tuple[str, int], right: tuple[str, int]) -> list[float]:
    return [dice(*left, seed) - dice(*right, seed) for seed in SEEDS]


@pytest.mark.parametrize("values", [[0.1, 0.4], [0.5, 0.5, 0.5], [0.1, -0.2, 0.35, 0.0]])
def test_sd_and_standard_error(values: list[float]) -> None:
    found = seed_noise(values)
    assert found is not None and found.per_seed == tuple(values)
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert found.se == pytest.approx(np.std(values, ddof=1) / np.sqrt(len(values)))


def test_one_seed_has_no_noise() -> None:
    assert seed_noise([0.7]) is None and seed_noise([]) is None
    assert np.isnan(pooled_sd([[0.7], [0.8]])[0])


def test_pooling_is_the_root_mean_square_of_the_masks_sds() -> None:
    table = np.random.default_rng(0).normal(0.7, 0.02, (17, 3))
    sd, df = pooled_sd(table.tolist())
    assert sd == pytest.approx(np.sqrt(np.mean(table.std(axis=1, ddof=1) ** 2))) and df == 17 * 2


def test_of_every_mask_and_pooled(found: SweepSummary) -> None:
    sds = []
    for one in found.trials:
        if one.role == "trial" and one.epochs == 12:
            order, depth = one.orders[0]
            each = [dice(order, depth, seed) for seed in SEEDS]
            assert one.noise is not None and one.noise.per_seed == pytest.approx(each)
            assert one.noise.sd == pytest.approx(np.std(each, ddof=1))
            sds.append(np.std(each, ddof=1))
    noise = found.noise
    assert (noise.masks, noise.df, noise.seeds) == (17, 34, (0, 1, 2))
    assert noise.sd == pytest.approx(np.sqrt(np.mean(np.square(sds))))


def test_of_every_difference(found: SweepSummary) -> None:
    comparison = found.comparison
    expected = differences(("shallow-first", 5), ("deep-first", 4))
    one, area = comparison.contracting_vs_expanding, comparison.area_between_curves
    assert one is not None and one.noise is not None and area is not None and area.noise is not None
    assert one.noise.per_seed == pytest.approx(expected) and one.mean == pytest.approx(np.mean(expected))
    depths = [differences(("shallow-first", k), ("deep-first", k)) for k in range(1, 9)]
    assert area.noise.sd == pytest.approx(np.mean(depths, axis=0).std(ddof=1))
    for given, each in zip(comparison.by_depth, depths, strict=True):
        assert given.noise is not None and given.noise.sd == pytest.approx(np.std(each, ddof=1))
    assert found.per_epochs[1].contracting_vs_expanding == one
    (step,) = found.convergence
    (longer,) = [given for given in step.masks if given.mask == "1-5"]
    gains = [dice("shallow-first", 5, seed, 12) - dice("shallow-first", 5, seed, 6) for seed in SEEDS]
    assert longer.noise is not None and longer.noise.per_seed == pytest.approx(gains)


def test_of_the_distance_from_the_best(found: SweepSummary) -> None:
    answer = found.best_mask
    assert answer is not None
    means = {(one.mask, one.epochs): one.noise.per_seed for one in found.trials if one.role == "trial" and one.noise}
    best = means[answer.best.mask, answer.best.epochs]
    for one in answer.compared:
        expected = np.subtract(best, means[one.mask, one.epochs])
        if not expected.any():
            assert one.noise is None
        else:
            assert one.noise is not None and one.noise.per_seed == pytest.approx(expected.tolist())
            assert one.behind == pytest.approx(np.mean(expected))


def test_it_stands_in_words_beside_the_verdict(found: SweepSummary, record: SweepRecord) -> None:
    one = found.comparison.contracting_vs_expanding
    assert one is not None and one.noise is not None
    sd = one.noise.sd
    words = f"repeating with another seed moves this difference by about ±{sd:.3f} (SD over 3 repeats"
    assert words in found.verdict.sentence
    floor = f"Another seed moves a mask's mean Dice by about ±{found.noise.sd:.3f} (SD over 3 seeds, pooled over 17"
    page, text = rendered(repeated(record), "html"), rendered(repeated(record), "markdown")
    assert floor.replace("'", "&#39;") in page and floor in text and floor in to_text(found)
    assert "seed SD (SE)" in page and f"±{sd:.3f}" in page and "seed SD (SE)" in text and "not measured" not in page


def test_with_one_seed_it_is_said_once_how_to_measure_it(record: SweepRecord) -> None:
    for form in ("html", "markdown"):
        page = rendered(record, form)
        assert page.count("noise floor is not measured") == 1 and "seed SD" not in page
        assert page.count("search.seeds=[0,1,2]") == 1
    assert "another seed" not in summary_of(record).verdict.sentence


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"search": {"seeds": [], "strategy": "tpe"}}, "repeat the masks in question as a list, under the same --name"),
        ({"search": {"strategy": "factorial"}}, "repeat the command with --set 'search.seeds=["),
        ({"search": {"seeds": [0, 1]}}, "no mask has finished with all of its 2 seeds"),
    ],
)
def test_what_keeps_it_from_being_known(record: SweepRecord, spec: dict[str, Any], words: str) -> None:
    assert words in summarise(replace(record, info=replace(record.info, spec=spec))).noise.sentence
