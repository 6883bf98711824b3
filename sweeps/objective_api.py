"""thaw's objective for a study of your own: a candidate in, its scores out, from the same ledger and into the same
MLflow runs as `thaw run`. Any optimizer will do; none is imported here. docs/writing-a-study.md shows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sweeps.environment.home import Home, open_home
from sweeps.environment.terminal import Board
from sweeps.spec.load import Spec, load_spec, seeds_of
from sweeps.spec.space import Space, listed, zero_shot
from sweeps.strategies.history import Report
from trainer.config import Candidate
from trainer.errors import UserError
from trainer.files import nobody_present, present
from trainer.masks import parse

if TYPE_CHECKING:
    from sweeps.run.plan import Plan
    from tracking.store.writer import Tracker
    from trainer.results import FoldResult


@dataclass(frozen=True)
class Scores:
    """What a candidate scored. `dice`: its mean over folds, 1 is best; `images`: image -> out-of-fold Dice, NaN where
    the truth is empty.

    `parameters` that its mask thaws; `trainings` of a fold that this took (0: all of it was known) and their `seconds`.
    `pruned_after`: the fold after which `should_prune` ended it, 0 where all folds were scored; `dice` is then the mean
    of the folds so far, which is not comparable, and `images` is empty.
    """

    dice: float
    images: Mapping[str, float]
    parameters: int
    trainings: int = 0
    seconds: float = 0.0
    pruned_after: int = 0


def _nobody(*_: object) -> bool:
    """Hears no report, prunes nothing."""
    return False


@dataclass(frozen=True)
class Objective:
    """Scores the candidates of one sweep, called `name`, inside its `space`; one at a time, whoever calls."""

    name: str
    space: Space
    score: Callable[[Candidate, Report, Callable[[], bool]], Scores]
    spec: Spec
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, candidate: Candidate, *, report: Report = _nobody, should_prune: Callable[[], bool] = _nobody
    ) -> Scores:
        """The scores of a candidate; what is recorded already is read, not trained, and reports nothing.

        After every fold `report(mean Dice so far, fold)` is called, then, but for the last, `should_prune()`; where it
        says so the trial ends, is marked as dropped in MLflow, and `Scores.pruned_after` says when. An empty mask is
        the zero-shot score. Raises `UserError` for what is not in the space, `trainer.errors.TrialFailed` for a
        candidate that cannot score (a non-finite loss), which is recorded too.
        """
        wanted = inside(candidate, self.space, self.spec)
        with self.turn:
            return self.score(wanted, report, should_prune)


@contextmanager
def prepared(
    spec: str,
    *,
    data: str | None = None,
    pretrain: str | None = None,
    sets: Sequence[str] = (),
    name: str | None = None,
    home: str | Path = "runs",
    model: str | None = None,
) -> Iterator[Objective]:
    """Pictures, weights and folds of a spec, loaded once, and its objective; arguments as those of `thaw run`.

    Processes that prepare the same sweep share its record, and none trains what another has. At the end the sweep's
    run in MLflow is closed with what is known by then; `thaw report` makes its report.
    """
    from sweeps.run.blocks import network_space
    from sweeps.run.identity import check_name
    from sweeps.run.prepare import look_at_network, prepared_alone

    place, board = open_home(Path(home)), Board(Console(stderr=True))
    chosen = load_spec(spec, sets=sets, data=data, pretrain=pretrain, model=model)
    chosen = look_at_network(chosen, place, board)
    space = network_space(chosen)
    plan, tracker = prepared_alone(chosen, place, board, check_name(name))
    try:
        with present(place.workers_lock(plan.name)):
            yield Objective(plan.name, space, _scoring(place, plan, tracker), chosen)
    finally:
        if nobody_present(place.workers_lock(plan.name)):
            tracker.close_lost(plan.sweep_run)
            _conclude(tracker, plan)


def _scoring(home: Home, plan: Plan, tracker: Tracker) -> Callable[[Candidate, Report, Callable[[], bool]], Scores]:
    """The sweep's own objective, asking whoever called it last whether to prune."""
    from sweeps.run.objective import mean_dice, recorded
    from sweeps.run.worker import trial_of

    asked: list[Callable[[], bool]] = [_nobody]

    def drop(candidate: Candidate, results: Sequence[FoldResult]) -> float | None:
        return mean_dice(results) if asked[-1]() else None

    trial = trial_of(home, plan)
    objective = recorded(
        trial, tracker, home, plan, lambda message: None, drop, "pruned by the study that asked for it"
    )

    def score(candidate: Candidate, report: Report, should_prune: Callable[[], bool]) -> Scores:
        asked[:] = [should_prune]
        found = objective(candidate, report)
        state = tracker.trial(plan.sweep_run, candidate)
        images = {} if found.dropped_after or state is None else tracker.dice_by_image(state.run_id)
        return Scores(found.score, images, found.parameters, found.trainings, found.seconds, found.dropped_after)

    return score


def _conclude(tracker: Tracker, plan: Plan) -> None:
    from tracking.analysis.seeds import read
    from tracking.best_mask.answer import chosen_runs, conclusion
    from tracking.summary.sweep import summarise

    record = tracker.read_sweep(plan.name)
    reading, summary = read(record), summarise(record)
    words = f"{summary.verdict.sentence} {conclusion(reading, summary.best_mask)}"
    tracker.finish_sweep(plan.sweep_run, words, choice=chosen_runs(reading))


def inside(candidate: Candidate, space: Space, spec: Spec) -> Candidate:
    """The candidate as the sweep writes it. Raises `UserError`, naming every mistake, where it is not in the space.

    In the space is also whatever the sweep measures anyway (its baselines), the empty mask, and any learning rate from
    the lowest to the highest of the spec.
    """
    search, settings = spec.search, spec.settings
    mask = parse(candidate.mask, space.n_blocks)
    if not mask.blocks:
        return zero_shot(search, settings)
    if candidate in listed(search, space, settings):
        return candidate
    mistakes = list(_mistakes(candidate, space, seeds_of(spec)))
    if mask not in space.masks:
        mistakes.append(
            f"mask {mask} is none of the {len(space.masks)} masks that search.space and its constraints allow"
        )
    if mistakes:
        raise UserError(
            f"A candidate must lie in the space of the spec '{spec.name}', but: {'; '.join(mistakes)}. Give other "
            "values, or widen [search] in the spec (sets=[...])."
        )
    made = space.candidate(mask, candidate.epochs, candidate.learning_rate, candidate.train)
    return replace(made, seed=candidate.seed)


def _mistakes(candidate: Candidate, space: Space, seeds: Sequence[int]) -> Iterator[str]:
    if candidate.epochs not in space.epochs:
        yield f"epochs must be one of {list(space.epochs)}, not {candidate.epochs}"
    low, high = min(space.learning_rate), max(space.learning_rate)
    if not low <= candidate.learning_rate <= high:
        yield f"learning_rate must be {low:g} to {high:g}, not {candidate.learning_rate:g}"
    if candidate.seed not in seeds:
        yield f"seed must be one of {list(seeds)}, not {candidate.seed}"
    if (candidate.start, candidate.split) != ("pretrained", "grouped"):
        yield f"start and split must be 'pretrained' and 'grouped', not '{candidate.start}' and '{candidate.split}'"
    known = dict(space.train)
    for setting, value in candidate.train:
        if value not in known.get(setting, ()):
            yield f"{setting} must be one of {list(known.get(setting, ()))} (search.train), not {value!r}"
