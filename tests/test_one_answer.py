"""One answer: for any list of trials, constraints and baselines, report, `thaw best`, champion and what is written to
MLflow name the same winner, ties and cheapest choice.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from html import unescape

import pytest
from rich.console import Console

from sweeps.commands.best import best, show
from sweeps.commands.champion import choose
from tests.tracking.drawn_records import drawn_record
from tests.tracking.made_up import rendered, subset_record
from tracking.analysis.learning import learned_nothing
from tracking.analysis.seeds import read
from tracking.as_json import to_json
from tracking.best_mask.answer import BestMask, best_mask, chosen_runs, conclusion
from tracking.best_mask.sentences import cheapest_choice, named, no_training_is_best
from tracking.record import SweepRecord, TrialRecord
from tracking.report.page_best_mask import answer_section
from trainer.errors import UserError

RECORDS = 240
Recorded = tuple[SweepRecord, BestMask | None]


@pytest.fixture(scope="module")
def drawn() -> list[Recorded]:
    records = [drawn_record(seed) for seed in range(RECORDS)]
    return [(record, best_mask(read(record))) for record in records]


def expected_candidates(record: SweepRecord) -> list[TrialRecord]:
    """Who may win, said again: best mean Dice first, of equal ones the cheapest, then the shorter training."""
    trials = [
        trial
        for trial in read(record).honest.trials
        if trial.status == "FINISHED"
        and trial.info.role == "trial"
        and trial.info.candidate.key not in record.info.outside
        and not math.isnan(trial.mean_dice)
    ]
    return sorted(trials, key=lambda one: (-one.mean_dice, one.info.trainable_params, one.info.candidate.epochs))


def test_the_records_hold_what_they_should(drawn: list[Recorded]) -> None:
    answers = [found for _, found in drawn if found is not None]
    assert 80 < len(answers) < RECORDS - 20
    assert any(found.one_standard_error.dice < found.best.dice for found in answers)
    assert any(found.dropped and found.failed and found.unfinished for found in answers)
    assert any(len(found.settings) > 1 for found in answers) and any(no_training_is_best(one) for one in answers)
    assert any(learned_nothing(found.best.dice) for found in answers)
    assert any(one.noise is not None for found in answers for one in found.compared)
    assert any(1 < len(found.tied) < len(found.compared) for found in answers)
    outside = [max(record.finished, key=lambda one: one.mean_dice if one.mean_dice > 0 else 0) for record, _ in drawn]
    forbidden = zip(drawn, outside, strict=True)
    assert any(trial.info.candidate.key in record.info.outside for (record, _), trial in forbidden)


def test_the_winner_is_the_highest_of_those_that_may_win(drawn: list[Recorded]) -> None:
    for record, found in drawn:
        expected = expected_candidates(record)
        if found is None:
            assert len({trial.info.candidate.mask for trial in expected}) < 2
            continue
        first = expected[0]
        assert found.best.dice == first.mean_dice and found.best.trainable_params == first.info.trainable_params
        assert found.candidates == len(found.compared) == len(expected)
        assert sum(one.tied and one.behind == 0 and one.dice == found.best.dice for one in found.compared) >= 1
        assert found.one_standard_error.dice >= found.one_standard_error.floor
        assert found.one_standard_error.trainable_params <= found.best.trainable_params


def test_the_champion_is_the_winner(drawn: list[Recorded]) -> None:
    for record, found in drawn:
        expected = expected_candidates(record)
        if not expected:
            with pytest.raises(UserError, match="has none"):
                choose(record, None)
            continue
        chosen, rivals = choose(record, None)
        candidate = chosen.info.candidate
        assert chosen is rivals[0] and len(rivals) == len(expected)
        assert chosen.mean_dice == expected[0].mean_dice
        if found is not None:
            best_one = (found.best.mask, found.best.epochs, found.best.train)
            assert (candidate.mask, candidate.epochs, dict(candidate.train)) == best_one


def test_mlflow_is_told_the_same(drawn: list[Recorded]) -> None:
    for record, found in drawn:
        reading = read(record)
        runs, words = chosen_runs(reading), conclusion(reading, found)
        if found is None or learned_nothing(found.best.dice):
            assert runs == {} and words.startswith("No answer" if found else "The best mask is chosen among")
            continue
        by_run = {trial.run_id: trial for trial in reading.honest.trials}
        winner = next(by_run[run] for run, what in runs.items() if "winner" in what)
        cheapest = next(by_run[run] for run, what in runs.items() if "cheapest choice" in what)
        assert winner.run_id == choose(record, None)[0].run_id and len(runs) == len({winner.run_id, cheapest.run_id})
        assert cheapest.info.candidate.mask == found.one_standard_error.mask
        assert cheapest.info.candidate.epochs == found.one_standard_error.epochs
        assert found.sentence in words and f"choice: {named(found.one_standard_error, found)}, " in words
        cheaper = [one for one in found.tied if one.trainable_params < found.best.trainable_params]
        if not no_training_is_best(found):
            tie = "no cheaper" if not cheaper else f"{len(cheaper)} cheaper"
            assert f"; {tie} " in words and (not cheaper or f" is {named(cheaper[0], found)} with " in words)


def test_thaw_best_and_the_page_show_the_same(drawn: list[Recorded]) -> None:
    for record, found in drawn[: RECORDS // 8]:
        if found is None:
            with pytest.raises(UserError, match="The best mask is chosen among"):
                best(record)
            continue
        assert to_json(best(record)) == to_json(found)
        told, printed, page = json.loads(to_json(found)), printed_by(found), unescape(answer_section(found))
        assert told["best"]["mask"] == found.best.mask and told["sentence"] == found.sentence
        assert [one["mask"] for one in told["compared"] if one["tied"]] == [one.mask for one in found.tied]
        assert found.sentence in printed and found.sentence in page
        assert f"{len(found.tied)} of {found.candidates}. " in page and cheapest_choice(found) in page


def printed_by(found: BestMask) -> str:
    text = io.StringIO()
    show(found, Console(file=text, width=200))
    return text.getvalue()


def limited() -> SweepRecord:
    """A search with `max_blocks = 2` in which the baseline of all blocks scores highest."""
    masks = [(1,), (2,), (1, 2), (3, 4), tuple(range(1, 10))]
    record = subset_record(masks, lambda blocks: 0.4 + 0.15 * len({1, 2} & set(blocks)) + 0.05 * (len(blocks) == 9))
    outside = [trial.info.candidate.key for trial in record.trials if len(trial.info.blocks) > 2]
    search = {"space": "subsets", "strategy": "guided", "max_blocks": 2}
    return replace(record, info=replace(record.info, spec={"search": search}, outside=outside))


def test_what_the_constraints_forbid_is_nowhere_the_winner() -> None:
    record = limited()
    found = best(record)
    assert found.best.mask == "1-2" == choose(record, None)[0].info.candidate.mask
    assert found.sentence.startswith("Thaw blocks 1-2: ") and "below all" in found.sentence
    assert "all" not in {one.mask for one in (*found.compared, found.one_standard_error, *found.pareto.parameters)}
    tagged = [trial.info.candidate.mask for trial in record.trials if trial.run_id in chosen_runs(read(record))]
    assert set(tagged) == {found.best.mask, found.one_standard_error.mask}
    head = rendered(record).partition("</header>")[0]
    assert "<h1>Thaw blocks 1-2</h1>" in head


def one_block() -> SweepRecord:
    """A network of one block, trained to the end: its only mask is all."""
    record = next(drawn_record(seed) for seed in range(RECORDS) if drawn_record(seed).info.n_blocks == 1)
    trials = tuple(replace(trial, status="FINISHED") for trial in record.trials)
    scored = [{**trial.folds, "dice": (0.5, 0.6, 0.5, 0.6, 0.5)} for trial in trials]
    pairs = zip(trials, scored, strict=True)
    info = replace(record.info, outside=[])
    return replace(record, info=info, trials=tuple(replace(trial, folds=folds) for trial, folds in pairs))


def test_a_network_of_one_block_has_a_clear_answer_everywhere() -> None:
    record = one_block()
    words = "has one block, so its only mask is all. Cut it into more"
    with pytest.raises(UserError, match=words):
        best(record)
    assert best_mask(read(record)) is None and words in conclusion(read(record), None)
    assert choose(record, None)[0].info.candidate.mask == "all"  # a champion needs no second mask


@pytest.mark.parametrize("form", ["html", "json", "csv", "markdown"])
def test_the_report_of_a_network_of_one_block_is_made(form: str) -> None:
    assert "demo" in rendered(one_block(), form)
