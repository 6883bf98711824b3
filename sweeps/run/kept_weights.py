"""Whose trained weights stay while a sweep is at work, and at its end (`keep` of its spec, docs/disk.md).

With `best` these are the trials that an answer may still name (`tracking.best_mask.in_the_running`), contracting and
expanding, and whatever is being trained. The others' go as soon as they have lost, so that a long sweep never holds
more than a few sets of weights. What a worker decides by lies in its home, so deciding costs no request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sweeps.planning.open_sweep import OpenSweep
from sweeps.run.holdings import Holding, held_by, hold, let_go, lose_states
from tracking.best_mask.candidates import HALVES
from tracking.best_mask.in_the_running import Contender, in_the_running
from tracking.record import TrialInfo, TrialState
from trainer.candidate import Candidate
from trainer.errors import UserError
from trainer.masks import named as named_masks

if TYPE_CHECKING:  # heavy
    from trainer.training.cross_validation import CrossValidation

FIRST_FOLD = 1  # whose neurons are drawn

Group = tuple[object, ...]  # what candidates that differ only in their seed have in common


class KeptWeights:
    """The weights of a sweep's trials, from one worker's side: others may decide at the same moment."""

    def __init__(self, sweep: OpenSweep, cross_validation: CrossValidation) -> None:
        self._sweep = sweep
        self._cross_validation = cross_validation
        self._keep = sweep.resolved.spec.keep
        self._halves = {str(mask): word for word, mask in named_masks(sweep.resolved.n_blocks) if word in HALVES}
        self._listed = frozenset(sweep.resolved.listed)

    def begin(self, info: TrialInfo) -> Holding:
        """Hold the weights that training a candidate will give, until it is decided what becomes of them."""
        candidate, resolved = info.candidate, self._sweep.resolved
        folds = self._cross_validation.folds(candidate)
        holding = self._priced(
            candidate,
            info.trainable_params,
            trainings=tuple(self._cross_validation.key(candidate, fold) for fold in folds),
            state=self._keep == "all" or candidate.epochs < max(resolved.search.epochs),
        )
        if candidate.epochs:
            self._hold(holding)
        return holding

    def wanted(self, holding: Holding, dice: float) -> bool:
        """Whether the weights of a candidate that scored `dice` would stay: else there is no need to record them."""
        if self._keep != "best":
            return self._keep == "all"
        others = [other for other in self._held() if other.candidate != holding.candidate]
        scored = replace(holding, dice=dice, recorded=True)
        return scored in staying([*others, scored], self._sweep.resolved.repeats)

    def finished(self, scored: Holding, smaller: Mapping[int, float]) -> None:
        """A candidate is recorded; let go what has lost by that. `smaller`: epochs -> mean Dice of the smaller budgets
        that its training passed through, whose weights the ledger has, too.
        """
        if not scored.candidate.epochs:
            return
        self._hold(scored)
        if self._keep == "all":
            return
        held = self._held()
        recorded = {other.candidate for other in held if other.recorded}
        for epochs, dice in smaller.items():
            passed = replace(scored.candidate, epochs=epochs)
            if passed not in recorded:
                self._hold(replace(scored, candidate=passed, dice=dice, recorded=False, uploaded=False))
        self._prune()
        if not scored.state:
            lose_states(self._sweep.home, self._sweep.name, scored)

    def ended(self, holding: Holding) -> None:
        """A candidate was dropped or failed: it has no score, and needs no weights. Smaller budgets that are listed
        have trials of their own.
        """
        if self._keep == "all" or not holding.candidate.epochs:
            return
        for epochs in self._sweep.resolved.search.epochs:
            smaller = replace(holding.candidate, epochs=epochs)
            if epochs < holding.candidate.epochs and smaller in self._listed:
                self._hold_unless_held(replace(holding, candidate=smaller))
        let_go(self._sweep.home, self._sweep.name, holding, all_budgets=True)

    def follow(self) -> None:
        """Let go what other machines found to have lost. For the end of a worker whose home is a cache of its own."""
        if not self._sweep.home.shared_storage:
            return
        holders = {state.candidate for state in self._sweep.tracker.with_weights(self._sweep.plan.sweep_run)}
        for holding in self._local():
            if holding.uploaded and holding.candidate not in holders:
                let_go(self._sweep.home, self._sweep.name, holding)

    def _prune(self) -> None:
        held = self._held()
        stay = staying(held, self._sweep.resolved.repeats) if self._keep == "best" else ()
        for holding in held:
            if holding.dice is not None and holding not in stay:
                self._lose(holding)

    def _lose(self, holding: Holding) -> None:
        home, name = self._sweep.home, self._sweep.name
        waits = not holding.recorded and holding.candidate in self._listed
        if holding.uploaded:
            try:
                self._sweep.tracker.lose_weights(self._sweep.plan.sweep_run, holding.candidate)
            except UserError:
                return  # a store that is away: the next trial, or the sweep's end, tries again
        if waits and self._sweep.resolved.search.neurons:
            # Its own trial comes later, and draws the neurons of one fold.
            let_go(home, name, holding, but_fold=FIRST_FOLD)
            self._hold(replace(holding, trainings=holding.trainings[:FIRST_FOLD], dice=None))
        else:
            let_go(home, name, holding)

    def _hold(self, holding: Holding) -> None:
        hold(self._sweep.home, self._sweep.name, holding)

    def _hold_unless_held(self, holding: Holding) -> None:
        if all(other.candidate != holding.candidate for other in self._local()):
            self._hold(holding)

    def _local(self) -> list[Holding]:
        return held_by(self._sweep.home, self._sweep.name)

    def _held(self) -> list[Holding]:
        """What this home holds, and where it is a cache, what the record holds besides."""
        local = self._local()
        if not self._sweep.home.shared_storage:
            return local
        known = {holding.candidate for holding in local}
        try:
            states = self._sweep.tracker.with_weights(self._sweep.plan.sweep_run)
        except UserError:
            return local
        elsewhere = [state for state in states if state.candidate not in known]
        return [*local, *(self._recorded(state) for state in elsewhere)]

    def _recorded(self, state: TrialState) -> Holding:
        holding = self._priced(state.candidate, state.trainable_params)
        return replace(holding, dice=state.dice, recorded=True, uploaded=True)

    def _priced(
        self, candidate: Candidate, trainable_params: int, *, trainings: tuple[str, ...] = (), state: bool = False
    ) -> Holding:
        is_trial = candidate.start in self._sweep.resolved.space.starts and candidate.plain
        return Holding(
            candidate=candidate,
            trainable_params=trainable_params,
            trainings=trainings,
            competes=self._sweep.resolved.competes(candidate),
            half=self._halves.get(candidate.mask, "") if is_trial and candidate.epochs else "",
            state=state,
        )


def staying(held: Iterable[Holding], repeats: int) -> list[Holding]:
    """Whose weights stay, of all that a sweep holds, where the best are kept.

    A candidate is judged when all its `repeats` are done. What is not recorded yet decides nothing about the others.
    """
    groups: dict[Group, list[Holding]] = defaultdict(list)
    for holding in held:
        candidate = holding.candidate
        groups[candidate.recipe, candidate.split, candidate.epochs].append(holding)
    mean_of = {key: _mean_dice(group, repeats) for key, group in groups.items()}
    recorded = {key for key, group in groups.items() if all(holding.recorded for holding in group)}
    rivals = {key: _contender(groups[key], mean) for key, mean in mean_of.items() if mean is not None}
    settled = [rivals[key] for key in rivals.keys() & recorded if groups[key][0].competes]
    halves = _best_halves(groups, {key: mean for key, mean in mean_of.items() if mean is not None})
    stay: list[Holding] = []
    for key, group in groups.items():
        undecided = key not in rivals
        in_it = not undecided and group[0].competes and rivals[key] in in_the_running({*settled, rivals[key]})
        if undecided or in_it or key in halves:
            stay += group
    return stay


def _mean_dice(group: Sequence[Holding], repeats: int) -> float | None:
    """The mean over all repeats; None while one is missing."""
    dices = [holding.dice for holding in group if holding.dice is not None]
    return sum(dices) / len(dices) if len(dices) == len(group) == repeats else None


def _contender(group: Sequence[Holding], dice: float) -> Contender:
    first = min(group, key=lambda holding: holding.candidate.seed)
    return Contender(replace(first.candidate, seed=0, start_seed=None), first.trainable_params, dice)


def _best_halves(groups: Mapping[Group, Sequence[Holding]], means: Mapping[Group, float]) -> set[Group]:
    """Contracting and expanding, each at its best setting so far."""
    best: dict[str, Group] = {}
    for key, mean in means.items():
        half = groups[key][0].half
        if half and (half not in best or mean > means[best[half]]):
            best[half] = key
    return set(best.values())
