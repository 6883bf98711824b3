"""Several sweeps on the same folds: whose best mask is best, corrected for every choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tracking.made_up import subset_record
from tracking.record import SweepRecord
from tracking.report.formats import render_many
from tracking.summary.many_sweeps import are_other_networks, compare_many
from trainer.errors import UserError

MASKS = [(1,), (2,), (1, 2), (3,), (1, 3)]


def named(name: str, level: Callable[[tuple[int, ...]], float], seed: int = 0, noise: float = 0.01) -> SweepRecord:
    made = subset_record(MASKS, level, seed=seed, noise=noise)
    return replace(made, info=replace(made.info, name=name), run_id=name)


def flat(dice: float) -> Callable[[tuple[int, ...]], float]:
    return lambda blocks: dice


def test_a_sweep_that_is_better_is_found_and_its_lead_is_corrected() -> None:
    many = compare_many([named("a", flat(0.6), 1), named("b", flat(0.8), 2), named("c", flat(0.5), 3)])
    assert [best.sweep for best in many.sweeps] == ["b", "a", "c"]
    assert [(pair.first, pair.second) for pair in many.pairs] == [("b", "a"), ("b", "c"), ("a", "c")]
    assert many.sentence.startswith("b is best, with mask")
    assert many.pairs[0].mean == pytest.approx(0.2, abs=0.03) and many.pairs[0].p_holm < 0.05


def test_equal_sweeps_differ_in_nothing_though_one_had_more_to_choose_from() -> None:
    few = named("few", flat(0.6), 1, noise=0.04)
    few = replace(few, trials=few.trials[:2] + few.trials[-1:])
    many = compare_many([few, named("many", flat(0.6), 2, noise=0.04), named("third", flat(0.6), 3, noise=0.04)])
    assert many.sentence.startswith("No one sweep is shown to be best")
    assert all(pair.low < 0 < pair.high for pair in many.pairs)


def test_other_folds_and_a_sweep_twice_are_refused() -> None:
    one, two, three = (named(name, flat(0.6)) for name in "abc")
    turned = replace(three, info=replace(three.info, folds=three.info.folds[::-1]))
    with pytest.raises(UserError, match="on the same images in the same folds only"):
        compare_many([one, two, turned])
    with pytest.raises(UserError, match="one is named twice"):
        compare_many([one, two, one])
    with pytest.raises(UserError, match="'c' has no finished mask"):
        compare_many([one, two, replace(three, trials=())])


def test_networks_with_other_blocks_share_their_best_masks_alone() -> None:
    one, two = named("a", flat(0.6), 1), named("b", flat(0.8), 2)
    encoder = replace(two, info=replace(two.info, n_blocks=10))
    assert are_other_networks(one, encoder) and not are_other_networks(one, two)
    elsewhere = replace(encoder, info=replace(encoder.info, folds=encoder.info.folds[::-1]))
    assert not are_other_networks(one, elsewhere)
    assert "Holm" not in compare_many([one, encoder]).sentence


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
def test_every_form_has_all_pairs_and_says_synthetic(form: str) -> None:
    many = compare_many([named("a", flat(0.6), 1), named("b", flat(0.8), 2), named("c", flat(0.5), 3)])
    text = render_many(many, form)
    assert all(name in text for name in ("a", "b", "c")) and "ynthetic" in text
    with pytest.raises(UserError, match="html, json or markdown"):
        render_many(many, "csv")
