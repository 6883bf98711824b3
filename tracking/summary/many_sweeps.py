"""Several sweeps on the same images and folds: which of their best masks is best, another network's or start's among
them.

Each sweep's winner is the best of many, so every difference is corrected for both choices: on drawn images both sides
choose, on the others they are compared (`winners_curse.bbc_cv`); the width of the interval is that of the corrected
resampled t-test over the folds of the two winners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.formatting import from_start
from tracking.analysis.seeds import read
from tracking.analysis.winners_curse import FEWEST, bbc_cv, image_scores
from tracking.best_mask.candidates import CandidateAt, Candidates, candidate_at, candidates_of
from tracking.best_mask.sentences import apart, digits
from tracking.record import SweepInfo, SweepRecord
from tracking.spec_view import view_spec
from tracking.statistics import holm, with_repeats
from tracking.units import unit_of
from trainer.errors import UserError

SCHEMA = 1


@dataclass(frozen=True)
class SweepBest:
    """The winner of the `sweep`. `network`: file of the user's own, or `U-Net`; `parameters` of it; `start`: what its
    weights were trained on; `winner`: the candidate, with its Dice as measured; `candidates`: among how many it was
    chosen.
    """

    sweep: str
    network: str
    parameters: int
    start: str
    winner: CandidateAt
    candidates: int


@dataclass(frozen=True, kw_only=True)
class BestAgainst(Difference):
    """The winner of the sweep `first` minus that of `second`, corrected for both choices; `apparent`: as measured.
    `p_holm` over all pairs.
    """

    first: str
    second: str
    apparent: float


@dataclass(frozen=True)
class ManySweeps:
    """Sweeps side by side, the highest winner first. `schema`: version of these fields; `synthetic`: whether their
    images are; `sweeps`: the winner of each; `pairs`: every two of them; `sentence`: what that says.
    """

    schema: int
    synthetic: bool
    sweeps: tuple[SweepBest, ...]
    pairs: tuple[BestAgainst, ...]
    sentence: str


def compare_many(records: Sequence[SweepRecord]) -> ManySweeps:
    """Compare the winners of sweeps. Raises `UserError` unless all have the same images in the same folds, and a
    winner.
    """
    _check(records)
    found = sorted((candidates_of(read(record)) for record in records), key=lambda one: -one.winner.mean_dice)
    pairs = [_against(first, second) for first, second in combinations(found, 2)]
    tested = tuple(replace(pair, p_holm=corrected.p_holm) for pair, corrected in zip(pairs, holm(pairs), strict=True))
    bests = tuple(map(_best, found))
    synthetic = bool(found[0].info.data.get("synthetic"))
    return ManySweeps(SCHEMA, synthetic, bests, tested, _sentence(bests, tested, synthetic=synthetic))


def are_paired(first: SweepRecord, second: SweepRecord) -> bool:
    """Whether two sweeps have the same images in the same folds."""
    one, other = first.info, second.info
    return one.data.get("digest") == other.data.get("digest") and one.folds == other.folds


def are_other_networks(first: SweepRecord, second: SweepRecord) -> bool:
    """Whether two sweeps on the same folds have other numbers of blocks, so that only their best masks compare."""
    same_unit = unit_of(first.info.spec) == unit_of(second.info.spec)
    return are_paired(first, second) and same_unit and first.info.n_blocks != second.info.n_blocks


def _check(records: Sequence[SweepRecord]) -> None:
    names = [record.info.name for record in records]
    if len({record.run_id for record in records}) < len(records):
        raise UserError(f"Sweeps are set side by side once each, but one is named twice: {', '.join(names)}.")
    for record in records[1:]:
        if not are_paired(records[0], record):
            raise UserError(
                "The best masks of sweeps can be compared on the same images in the same folds only, else their folds "
                f"do not pair, but {names[0]!r} and {record.info.name!r} have others. Give both the same data, "
                "folds and seed."
            )
    for record in records:
        if not candidates_of(read(record)).trials:
            raise UserError(f"The sweep {record.info.name!r} has no finished mask to compare. Let it finish first.")


def _against(first: Candidates, second: Candidates) -> BestAgainst:
    sides = [side.repeats.by_pretraining(side.winner) for side in (first, second)]
    folds = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    _, scores = image_scores([*first.trials, *second.trials])
    left, right = np.split(scores, [len(first.trials)], axis=1)
    apparent = float(left.mean(axis=0).max() - right.mean(axis=0).max()) if len(scores) else 0.0
    optimism = 0.0
    if len(scores) >= FEWEST and left.shape[1] > 1:
        optimism = apparent - bbc_cv(left, references=[right]).ahead[0]
    info: SweepInfo = first.info
    tested = contrast(folds - optimism, info)
    for dice in sides:  # each sweep has pre-trainings of its own
        tested = with_repeats(tested, list(dice.mean(axis=1)))
    return BestAgainst(
        **vars(difference(tested, info)),
        first=first.info.name,
        second=second.info.name,
        apparent=contrast(folds, info).mean,
    )


def _best(candidates: Candidates) -> SweepBest:
    info, view = candidates.info, view_spec(candidates.info.spec)
    return SweepBest(
        sweep=info.name,
        network=view.network.rpartition("/")[2] or "U-Net",
        parameters=sum(info.block_params) + info.always_params,
        start=str(info.weights.get("source", "")),
        winner=candidate_at(candidates.winner, info),
        candidates=len(candidates.trials),
    )


def _sentence(bests: Sequence[SweepBest], pairs: Sequence[BestAgainst], *, synthetic: bool) -> str:
    top = bests[0]
    own = [pair for pair in pairs if pair.first == top.sweep]
    parts = [apart(pair.mean, pair.low, pair.high, pair.second, pair.note) for pair in own]
    sure = all(pair.p_holm <= 0.05 and pair.mean > 0 for pair in own)
    some = [pair.second for pair in own if pair.p_holm <= 0.05 and pair.mean > 0]
    head = f"{top.sweep} is best" if sure else f"No one sweep is shown to be best; {top.sweep} scores highest"
    rest = "" if sure or not some else f"; shown to be better than {', '.join(some)}"
    ending = " Synthetic data: no claim about real images." if synthetic else ""
    mask = from_start(top.winner.mask, top.winner.start)
    family = f"; Holm over {len(pairs)} pairs" if len(pairs) > 1 else ""
    return (
        f"{head}, with mask {mask} (Dice {digits(top.winner.dice, 3)}): {', '.join(parts)}{rest}. "
        f"Corrected for the choice of each winner{family}.{ending}"
    )
