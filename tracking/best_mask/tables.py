"""The answer as tables of text, for the terminal and for the page: who ties, the fronts, what each block does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tracking.analysis.formatting import mask_name, number, p_value
from tracking.analysis.seed_noise import SeedNoise
from tracking.best_mask.answer import BestMask
from tracking.best_mask.candidates import CandidateAt
from tracking.best_mask.measured_effects import MeasuredEffects
from tracking.best_mask.nested import Nested
from tracking.best_mask.pareto import Price
from tracking.best_mask.ranking import Compared
from tracking.best_mask.sentences import percent, setting_words, signed, span

LARGEST_PAIRS = 6  # interactions that a table shows
SHOWN_GROUPS = 12  # of effects that the masks cannot tell apart


@dataclass(frozen=True)
class Table:
    """Text in columns: `title`, `heads`, `rows` of cells; `left` says how many more rows there are."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 0


def tie_table(answer: BestMask, most: int, *, tests: bool = False) -> Table:
    """The best and what ties with it, cheapest first; the best is never among the rows that are left out.

    `tests`: also the p value for all pairs and, where trials were repeated, how far another seed moves the distance.
    """
    tied = answer.tied
    rows = [_tie_cells(candidate, answer, tests=tests) for candidate in _with_best(answer, most)]
    heads = ["behind", "95 %, choice allowed for", "chosen", *(_test_heads(answer) if tests else ())]
    title = "The best and what ties with it, cheapest first"
    return Table(title, (*candidate_heads(answer), *heads), tuple(rows), len(tied) - len(rows))


def front_table(answer: BestMask, price: Price, most: int) -> Table:
    """The candidates that nothing as cheap scores higher than, cheapest first."""
    front = answer.pareto.of(price)
    rows = tuple((*candidate_cells(candidate, answer), number(candidate.seconds, 0)) for candidate in front[:most])
    title = f"Nothing as cheap in {price} scores higher (Pareto front, scores not corrected)"
    return Table(title, (*candidate_heads(answer), "seconds"), rows, len(front) - len(rows))


def effect_table(effects: MeasuredEffects) -> Table:
    """The effect of every block."""
    rows = tuple((str(effect.block), signed(effect), p_value(effect.p_holm)) for effect in effects.blocks)
    return Table("What each block does", ("block", "effect on Dice [95 %]", "Holm p"), rows)


def pair_table(effects: MeasuredEffects) -> Table | None:
    """The largest interactions; None where the masks cannot tell pairs apart."""
    if not effects.pairs:
        return None
    largest = sorted(effects.pairs, key=lambda effect: -abs(effect.mean))[:LARGEST_PAIRS]
    rows = tuple(("×".join(map(str, pair.blocks)), signed(pair), p_value(pair.p_holm)) for pair in largest)
    return Table("The largest interactions", ("blocks", "interaction [95 %]", "Holm p"), rows)


def not_told_apart(effects: MeasuredEffects) -> str:
    """Which effects the masks cannot tell apart, in a sentence; empty where there are none."""
    if not effects.confounded:
        return ""
    left = len(effects.confounded) - SHOWN_GROUPS
    more = f"; and {left} more" if left > 0 else ""
    return f"Not told apart: {'; '.join(effects.confounded[:SHOWN_GROUPS])}{more}."


def nested_table(nested: Nested) -> Table:
    """What each outer part's search chose, and what that scores where it had not looked."""
    heads = (
        *("part", "searched", "chosen", "Dice as measured", "corrected"),
        *("held out", "Dice there", "by the inner folds"),
    )
    rows = tuple(
        (
            *(f"{part.part} of {nested.planned}", str(part.searched), part.choice),
            *(number(part.apparent), number(part.corrected), str(part.scored)),
            *(number(part.dice), number(part.fold_networks)),
        )
        for part in nested.parts
    )
    return Table("The search without each outer part", heads, rows)


def nested_note(nested: Nested) -> str:
    """How to read the score of the whole procedure."""
    how = (
        "Searched, held out: how many images. There: on the part that a search never saw, the Dice of what it chose, "
        "trained on all that it searched; by the inner folds: the mean of their networks, which fewer images trained."
    )
    if nested.dice is None:
        return how
    return (
        f"{how} The score is the mean over {nested.images} images, each held out once. Its range is a bootstrap of "
        f"their {nested.groups} groups, for these searches and networks. From part to part the Dice has an SD of "
        f"{number(nested.sd)}, which other images, other choices and other trainings make together. Beside the sweep's "
        "own scores: searches on fewer images score lower; but what is chosen is trained on all of these, so in more "
        "steps than a fold, which raises the score where training is short."
    )


def candidate_heads(answer: BestMask) -> tuple[str, ...]:
    """The heads of `candidate_cells`."""
    return ("mask", *(["setting"] if len(answer.settings) > 1 else []), "parameters", "share", "Dice")


def candidate_cells(candidate: CandidateAt, answer: BestMask) -> tuple[str, ...]:
    """Mask, its setting where several were searched, price and score."""
    setting = [setting_words(candidate)] if len(answer.settings) > 1 else []
    price = (f"{candidate.trainable_params:,}", percent(candidate.share))
    return (mask_name(candidate), *setting, *price, number(candidate.dice))


def is_best(candidate: CandidateAt, answer: BestMask) -> bool:
    """Whether a candidate is the winner."""
    best = answer.best
    same = (candidate.mask, candidate.epochs, candidate.learning_rate) == (best.mask, best.epochs, best.learning_rate)
    return same and (candidate.train, candidate.start) == (best.train, best.start)


def _with_best(answer: BestMask, most: int) -> list[Compared]:
    """The first rows of what ties; the best takes the last place where it would be left out."""
    shown = list(answer.tied[:most])
    if not any(is_best(candidate, answer) for candidate in shown):
        shown[-1:] = [candidate for candidate in answer.tied if is_best(candidate, answer)]
    return shown


def _tie_cells(candidate: Compared, answer: BestMask, *, tests: bool) -> tuple[str, ...]:
    share = "" if math.isnan(candidate.chosen) else f"{100 * candidate.chosen:.0f} %"
    cells = (*candidate_cells(candidate, answer), number(candidate.behind), span(candidate), share)
    return (*cells, *_test_cells(candidate, answer)) if tests else cells


def _test_heads(answer: BestMask) -> Iterator[str]:
    yield "p (all pairs)"
    if _repeated(answer):
        yield "seed SD (SE)"


def _test_cells(candidate: Compared, answer: BestMask) -> Iterator[str]:
    yield p_value(candidate.p_adjusted)
    if _repeated(answer):
        yield _noise_words(candidate.noise)


def _repeated(answer: BestMask) -> bool:
    return any(candidate.noise is not None for candidate in answer.compared)


def _noise_words(noise: SeedNoise | None) -> str:
    """`±0.0123 (0.0071)`: SD over seeds and standard error, with the digits of a comparison's mean."""
    return "" if noise is None else f"±{number(noise.sd, 4)} ({number(noise.se, 4)})"
