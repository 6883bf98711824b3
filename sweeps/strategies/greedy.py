"""Forward selection: from the best set of blocks so far to the best that has one block more, until none is better."""

from __future__ import annotations

from itertools import product

from sweeps.spec.space import Space
from sweeps.strategies.history import History, PastTrial
from trainer.candidate import Candidate
from trainer.masks import Mask


def greedy(space: Space, history: History, seed: int) -> Candidate | None:
    """The next candidate of the round: a set of blocks that contains the best so far and the fewest blocks more.

    A round is handed out as a whole, to any number of workers; while one of its candidates is open the answer is None.
    Sets are compared at the largest epoch count, the first learning rate and the first training settings; the winner is
    then tried with all others. Where a constraint allows no step of one block, the next larger one is taken.
    """
    trials = {trial.candidate: trial for trial in history.trials}
    best: tuple[Mask, float] | None = None
    while steps := _steps(space, best[0].blocks if best else ()):
        round_ = {space.first(mask): mask for mask in steps}
        for candidate in round_:
            if candidate not in trials:
                return candidate
        if any(trials[candidate].status == "open" for candidate in round_):
            return None
        winner = _best([trials[candidate] for candidate in round_])
        if winner is None or winner.score is None or (best and winner.score <= best[1]):
            break
        best = round_[winner.candidate], winner.score
    return _variant(space, best[0], history.known) if best else None


def _steps(space: Space, blocks: tuple[int, ...]) -> list[Mask]:
    """The allowed masks that contain these blocks and the fewest more, but at least one."""
    block_set = set(blocks)
    larger = [mask for mask in space.masks if len(mask.blocks) > len(blocks) and block_set.issubset(mask.blocks)]
    fewest = min((len(mask.blocks) for mask in larger), default=0)
    return [mask for mask in larger if len(mask.blocks) == fewest]


def _best(trials: list[PastTrial]) -> PastTrial | None:
    """The largest score; of equal ones that with the fewest parameters. None where nothing scored."""
    scored = [(trial.score, -trial.parameters, trial) for trial in trials if trial.score is not None]
    return max(scored, key=lambda item: item[:2])[-1] if scored else None


def _variant(space: Space, mask: Mask, known: frozenset[Candidate]) -> Candidate | None:
    """The set with epochs, rate and other settings that it was not tried with; largest epoch count first."""
    combinations = product(reversed(space.epochs), space.settings(), space.learning_rate)
    candidates = (space.candidate(mask, epochs, rate, setting) for epochs, setting, rate in combinations)
    return next((candidate for candidate in candidates if candidate not in known and candidate in space), None)
