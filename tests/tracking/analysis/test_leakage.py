"""The inflation by hand, and that a leaky trial moves no other number."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sweeps.commands.champion import cautions, choose
from tests.tracking.made_up import (
    leaky_record,
    rendered,
    repeated,
    scratch_info,
    summary_of,
    trial_info,
    trial_record,
    with_seed,
)
from tracking.analysis.leakage import Leakage
from tracking.as_json import to_json
from tracking.record import SweepRecord, TrialInfo, TrialRecord
from tracking.report.formats import figures
from tracking.report.text import to_text
from tracking.summary.gaps import UnfinishedTrial
from tracking.summary.sweep import summarise
from trainer.results import original_of

CONTRACTING, EXPANDING = trial_info("shallow-first", 5), trial_info("deep-first", 4)


def plus(record: SweepRecord, *leaky: TrialRecord) -> SweepRecord:
    return replace(record, trials=(*record.trials, *leaky))


def leakage_of(record: SweepRecord) -> Leakage:
    """What the report says of a sweep with leaky trials."""
    leakage = summary_of(record).leakage
    assert leakage is not None
    return leakage


def by_hand(leaky: TrialRecord, honest: TrialRecord) -> dict[str, float]:
    """image -> mean Dice of its versions minus its honest Dice."""
    known = {score.image: score.dice for _, score in honest.scores if not np.isnan(score.dice)}
    return {
        name: float(np.mean([score.dice for _, score in leaky.scores if original_of(score.image) == name])) - dice
        for name, dice in known.items()
    }


def test_inflation_is_the_mean_over_original_images(record: SweepRecord) -> None:
    leaky, honest = leaky_record(CONTRACTING), trial_record(CONTRACTING)
    (one,) = leakage_of(plus(record, leaky)).compared
    values = np.array(list(by_hand(leaky, honest).values()))
    assert one.images == len(values) == 29 and one.inflation == pytest.approx(values.mean())
    means = np.mean(honest.folds["dice"]), np.mean(leaky.folds["dice"])
    assert (one.honest, one.leaky) == pytest.approx(means)
    assert one.difference == pytest.approx(means[1] - means[0]) and one.noise is None
    draws = np.random.default_rng(1).choice(values, (20_000, 29)).mean(axis=1)  # other draws: the same up to their luck
    assert (one.low, one.high) == pytest.approx(np.percentile(draws, [2.5, 97.5]), abs=1.5e-3)


def test_over_several_seeds_each_is_paired_with_its_own(record: SweepRecord) -> None:
    honest = [with_seed(trial_record(CONTRACTING), seed) for seed in (0, 1, 2)]
    leaky = [leaky_record(one.info) for one in honest]
    (one,) = leakage_of(plus(repeated(record), *leaky)).compared
    each = [np.mean(list(by_hand(*pair).values())) for pair in zip(leaky, honest, strict=True)]
    assert one.images == 29 and one.inflation == pytest.approx(np.mean(each))
    assert "(SD over 3 repeats" in leakage_of(plus(repeated(record), *leaky)).detail
    assert (
        one.noise is not None
        and one.noise.per_seed == pytest.approx(each)
        and one.noise.sd == pytest.approx(np.std(each, ddof=1))
    )


@pytest.mark.parametrize("lift", [-0.3, 0.0, 0.35])
@pytest.mark.parametrize("prepare", [lambda record: record, repeated], ids=["one seed", "three seeds"])
def test_leaky_trials_move_no_other_field(
    record: SweepRecord, lift: float, prepare: Callable[[SweepRecord], SweepRecord]
) -> None:
    whole = prepare(record)
    leaky = [
        leaky_record(replace(one.info, candidate=replace(one.info.candidate, epochs=epochs)), lift)
        for one in whole.finished
        if one.info.role != "zero-shot"
        for epochs in (one.info.candidate.epochs, 99)  # a larger budget than any: it must not become the main one
    ]
    before, after = (json.loads(to_json(summary_of(one))) for one in (whole, plus(whole, *leaky)))
    compared = after.pop("leakage")["compared"]
    assert len(compared) == sum(one["role"] != "zero-shot" for one in before["trials"]) > 20
    assert before.pop("leakage") is None and before == after


@pytest.mark.slow
def test_no_figure_shows_a_leaky_trial(record: SweepRecord) -> None:
    more = plus(record, leaky_record(CONTRACTING, 0.4))
    assert figures(summary_of(more), more) == figures(summary_of(record), record)


def test_no_champion_is_leaky(record: SweepRecord) -> None:
    with_leaky = plus(record, leaky_record(CONTRACTING, 0.4), leaky_record(scratch_info(), 0.4))
    chosen, rivals = choose(with_leaky, None)
    assert chosen is choose(record, None)[0] and len(rivals) == 21  # 17 at 12 epochs, 4 at 6
    assert cautions(with_leaky, chosen) == cautions(record, chosen)


def test_the_sentence_stands_in_every_form(record: SweepRecord) -> None:
    whole = plus(record, leaky_record(CONTRACTING), leaky_record(EXPANDING))
    leakage = leakage_of(whole)
    (one,) = [one for one in leakage.compared if one.mask == "1-5"]
    sentence = f"would have shown {one.leaky:.3f} for contracting (1-5): {one.difference:+.3f} too much."
    assert sentence in leakage.sentence
    for text in (rendered(whole), rendered(whole, "markdown"), to_text(summary_of(whole))):
        assert sentence in text
    assert "Contracting − expanding would have read" in leakage.detail and "descriptive" in leakage.detail
    rows = list(csv.DictReader(io.StringIO(rendered(whole, "csv"))))
    assert [row["mask"] for row in rows if row["split"] == "leaky"] == [one.mask for one in leakage.trials]
    assert len([row for row in rows if row["split"] == "grouped"]) == 23
    assert "augmented before the split" not in rendered(record) + rendered(record, "markdown")


@pytest.mark.parametrize(("lifted", "words"), [(EXPANDING, "would have put 6-9 first"), (CONTRACTING, None)])
def test_another_winner_is_named(record: SweepRecord, lifted: TrialInfo, words: str | None) -> None:
    leaky = [leaky_record(one, 0.4 if one is lifted else 0.0) for one in (CONTRACTING, EXPANDING)]
    said = leakage_of(plus(record, *leaky)).sentence
    assert ("would have put" in said) == (words is not None) and (words or "") in said


def test_where_it_did_not_inflate_it_says_so(record: SweepRecord) -> None:
    assert leakage_of(plus(record, leaky_record(CONTRACTING, -0.2))).sentence.endswith(", no inflation shown.")


def test_a_leaky_trial_alone_has_no_inflation(record: SweepRecord) -> None:
    lone = leaky_record(trial_info("shallow-first", 5, epochs=40))
    leakage = leakage_of(plus(record, lone))
    assert leakage.compared == () and leakage.without_honest == ("1-5 · 40 epochs · lr 0.001 · leaky split",)
    assert "no inflation is known" in leakage.sentence and "1-5 · 40 epochs" in rendered(plus(record, lone))


def test_an_unfinished_leaky_trial_is_named(record: SweepRecord) -> None:
    found = summarise(plus(record, leaky_record(CONTRACTING, status="RUNNING")))
    assert found.leakage is None
    assert UnfinishedTrial("1-5 · 12 epochs · lr 0.001 · leaky split", 5) in found.unfinished
