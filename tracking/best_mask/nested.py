"""A nested cross-validation: what the whole procedure scores, search included, on images that had no part in it.

Each outer part is held out once. A search on the other images chooses a candidate by the rule of the one answer; that
is trained once more on all of them, as a champion is, and scored on the part. So every image is scored once, by a
network whose choice and training it took no part in (Varma and Simon, BMC Bioinformatics 7:91, 2006).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.formatting import from_start
from tracking.analysis.group_draws import Range, draw_groups, external_dice
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import Candidates, candidates_of, no_choice
from tracking.best_mask.ranking import Ranking, rank
from tracking.best_mask.references import Against
from tracking.best_mask.sentences import digits, no_training_is_best, span
from tracking.record import Refit, SweepInfo, SweepRecord, TrialRecord
from tracking.statistics import spread
from tracking.sweep_names import HELD_OUT
from trainer.candidate import Candidate

NO_TRAINING = "no training"  # the choice where no candidate scores above the network as it was
OWN_OF_PARTS = ("neurons", "images", "hours")  # of `[search]`: no part of what is chosen among


@dataclass(frozen=True)
class OuterPart:
    """An outer part that is done. `part`: its number, from 1; `sweep`: the name of the search without it; `searched`,
    `scored`: images that were searched on, and held out (those with something marked). `choice`: what the search
    chose; `mask`: its mask, with its start where that is not the sweep's own; `apparent`, `corrected`: its Dice there
    as measured, and corrected for the search (NaN where it cannot be); `dice`: on the part, of the choice trained on
    all that was searched on; `fold_networks`: on the part, the mean over the networks of the inner folds, which fewer
    images trained. `same`: whether the whole sweep chooses that mask, too; `ties`: whether this search measured the
    mask of the whole, and did not show it to be worse than its own.
    """

    part: int
    sweep: str
    searched: int
    scored: int
    choice: str
    mask: str
    apparent: float
    corrected: float
    dice: float
    fold_networks: float
    same: bool
    ties: bool


@dataclass(frozen=True)
class Nested:
    """A nested cross-validation in `planned` outer parts, of which `parts` are done. The numbers are NaN, and `dice` is
    None, until all are.

    `dice`: the honest score, the mean over all images that are scored, with the range of a bootstrap of their `groups`;
    `sd`: of the parts' mean Dice (n - 1); `fold_networks`: the mean by the networks of the inner folds; `images`: how
    many were scored. `chosen`: mask -> by how many parts. `sentence`: all this in words.
    """

    planned: int
    parts: tuple[OuterPart, ...]
    dice: Range | None
    sd: float
    fold_networks: float
    images: int
    groups: int
    chosen: Mapping[str, int]
    sentence: str


@dataclass(frozen=True)
class Choice:
    """What a search is left with: the `trial` of its winner, or of the network as it was where no training scores
    higher, out of `candidates`, ranked.
    """

    trial: TrialRecord
    candidates: Candidates
    ranking: Ranking

    @property
    def trainings(self) -> tuple[Candidate, ...]:
        """The trainings behind it, one per seed, of its pre-training, too; none for the network as it was."""
        candidate, lucks = self.trial.info.candidate, self.candidates.repeats.lucks
        if not candidate.epochs:
            return ()
        return tuple(replace(candidate, seed=seed, start_seed=start) for seed, start in lucks)

    def is_trained_in(self, refit: Refit) -> bool:
        """Whether a refit is of this choice, trained as often as the search repeats it: seeds may have come since."""
        count = len(next(iter(refit.external.values()), ()))
        return refit.candidate == self.trial.info.candidate and count == len(self.trainings)

    def ties_with(self, other: Choice) -> bool:
        """Whether what `other` recommends was measured here, and not shown to be worse than this choice."""
        if other.trainings:
            mask = _mask(other)
            tied = mask in {from_start(one.mask, one.start) for one in self.ranking.tied}
            return tied and (bool(self.trainings) or not any(one.high < 0 for one in self._untrained()))
        return any(not one.low > 0 for one in self._untrained())

    def _untrained(self) -> list[Against]:
        """The best of the candidates against the network as it was."""
        return [one for one in self.ranking.against if one.name == "zero-shot"]


def choice_of(record: SweepRecord) -> Choice | None:
    """The choice of a search; None where there is nothing to choose among."""
    candidates = candidates_of(read(record))
    return None if no_choice(candidates) else _choice(candidates, rank(candidates))


def _choice(candidates: Candidates, ranking: Ranking) -> Choice:
    if not no_training_is_best(ranking):
        return Choice(candidates.winner, candidates, ranking)
    untrained = candidates.references["zero-shot"]  # one for each start
    return Choice(max(untrained, key=lambda trial: trial.mean_dice), candidates, ranking)


def nested(whole: Candidates, ranking: Ranking, outer: Sequence[SweepRecord | None]) -> Nested | None:
    """The nested cross-validation around a sweep of these candidates, whose outer parts are `outer`; None without."""
    if not outer:
        return None
    own = _choice(whole, ranking)
    records = [(number, record) for number, record in enumerate(outer, 1) if record is not None]
    done = [found for number, record in records if (found := _part(number, record, own)) is not None]
    parts = tuple(part for part, _ in done)
    chosen = dict(Counter(part.mask for part in parts).most_common())
    if len(done) < len(outer):
        return Nested(len(outer), parts, None, math.nan, math.nan, 0, 0, chosen, _unfinished(len(done), len(outer)))
    scores = np.concatenate([score.dice for _, score in done])
    groups = np.concatenate([score.groups for _, score in done])
    dice = draw_groups(groups).range_of(scores)
    return Nested(
        planned=len(outer),
        parts=parts,
        dice=dice,
        sd=spread([part.dice for part in parts]).sd,
        fold_networks=float(np.concatenate([score.fold_networks for _, score in done]).mean()),
        images=len(scores),
        groups=len(np.unique(groups)),
        chosen=chosen,
        sentence=f"{_score_in_words(parts, dice, own)} {_stability(parts, chosen, own)}",
    )


@dataclass(frozen=True)
class _Scores:
    """Per image of a part with something marked: Dice of the refit, of the inner folds' networks, and the group."""

    dice: NDArray[np.float64]
    fold_networks: NDArray[np.float64]
    groups: NDArray[np.int64]


