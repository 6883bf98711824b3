"""The winner's score and its lead over the reference masks, corrected for the choice of the winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.winners_curse import DRAWS, FEWEST, Selection, bbc_cv, image_scores
from tracking.best_mask.candidates import CandidateAt, Candidates, candidate_at
from tracking.record import TrialRecord
from tracking.statistics import holm
from trainer.candidate import REFEREE


@dataclass(frozen=True, kw_only=True)
class Against(Difference):
    """The winner minus the reference `name`, which is the `candidate` at its own best setting.

    `apparent`: the difference as measured. The comparison is corrected for the choice of the winner among all
    candidates and of the reference's setting; `p_holm` over all references of thaw's, or of others.
    """

    name: str
    candidate: CandidateAt
    apparent: float


@dataclass(frozen=True)
class Judged:
    """The winner's curse (None: fewer than ten `images` that all trials scored) and the winner `against` references."""

    selection: Selection | None
    images: int
    against: tuple[Against, ...]


def judged(candidates: Candidates, draws: int = DRAWS) -> Judged:
    """The winner's curse, and the winner against every reference that it is not itself (Holm over these).

    Both by one bootstrap (`winners_curse.bbc_cv`): choose among all candidates on the drawn images, look at the others.
    The mean out-of-bag difference is the middle of the interval; its width is that of the corrected resampled t-test
    over the folds of the chosen pair. Without a selection the intervals are not corrected for the choice. How often
    they hold the true difference: tests/tracking/best_mask/test_coverage_rates.py.
    """
    references = _other_references(candidates)
    groups = [candidates.trials, *references.values()]
    _, scores = image_scores([trial for group in groups for trial in group])
    columns = np.split(scores, np.cumsum([len(group) for group in groups])[:-1], axis=1)
    enough = len(scores) >= FEWEST
    selection = bbc_cv(columns[0], draws, references=columns[1:]) if enough else None
    against = []
    for index, (name, trials) in enumerate(references.items()):
        optimism = 0.0 if selection is None else _optimism(columns[0], columns[index + 1], selection, index)
        against.append(_against(name, trials, optimism, candidates))
    return Judged(selection, len(scores), _with_holm(against))


def _with_holm(against: Sequence[Against]) -> tuple[Against, ...]:
    """Holm over thaw's own references, and over somebody else's predictions: these change nothing of the former."""
    families = [[one for one in against if (one.candidate.start == REFEREE) == others] for others in (False, True)]
    tested = [pair for family in families for pair in zip(family, holm(family), strict=True)]
    return tuple(replace(reference, p_holm=test.p_holm) for reference, test in tested)


def _other_references(candidates: Candidates) -> dict[str, tuple[TrialRecord, ...]]:
    """The references that the winner is not itself one of."""
    winner = candidates.winner.info
    return {
        name: trials
        for name, trials in candidates.references.items()
        if (trials[0].info.role, trials[0].info.candidate.mask) != (winner.role, winner.candidate.mask)
    }


def _optimism(scores: NDArray[np.float64], reference: NDArray[np.float64], selection: Selection, index: int) -> float:
    """By how much the winner's lead over the reference number `index` looks larger than it is."""
    lead = scores[:, selection.best].mean() - reference.mean(axis=0).max()
    return float(lead) - selection.ahead[index]


def _against(name: str, trials: Sequence[TrialRecord], optimism: float, candidates: Candidates) -> Against:
    best = max(trials, key=lambda trial: trial.mean_dice)
    repeats, info = candidates.repeats, candidates.info
    folds = repeats.by_pretraining(candidates.winner) - repeats.by_pretraining(best)
    return Against(
        **vars(difference(contrast(folds - optimism, info), info)),
        name=name,
        candidate=candidate_at(best, info),
        apparent=contrast(folds, info).mean,
    )
