"""Which set of blocks is best: the one answer that `thaw best`, the report, the champion and MLflow give.

From a sweep as it is read for comparing alone. `tracking.as_json.to_json` writes it as `thaw best --format json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.analysis.seeds import Reading
from tracking.best_mask.candidates import Candidates, candidates_of, no_choice
from tracking.best_mask.fanova import Importance, importance
from tracking.best_mask.measured_effects import MeasuredEffects, measured_effects
from tracking.best_mask.nested import Nested, nested
from tracking.best_mask.ranking import Ranking, rank
from tracking.best_mask.rates import RateTable, rate_table
from tracking.best_mask.sentences import cheapest_choice, notes, recommends_a_mask, sentence
from tracking.best_mask.smoothed import Smoothed, smoothed
from tracking.best_mask.starts import StartTable, start_table
from tracking.record import SweepRecord

SCHEMA = 2
WINNER, CHEAPEST = "winner", "cheapest choice"


@dataclass(frozen=True, kw_only=True)
class BestMask(Ranking):
    """The answer: the numbers of a `Ranking`, what each block does, and the words.

    `schema`: the version of these fields. `sentence`: the answer; `notes`: how to read it, and what was left out.
    `effects`: what each block does, None where the masks never vary one block without another; `importance`: fANOVA, a
    cross-check of the effects; `smoothed`: the candidate that all scores together favour, None where they favour
    none. `starts`: start x mask, None with one start; `rates`: learning rate x mask, None with one rate; `nested`: what
    the whole procedure scores on images that had no part in it, None where nobody asked (`outer`).
    """

    sentence: str
    notes: tuple[str, ...]
    effects: MeasuredEffects | None
    importance: Importance
    smoothed: Smoothed | None
    starts: StartTable | None
    rates: RateTable | None
    nested: Nested | None
    schema: int = SCHEMA


def best_mask(reading: Reading) -> BestMask | None:
    """The whole answer; None for fewer than two finished masks (`why_no_choice` says what to do then)."""
    candidates = candidates_of(reading)
    if no_choice(candidates):
        return None
    return _answer(candidates, start_table(reading), rate_table(reading), reading.honest.outer)


def answer_sentences(answer: BestMask | None) -> tuple[str, ...]:
    """The answer, the smoothed answer, the cheapest choice, what start and learning rate have to do with it, and what
    the whole procedure scores; nothing where there is no answer.
    """
    if answer is None:
        return ()
    smoothed_sentence = answer.smoothed.sentence if answer.smoothed else ""
    further = [part.sentence for part in (answer.starts, answer.rates, answer.nested) if part]
    return tuple(text for text in (answer.sentence, smoothed_sentence, cheapest_choice(answer), *further) if text)


def why_no_choice(reading: Reading) -> str:
    """Why `best_mask` gives no answer, and what to do about it; empty where it gives one."""
    return no_choice(candidates_of(reading))


def conclusion(reading: Reading, answer: BestMask | None) -> str:
    """The description of a finished sweep: the `answer`, the cheapest choice and the score of the whole procedure, or
    why there is none.
    """
    if answer is None:
        return why_no_choice(reading)
    procedure = answer.nested.sentence if answer.nested else ""
    return " ".join(text for text in (answer.sentence, cheapest_choice(answer), procedure) if text)


def chosen_runs(reading: Reading, answer: BestMask | None) -> dict[str, str]:
    """MLflow run id -> `winner`, `cheapest choice` or both: the trials that the `answer` names.

    Of a trial repeated with several seeds, the run of the first. Empty where no mask is recommended.
    """
    if answer is None or not recommends_a_mask(answer):
        return {}
    candidates = candidates_of(reading)
    cheapest = candidates.trials[candidates.one_standard_error[0]]
    if cheapest is candidates.winner:
        return {cheapest.run_id: f"{WINNER}, {CHEAPEST}"}
    return {candidates.winner.run_id: WINNER, cheapest.run_id: CHEAPEST}


def _answer(
    candidates: Candidates,
    starts: StartTable | None,
    rates: RateTable | None,
    outer: Sequence[SweepRecord | None],
) -> BestMask:
    ranking, info = rank(candidates), candidates.info
    return BestMask(
        **vars(ranking),
        sentence=sentence(ranking, info),
        notes=tuple(notes(ranking, info, candidates.repeats.pretrainings)),
        effects=measured_effects(candidates),
        importance=importance(ranking.compared, info.n_blocks),
        smoothed=smoothed(ranking, info),
        starts=starts,
        rates=rates,
        nested=nested(candidates, ranking, outer),
    )