def _part(number: int, record: SweepRecord, own: Choice) -> tuple[OuterPart, _Scores] | None:
    """A part and its scores; None where its search has not ended, or is not that of the whole any more."""
    info = record.info
    if record.status != "FINISHED" or _searched(info) != _searched(own.candidates.info):
        return None
    choice = choice_of(record)
    counts = None if choice is None else _counts(record, choice)
    if choice is None or counts is None:
        return None
    dice, by_folds = (external_dice(one).mean(axis=0) for one in counts)
    marked = ~np.isnan(dice)
    groups = np.asarray(info.external[HELD_OUT]["group_of"], np.int64)
    scores = _Scores(dice[marked], by_folds[marked], groups[marked])
    candidate, corrected = choice.trial.info.candidate, choice.ranking.corrected
    part = OuterPart(
        part=number,
        sweep=info.name,
        searched=sum(map(len, info.folds)),
        scored=int(marked.sum()),
        choice=candidate.name if candidate.epochs else _mask(choice),
        mask=_mask(choice),
        apparent=choice.trial.mean_dice,
        corrected=corrected.corrected if corrected and candidate.epochs else math.nan,
        dice=float(scores.dice.mean()),
        fold_networks=float(scores.fold_networks.mean()),
        same=_mask(choice) == _mask(own),
        ties=choice.ties_with(own),
    )
    return part, scores


def _counts(record: SweepRecord, choice: Choice) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """What the choice scores on the part that is held out: trained on all that was searched on, and by the networks of
    the inner folds. None where that is not recorded yet.
    """
    by_folds, refit = choice.trial.external.get(HELD_OUT), record.refit
    if by_folds is None or HELD_OUT not in record.info.external:
        return None
    if not choice.trainings:
        return by_folds, by_folds
    if refit is None or HELD_OUT not in refit.external or not choice.is_trained_in(refit):
        return None
    return refit.external[HELD_OUT], by_folds


def _searched(info: SweepInfo) -> dict[str, Any]:
    """`[search]` of a sweep, as far as it decides what is chosen among."""
    return {key: value for key, value in dict(info.spec.get("search") or {}).items() if key not in OWN_OF_PARTS}


def _mask(choice: Choice) -> str:
    """What is recommended, whatever its other settings."""
    candidate = choice.trial.info.candidate
    return from_start(candidate.mask if candidate.epochs else NO_TRAINING, candidate.start)


def _unfinished(done: int, planned: int) -> str:
    return (
        f"Nested cross-validation: {done} of {planned} outer parts are done, so the whole procedure has no score yet; "
        "the same command goes on."
    )


def _score_in_words(parts: Sequence[OuterPart], dice: Range, own: Choice) -> str:
    sizes = sorted({part.searched for part in parts})
    images = " to ".join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))
    words = digits(dice.value) if math.isnan(dice.low) else f"{digits(dice.value)} {span(dice)}"
    corrected = own.ranking.corrected
    beside = f"{digits(own.trial.mean_dice)} as measured"
    if corrected is not None and own.trial is own.candidates.winner:
        beside = f"{digits(corrected.corrected)} corrected for the search and {beside}"
    return (
        f"The whole procedure, search included, has a Dice of {words} on images that had no part in it (nested "
        f"cross-validation, outer = {len(parts)}; networks of {images} images each), beside {beside}."
    )


def _stability(parts: Sequence[OuterPart], chosen: Mapping[str, int], own: Choice) -> str:
    """`The searches chose 1-5 (1 of 3) and 1-4 (2 of 3); with all images it is 1-5, which ties with the best in 1 of
    the 2 that chose otherwise.`
    """
    times = [f"{mask} ({count} of {len(parts)})" for mask, count in chosen.items()]
    listed = " and ".join(filter(None, (", ".join(times[:-1]), times[-1])))
    others = [part for part in parts if not part.same]
    ending = ", too"
    if others:
        tied = sum(part.ties for part in others)
        ending = f", which ties with the best in {tied} of the {len(others)} that chose otherwise"
    return f"The searches chose {listed}; with all images it is {_mask(own)}{ending}."
