from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import leaky_record, repeated, summary_of, trial_info, trial_record, with_seed
from tracking.record import SweepRecord
from tracking.report.page_seeds import differences_table, leakage_section, noise_section
from tracking.summary.sweep import summarise

CONTRACTING = trial_info("shallow-first", 5)


def test_every_repeated_trial_has_its_noise(record: SweepRecord) -> None:
    section = noise_section(summarise(repeated(record)))
    assert "with the seeds 0, 1, 2" in section and section.count("<tr>") == 1 + 18
    assert differences_table(summarise(repeated(record))).count("<tr>") == 1 + 2


def test_with_one_seed_there_is_a_sentence_and_no_table(record: SweepRecord) -> None:
    section = noise_section(summary_of(record))
    assert "noise floor is not measured" in section and "<table" not in section
    assert differences_table(summary_of(record)) == "" and noise_section(summarise(replace(record, trials=()))) == ""


def test_a_seed_that_was_left_out_is_named(record: SweepRecord) -> None:
    more = replace(record, trials=(*record.trials, with_seed(trial_record(CONTRACTING), 5)))
    assert "for every mask: 1-5 · 12 epochs · lr 0.001 · seed 5." in noise_section(summary_of(more))


def test_leaky_trials_stand_beside_their_honest_ones(record: SweepRecord) -> None:
    lone = trial_info("shallow-first", 5, epochs=40)
    leaky = replace(record, trials=(*record.trials, leaky_record(CONTRACTING), leaky_record(lone)))
    section = leakage_section(summary_of(leaky))
    assert (
        section.count("<table") == 2
        and "No honest trial to compare with: 1-5 · 40 epochs · lr 0.001 · leaky split." in section
    )
    alone = leakage_section(summarise(replace(record, trials=(*record.trials, leaky_record(lone)))))
    assert alone.count("<table") == 1 and leakage_section(summary_of(record)) == ""
