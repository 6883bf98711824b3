from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import leaky_record, repeated, scratch_info, summary_of, trial_info, trial_record
from tracking.analysis.trial import summarise_trial
from tracking.record import SweepRecord, TrialInfo
from tracking.summary.sweep import summarise
from tracking.summary.wording import (
    TRIAL_HEADS,
    convergence_sentence,
    is_main,
    is_shown,
    leakage_heads,
    leakage_rows,
    name_of,
    noise_cells,
    orders_of,
    setting,
    trial_cells,
)

CONTRACTING = trial_info("shallow-first", 5)


@pytest.mark.parametrize(
    ("info", "name", "order"),
    [
        (CONTRACTING, "1-5 (contracting)", "shallow-5"),
        (
            replace(CONTRACTING, candidate=replace(CONTRACTING.candidate, train=(("batch", 8),))),
            "1-5 (contracting), batch 8",
            "shallow-5",
        ),
        (trial_info("shallow-first", 9), "all", "shallow-9, deep-9"),
        (scratch_info(), "all from scratch", "shallow-9, deep-9"),
        (trial_info("", 0), "none (zero-shot)", ""),
    ],
)
def test_a_trial_by_name(info: TrialInfo, name: str, order: str) -> None:
    trial = summarise_trial(trial_record(info))
    assert (name_of(trial), orders_of(trial)) == (name, order)
    assert trial_cells(trial)[:2] == [name, order] and len(trial_cells(trial)) == len(TRIAL_HEADS)


def test_the_main_setting_and_what_stands_in_its_table(record: SweepRecord) -> None:
    summary = summary_of(record)
    assert setting(summary) == "12 epochs, learning rate 0.001"
    assert setting(summarise(replace(record, trials=()))) == "no finished trial"
    shown = [one for one in summary.trials if is_shown(one, summary)]
    assert len(shown) == 19 and [one.role for one in shown if not is_main(one, summary)] == ["zero-shot"]


def test_noise_has_a_column_only_where_trials_were_repeated(record: SweepRecord) -> None:
    once, thrice = summary_of(record), summarise(repeated(record))
    assert noise_cells(None, once) == [] and noise_cells(None, thrice) == [""]
    leaky = summarise(replace(record, trials=(*record.trials, leaky_record(CONTRACTING))))
    assert leaky.leakage is not None
    assert [len(row) for row in leakage_rows(leaky.leakage, leaky)] == [len(leakage_heads(leaky))]


def test_what_more_epochs_change_in_one_sentence(record: SweepRecord) -> None:
    summary = summary_of(record)
    said = convergence_sentence(summary.convergence[0], summary)
    assert said.startswith("From 6 to 12 epochs the median absolute change in Dice over 4 masks is ")
    assert "The paper reports" in said
    own = replace(summary, settings={"model": {"path": "my.keras"}})
    assert "The paper reports" not in convergence_sentence(summary.convergence[0], own)
