"""Whether what holds on a sweep's own images holds on images from elsewhere, which never trained and never chose.

The networks of all folds are scored on each test set; an image's Dice is the mean over them. All masks so share every
test image, and the folds are no repetitions: intervals are bootstraps of the test set's groups (patients, or
near-duplicates), for these trained networks. They say nothing of another training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tracking.analysis.comparisons import SIDES
from tracking.analysis.group_draws import GroupDraws, Range, draw_groups, external_dice
from tracking.analysis.seeds import Reading
from tracking.analysis.verdict import Verdict
from tracking.best_mask.candidates import Candidates, candidates_of
from tracking.data_view import DataView, view_data
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import EQUIVALENCE, finding_of
from trainer.candidate import PRETRAINED

FEWEST_MASKS = 4  # below which an order says little


@dataclass(frozen=True)
class ExternalTrial:
    """A trial on a test set. `mask`, `aliases`, `orders`, `role`, `start`, `epochs`, `learning_rate` as of a trial;
    `here`: its mean Dice on the sweep's own images; `there`: on the test set, mean over images of the mean over folds;
    `networks`: the mean Dice there of the network of each fold (and seed).
    """

    mask: str
    aliases: tuple[str, ...]
    orders: tuple[tuple[str, int], ...]
    role: str
    start: str
    epochs: int
    learning_rate: float
    here: float
    there: Range
    networks: tuple[float, ...]


@dataclass(frozen=True)
class OrderThere:
    """Whether the order of the masks at the main setting is the same there. `rank_correlation`: Spearman's, of the mean
    Dice here and there; `ceiling`: what it would be on average, were the true orders equal, from the halves of each set
    (sqrt of the product of both reliabilities); `masks`: how many.
    """

    rank_correlation: Range
    ceiling: float
    masks: int


@dataclass(frozen=True)
class ExternalSummary:
    """A test set called `name`. `data`: its images. `trials`: those at the main setting, and the baselines. `order`:
    None for fewer than four masks. `winner`: the best candidate here; `best_there`: the best one there; `loss`: what
    the winner loses against the best there, which is chosen on one part of the groups and scored on the other, so that
    looking is no advantage; None for fewer than ten groups or two candidates. `halves`: contracting - expanding there;
    `finding`: what that says, `finding_here` what the sweep's own images say; None without both masks. `sentence`: all
    this in words.
    """

    name: str
    data: DataView
    trials: tuple[ExternalTrial, ...]
    order: OrderThere | None
    winner: str | None
    best_there: str | None
    loss: Range | None
    halves: Range | None
    finding: str | None
    finding_here: str | None
    sentence: str


def external_summaries(reading: Reading, main: Sequence[TrialRecord], verdict: Verdict) -> tuple[ExternalSummary, ...]:
    """Every test set of a sweep, in the order in which it names them. `main`: the trials at the main setting."""
    tables = reading.honest.info.external
    if not tables:
        return ()
    candidates = candidates_of(reading)
    return tuple(_summary(name, table, reading, main, candidates, verdict) for name, table in tables.items())


def _summary(
    name: str,
    table: Mapping[str, Any],
    reading: Reading,
    main: Sequence[TrialRecord],
    candidates: Candidates,
    verdict: Verdict,
) -> ExternalSummary:
    info = reading.honest.info
    tested = [trial for trial in reading.honest.finished if name in trial.external]
    networks = {trial.info.candidate.key: external_dice(trial.external[name]) for trial in tested}
    scored = ~np.isnan(next(iter(networks.values()))[0]) if networks else np.zeros(0, bool)
    networks = {key: values[:, scored] for key, values in networks.items()}
    dice = {key: values.mean(axis=0) for key, values in networks.items()}
    draws = draw_groups(np.asarray(table["group_of"])[scored] if dice else np.zeros(0, np.int64))
    in_main = [trial for trial in main if trial.info.candidate.key in dice]
    baselines = [trial for trial in tested if trial.info.role not in ("trial", "leaky")]
    rivals = [trial for trial in candidates.trials if trial.info.candidate.key in dice]
    winner, best, loss = _loss(candidates, rivals, dice, draws)
    halves, word = _halves(in_main, info, dice, draws)
    order = _order(in_main, dice, draws)
    return ExternalSummary(
        name=name,
        data=view_data(table),
        trials=tuple(_trial(trial, networks[trial.info.candidate.key], draws) for trial in (*in_main, *baselines)),
        order=order,
        winner=winner,
        best_there=best,
        loss=loss,
        halves=halves,
        finding=word,
        finding_here=verdict.finding if word else None,
        sentence=_sentence(
            name,
            table,
            order,
            (winner, best, loss),
            (halves, word, verdict.finding),
            _untrained(tested, candidates, dice),
        ),
    )


def _trial(trial: TrialRecord, networks: NDArray[np.float64], draws: GroupDraws) -> ExternalTrial:
    candidate = trial.info.candidate
    return ExternalTrial(
        *(candidate.mask, trial.info.aliases, trial.info.orders, trial.info.role, candidate.start),
        *(candidate.epochs, candidate.learning_rate, trial.mean_dice, draws.range_of(networks.mean(axis=0))),
        tuple(map(float, networks.mean(axis=1))),
    )


def _order(
    trials: Sequence[TrialRecord], dice: Mapping[str, NDArray[np.float64]], draws: GroupDraws
) -> OrderThere | None:
    if len(trials) < FEWEST_MASKS:
        return None
    here = np.array([trial.mean_dice for trial in trials])
    there = np.array([dice[trial.info.candidate.key] for trial in trials])  # (masks, images)
    value, low, high = spearman(here, there.mean(axis=1)), math.nan, math.nan
    if draws.usable:
        means = draws.counts @ there.T / draws.counts.sum(axis=1, keepdims=True)
        low, high = np.percentile([spearman(here, row) for row in means], [2.5, 97.5])
    own = _own_dice(trials)
    ceiling = math.sqrt(reliability(there) * reliability(own)) if own.shape[1] > 1 < there.shape[1] else math.nan
    return OrderThere(Range(value, float(low), float(high)), ceiling, len(trials))


def _own_dice(trials: Sequence[TrialRecord]) -> NDArray[np.float64]:
    """(masks, images): the out-of-fold Dice of the images that all scored."""
    columns = [trial.dice_by_image for trial in trials]
    names = [name for name in columns[0] if all(not math.isnan(column.get(name, math.nan)) for column in columns)]
    return np.array([[column[name] for name in names] for column in columns]).reshape(len(trials), -1)


def spearman(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of two lists; 0 where one is constant."""
    ranks = rankdata(left), rankdata(right)
    centred = [rank - rank.mean() for rank in ranks]
    length = math.sqrt(float((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum()) / length if length else 0.0


def reliability(scores: NDArray[np.float64], halves: int = 200) -> float:
    """How far the order of the rows of (masks, images) repeats itself on other images of the same kind, 0 to 1.

    The mean rank correlation of the means of two random halves, stepped up to the whole (Spearman 1910, Brown 1910):
    2 r / (1 + r).
    """
    rng, images = np.random.default_rng(0), scores.shape[1]
    found = []
    for _ in range(halves):
        order = rng.permutation(images)
        parts = order[: images // 2], order[images // 2 :]
        found.append(spearman(*(scores[:, part].mean(axis=1) for part in parts)))
    mean = max(0.0, float(np.mean(found)))
    return 2 * mean / (1 + mean)


def _loss(
    candidates: Candidates,
    rivals: Sequence[TrialRecord],
    dice: Mapping[str, NDArray[np.float64]],
    draws: GroupDraws,
) -> tuple[str | None, str | None, Range | None]:
    """The winner here, the best there, and what the first loses: the best is chosen among the groups that a draw holds,
    and scored on those that it leaves out.
    """
    if len(rivals) < 2:
        return None, None, None
    winner = candidates.winner
    scores = np.array([dice[trial.info.candidate.key] for trial in rivals])  # (candidates, images)
    best = rivals[int(np.argmax(scores.mean(axis=1)))].info.candidate.name
    own = dice.get(winner.info.candidate.key)
    if own is None or not draws.usable:
        return winner.info.candidate.name, best, None
    losses = []
    for counts in draws.counts:
        outside = counts == 0
        if outside.any():
            chosen = scores[int(np.argmax(scores @ counts))]
            losses.append(float((chosen - own)[outside].mean()))
    low, high = np.percentile(losses, [2.5, 97.5])
    return winner.info.candidate.name, best, Range(float(np.mean(losses)), float(low), float(high))


def _halves(
    trials: Sequence[TrialRecord], info: SweepInfo, dice: Mapping[str, NDArray[np.float64]], draws: GroupDraws
) -> tuple[Range | None, str | None]:
    """Contracting - expanding there, and what that says."""
    by_mask = {trial.info.candidate.mask: trial.info.candidate.key for trial in trials}
    keys = [by_mask.get(info.named_masks.get(side, "")) for side in SIDES]
    if None in keys or not draws.usable:
        return None, None
    contracting, expanding = (dice[key] for key in keys if key is not None)
    difference = contracting - expanding
    found = draws.range_of(difference)
    means = draws.counts @ difference / draws.counts.sum(axis=1)
    within = float((np.abs(means) <= EQUIVALENCE).mean())
    return found, finding_of(found.low, found.high, within)


def _untrained(tested: Sequence[TrialRecord], candidates: Candidates, dice: Mapping[str, NDArray[np.float64]]) -> str:
    """What to say where the winner here scores less there than the network did before any training."""
    start = candidates.winner.info.candidate.start if candidates.trials else PRETRAINED
    untrained = {trial.info.candidate.start: trial for trial in tested if trial.info.role == "zero-shot"}
    before = untrained.get(start)
    own = dice.get(candidates.winner.info.candidate.key) if candidates.trials else None
    if before is None or own is None:
        return ""
    zero_shot = float(dice[before.info.candidate.key].mean())
    if zero_shot <= float(own.mean()):
        return ""
    return f"without any training the Dice there is {zero_shot:.3f}, more than the winner's {float(own.mean()):.3f}"


def _sentence(
    name: str,
    table: Mapping[str, Any],
    order: OrderThere | None,
    choice: tuple[str | None, str | None, Range | None],
    halves: tuple[Range | None, str | None, str | None],
    untrained: str,
) -> str:
    images, groups = int(table["images"]), int(table["groups"])
    parts = [f"On {name} ({images} images in {groups} groups, never trained on)"]
    difference, word, here = halves
    if difference is not None and word is not None:
        claim = f"{word}, as here" if word == here else f"{word}, where the sweep's own images say {here or 'nothing'}"
        parts.append(f"{claim}: contracting − expanding is {_words(difference)}")
    if order is not None:
        parts.append(
            f"the order of {order.masks} masks correlates with that here by "
            f"{_words(order.rank_correlation, sign=False)}"
            f" (ceiling {order.ceiling:.2f})"
        )
    winner, best, loss = choice
    if winner is not None and loss is not None:
        if winner == best:
            parts.append(f"the winner here, {winner}, is the best there, too")
        else:
            parts.append(
                f"the winner here, {winner}, loses {loss.value:+.3f} [{loss.low:+.3f} to {loss.high:+.3f}] against the "
                f"best there ({best}), corrected for looking"
            )
    if untrained:
        parts.append(untrained)
    if len(parts) == 1:
        return f"{parts[0]}, too few masks or groups to compare."
    return f"{parts[0]}: {'; '.join(parts[1:])}. 95 % ranges are over groups, for these networks."


def _words(number: Range, *, sign: bool = True) -> str:
    form = "+.3f" if sign else ".2f"
    if math.isnan(number.low):
        return f"{number.value:{form}}"
    return f"{number.value:{form}} [{number.low:{form}} to {number.high:{form}}]"
