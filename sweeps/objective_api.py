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

from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board, Output
from sweeps.locks import contract
from sweeps.spec.load import load_spec
from sweeps.spec.space import Space, zero_shot
from sweeps.strategies.history import Claim, Report
from trainer.candidate import PRETRAINED, Candidate
from trainer.errors import UserError
from trainer.masks import Mask, parse

if TYPE_CHECKING:
    from sweeps.planning.open_sweep import OpenSweep
    from sweeps.planning.resolve import ResolvedSweep
    from trainer.results import FoldResult


@dataclass(frozen=True)
class Scores:
    """What a candidate scored. `dice`: its mean over folds, 1 is best; `images`: image -> out-of-fold Dice, NaN where
    the truth is empty.

    `parameters` that its mask thaws; `trainings`: folds that were trained for it (0: all came from the ledger), and
    their `seconds`. `pruned_after`: the fold after which `should_prune` ended it, 0 where all folds were scored. Of a
    pruned candidate `dice` is the mean of the folds so far, which is not comparable, and `images` is empty.
    """

    dice: float
    images: Mapping[str, float]
    parameters: int
    trainings: int = 0
    seconds: float = 0.0
    pruned_after: int = 0


def _never(*_: object) -> bool:
    """The default of both hooks: ignores a report and never prunes."""
    return False


@dataclass(frozen=True)
class Objective:
    """Scores candidates of the sweep called `name` inside its `space`, one at a time, whichever thread calls."""

    name: str
    resolved: ResolvedSweep
    score: Callable[[Candidate, Report, Callable[[], bool]], Scores]
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def space(self) -> Space:
        """Every candidate that the spec allows."""
        return self.resolved.space

    def __call__(
        self, candidate: Candidate, *, report: Report = _never, should_prune: Callable[[], bool] = _never
    ) -> Scores:
        """Score a candidate. One that is recorded already is read, not trained, and reports nothing.

        After every fold `report(mean Dice so far, fold)` is called, and after every fold but the last `should_prune()`.
        Where that gives True the trial ends, MLflow marks it as dropped, and `Scores.pruned_after` names the fold. An
        empty mask gives the zero-shot score. Raises `UserError` for a candidate outside the space, and
        `trainer.errors.TrialFailed` for one that cannot score (a non-finite loss), which is recorded too.
        """
        checked = check_candidate(candidate, self.resolved)
        with self.turn:
            return self.score(checked, report, should_prune)


@contextmanager
def open_objective(
    spec: str,
    *,
    data: str | None = None,
    pretrain: str | None = None,
    sets: Sequence[str] = (),
    name: str | None = None,
    home: str | Path = "runs",
    model: str | None = None,
    custom: Sequence[str] = (),
) -> Iterator[Objective]:
    """Load images, weights and folds of a spec once and yield its objective. The arguments are those of `thaw run`.

    Processes that open the same sweep share its record, and none trains what another has trained. At the end the
    sweep's run in MLflow is closed with the verdict so far; `thaw report` writes its report.
    """
    from sweeps.planning.identity import check_name
    from sweeps.planning.prepare import prepare
    from sweeps.planning.resolve import look_and_resolve

    opened_home, board, name = open_home(Path(home)), Board(Output(stderr=True)), check_name(name)
    loaded_spec = load_spec(spec, sets=sets, data=data, pretrain=pretrain, model=model, custom=custom)
    if loaded_spec.outer:
        raise UserError(
            "'outer' repeats a search of thaw's own (`thaw run`), but here the study that asks is the search. Set "
            "outer=0."
        )
    resolved, network = look_and_resolve(loaded_spec, opened_home, board)
    with opened_home.locks.held(contract.LAUNCH, waiting=board.waiting):
        sweep = prepare(resolved, network, opened_home, board, name, workers=1)
    try:
        with opened_home.locks.present(contract.workers(sweep.name)):
            yield Objective(sweep.name, sweep.resolved, _make_score(sweep))
    finally:
        if sweep.abandoned:
            sweep.close_lost()
            _conclude(sweep)


