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
    return sorted(
        trials,
        key=lambda candidate: (-candidate.mean_dice, candidate.info.trainable_params, candidate.info.candidate.epochs),
    )


def test_the_records_hold_what_they_should(drawn: list[Recorded]) -> None:
    answers = [answer for _, answer in drawn if answer is not None]
    assert 80 < len(answers) < RECORDS - 20
    assert any(answer.one_standard_error.dice < answer.best.dice for answer in answers)
    assert any(answer.dropped and answer.failed and answer.unfinished for answer in answers)
    assert any(len(answer.settings) > 1 for answer in answers) and any(
        no_training_is_best(candidate) for candidate in answers
    )
    assert any(learned_nothing(answer.best.dice) for answer in answers)
    assert any(candidate.noise is not None for answer in answers for candidate in answer.compared)
    assert any(1 < len(answer.tied) < len(answer.compared) for answer in answers)
    outside = [
        max(record.finished, key=lambda candidate: candidate.mean_dice if candidate.mean_dice > 0 else 0)
        for record, _ in drawn
    ]
    forbidden = zip(drawn, outside, strict=True)
    assert any(trial.info.candidate.key in record.info.outside for (record, _), trial in forbidden)


def test_the_winner_is_the_highest_of_those_that_may_win(drawn: list[Recorded]) -> None:
    for record, answer in drawn:
        expected = expected_candidates(record)
        if answer is None:
            assert len({trial.info.candidate.mask for trial in expected}) < 2
            continue
        first = expected[0]
        assert answer.best.dice == first.mean_dice and answer.best.trainable_params == first.info.trainable_params
        assert answer.candidates == len(answer.compared) == len(expected)
        assert (
            sum(
                candidate.tied and candidate.behind == 0 and candidate.dice == answer.best.dice
                for candidate in answer.compared
            )
            >= 1
        )
        assert answer.one_standard_error.dice >= answer.one_standard_error.floor
        assert answer.one_standard_error.trainable_params <= answer.best.trainable_params


def test_the_champion_is_the_winner(drawn: list[Recorded]) -> None:
    for record, answer in drawn:
        expected = expected_candidates(record)
        if not expected:
            with pytest.raises(UserError, match="has none"):
                choose(record, None)
            continue
        chosen, rivals = choose(record, None)
        candidate = chosen.info.candidate
        assert chosen is rivals[0] and len(rivals) == len(expected)
        assert chosen.mean_dice == expected[0].mean_dice
        if answer is not None:
            best_one = (answer.best.mask, answer.best.epochs, answer.best.train)
            assert (candidate.mask, candidate.epochs, dict(candidate.train)) == best_one


def test_mlflow_is_told_the_same(drawn: list[Recorded]) -> None:
    for record, answer in drawn:
        reading = read(record)
        runs, words = chosen_runs(reading, answer), conclusion(reading, answer)
        if answer is None:
            assert runs == {} and words.startswith("The best mask is chosen among")
            continue
        if learned_nothing(answer.best.dice) or no_training_is_best(answer):
            assert runs == {} and words == answer.sentence and words.startswith(("No answer", "Thaw nothing"))
            continue
        by_run = {trial.run_id: trial for trial in reading.honest.trials}
        winner = next(by_run[run] for run, what in runs.items() if "winner" in what)
        cheapest = next(by_run[run] for run, what in runs.items() if "cheapest choice" in what)
        assert winner.run_id == choose(record, None)[0].run_id and len(runs) == len({winner.run_id, cheapest.run_id})
        assert cheapest.info.candidate.mask == answer.one_standard_error.mask
        assert cheapest.info.candidate.epochs == answer.one_standard_error.epochs
        assert answer.sentence in words and f"choice: {named(answer.one_standard_error, answer)}, " in words
        cheaper = [candidate for candidate in answer.tied if candidate.trainable_params < answer.best.trainable_params]
        tie = "no cheaper" if not cheaper else f"{len(cheaper)} cheaper"
        assert f"; {tie} " in words and (not cheaper or f" is {named(cheaper[0], answer)} with " in words)


def test_thaw_best_and_the_page_show_the_same(drawn: list[Recorded]) -> None:
    for record, answer in drawn[: RECORDS // 12]:
        if answer is None:
            with pytest.raises(UserError, match="The best mask is chosen among"):
                best(record)
            continue
        assert to_json(best(record)) == to_json(answer)
        table, printed, page = json.loads(to_json(answer)), printed_by(answer), unescape(answer_section(answer))
        assert table["best"]["mask"] == answer.best.mask and table["sentence"] == answer.sentence
        assert [candidate["mask"] for candidate in table["compared"] if candidate["tied"]] == [
            candidate.mask for candidate in answer.tied
        ]
        assert answer.sentence in printed and answer.sentence in page
        assert f"{len(answer.tied)} of {answer.candidates}. " in page and cheapest_choice(answer) in page


def printed_by(answer: BestMask) -> str:
    text = io.StringIO()
    show(answer, Console(file=text, width=200))
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
    answer = best(record)
    assert answer.best.mask == "1-2" == choose(record, None)[0].info.candidate.mask
    assert answer.sentence.startswith("Thaw blocks 1-2: ") and "below all" in answer.sentence
    assert "all" not in {
        candidate.mask for candidate in (*answer.compared, answer.one_standard_error, *answer.pareto.parameters)
    }
    tagged = [trial.info.candidate.mask for trial in record.trials if trial.run_id in chosen_runs(read(record), answer)]
    assert set(tagged) == {answer.best.mask, answer.one_standard_error.mask}
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