def _make_score(sweep: OpenSweep) -> Callable[[Candidate, Report, Callable[[], bool]], Scores]:
    """The sweep's own objective; it asks the `should_prune` of its latest call whether to prune."""
    from sweeps.run.load_cross_validation import load_cross_validation
    from sweeps.run.objective import make_objective, mean_dice

    prune_checks: list[Callable[[], bool]] = [_never]

    def drop(candidate: Candidate, results: Sequence[FoldResult]) -> float | None:
        return mean_dice(results) if prune_checks[-1]() else None

    cross_validation = load_cross_validation(sweep.home, sweep.plan)
    reason = "pruned by the study that asked for it"
    objective = make_objective(sweep, cross_validation, lambda message: None, drop, reason)

    def score(candidate: Candidate, report: Report, should_prune: Callable[[], bool]) -> Scores:
        prune_checks[:] = [should_prune]
        scored = objective(candidate, Claim(report))
        trial = sweep.tracker.trial(sweep.plan.sweep_run, candidate)
        images = {} if scored.dropped_after or trial is None else sweep.tracker.dice_by_image(trial.run_id)
        return Scores(scored.score, images, scored.parameters, scored.trainings, scored.seconds, scored.dropped_after)

    return score


def _conclude(sweep: OpenSweep) -> None:
    from tracking.analysis.seeds import read
    from tracking.best_mask.answer import chosen_runs, conclusion
    from tracking.summary.sweep import summarise

    record = sweep.tracker.read_sweep(sweep.name)
    reading, summary = read(record), summarise(record)
    verdict_text = f"{summary.verdict.sentence} {conclusion(reading, summary.best_mask)}"
    sweep.tracker.finish_sweep(sweep.plan.sweep_run, verdict_text, choice=chosen_runs(reading, summary.best_mask))


def check_candidate(candidate: Candidate, resolved: ResolvedSweep) -> Candidate:
    """The candidate as the sweep writes it. Raises `UserError`, naming every mistake, where it is not in the space.

    The space also holds what the sweep measures anyway (its baselines), the empty mask, and any learning rate from the
    lowest to the highest of the spec.
    """
    space = resolved.space
    mask = parse(candidate.mask, space.n_blocks)
    if candidate in resolved.listed:
        return candidate
    if not mask.blocks and candidate.start == PRETRAINED:
        return zero_shot(resolved.search, resolved.settings)
    mistakes = list(_mistakes(candidate, mask, resolved))
    if mask not in space.masks:
        mistakes.append(
            f"mask {mask} is none of the {len(space.masks)} masks that search.space and its constraints allow"
        )
    if mistakes:
        raise UserError(
            f"A candidate must lie in the space of the spec '{resolved.spec.name}', but: {'; '.join(mistakes)}. Give "
            "other values, or widen [search] in the spec (sets=[...])."
        )
    normalised = space.candidate(mask, candidate.epochs, candidate.learning_rate, space.setting_of(candidate))
    return replace(normalised, seed=candidate.seed, start_seed=candidate.start_seed)


def _mistakes(candidate: Candidate, mask: Mask, resolved: ResolvedSweep) -> Iterator[str]:
    space = resolved.space
    if candidate.epochs not in space.epochs:
        yield f"epochs must be one of {list(space.epochs)}, not {candidate.epochs}"
    low, high = min(space.learning_rate), max(space.learning_rate)
    if not low <= candidate.learning_rate <= high:
        yield f"learning_rate must be {low:g} to {high:g}, not {candidate.learning_rate:g}"
    if candidate.seed not in resolved.seeds:
        yield f"seed must be one of {list(resolved.seeds)}, not {candidate.seed}"
    if candidate.start_seed not in resolved.start_seeds:
        yield f"start_seed must be one of {list(resolved.start_seeds)}, not {candidate.start_seed}"
    if candidate.start not in space.starts or candidate.split != "grouped":
        yield (
            f"start and split must be {' or '.join(map(repr, space.starts))} and 'grouped', not '{candidate.start}' "
            f"and '{candidate.split}'"
        )
    elif reason := space.why_not(str(mask), space.setting_of(candidate)):
        yield reason
    if candidate.images:
        yield f"images must be 0 (all) or one of search.images, not {candidate.images}"
    searched = dict(space.searched)
    for setting, value in candidate.train:
        if value not in searched.get(setting, ()):
            yield f"{setting} must be one of {list(searched.get(setting, ()))} (search.train), not {value!r}"
