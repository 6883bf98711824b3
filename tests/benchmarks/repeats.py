"""How often a search trains the same twice: every strategy that proposes, with one worker and four, and plain Optuna.

    .venv/bin/python tests/benchmarks/repeats.py [TRIALS]

Each has as many trials (100) as it likes to choose from nine booleans and five epoch counts. The objective is made up
and writes down what it is asked to train; a pair of mask and epochs that it is asked for again is a repeat. "Optuna
alone" is the same space given to Optuna's sampler through `study.optimize`, with no look at what is known.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import optuna
from optuna.study import StudyDirection

from sweeps.engines import optuna_queue
from sweeps.spec.search_section import Search
from sweeps.spec.space import listed, space_of
from sweeps.spec.strategy_names import ENDING, PROPOSING
from sweeps.strategies.history import Claim, Scored
from sweeps.strategies.propose import proposer
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.files import locked

SIZES = [10, 20, 40, 80, 160, 80, 40, 20, 10]
EPOCHS = (3, 6, 9, 12, 15)
GAIN = (0.02, 0.03, 0.05, 0.02, 0.04, -0.01, -0.02, -0.01, -0.03)  # of every block, in Dice
SAMPLERS = {
    "tpe": optuna.samplers.TPESampler,
    "nsga2": optuna.samplers.NSGAIISampler,
    "random": optuna.samplers.RandomSampler,
}


def dice(blocks: list[int], epochs: int) -> float:
    """The made-up landscape."""
    return 0.5 + sum(GAIN[block - 1] for block in blocks) + 0.005 * epochs


def work(name: str, trials: int, folder: Path) -> None:
    """One worker, as `sweeps.run.worker` runs it, with a made-up objective."""
    search = Search(space="subsets", epochs=EPOCHS, strategy=name, trials=trials)  # type: ignore[arg-type]
    space = space_of(search, SIZES, Settings())
    blocks = {str(mask): list(mask.blocks) for mask in space.masks} | {"none": []}

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        with (folder / "trained.txt").open("a") as file:
            file.write(f"{candidate.start}:{candidate.mask}:{candidate.epochs}\n")
        return Scored(dice(blocks[candidate.mask], candidate.epochs), 5, float(candidate.epochs))

    probe = {block: GAIN[block - 1] for block in range(1, 10)}
    propose = proposer(search, space, 0, time.time() + 3600, lambda: probe)
    url = f"sqlite:///{folder / 'optuna.db'}"
    optuna_queue.drain(url, "s", evaluate, len(SIZES), propose, lambda: locked(folder / "turn.lock"))


def searched(name: str, trials: int, workers: int) -> list[str]:
    """What so many workers trained for one search."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        search = Search(space="subsets", epochs=EPOCHS, strategy=name)  # type: ignore[arg-type]
        start = listed(search, space_of(search, SIZES, Settings()))
        optuna_queue.enqueue(f"sqlite:///{folder / 'optuna.db'}", "s", start, len(SIZES))
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=work, args=(name, trials, folder)) for _ in range(workers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise SystemExit(f"a worker of {name} failed")
        return (folder / "trained.txt").read_text().split()


def alone(name: str, trials: int) -> list[str]:
    """What Optuna's own sampler trains."""
    trained: list[str] = []

    def objective(trial: optuna.Trial) -> float | tuple[float, int]:
        bits = [trial.suggest_categorical(f"block_{block}", [False, True]) for block in range(1, 10)]
        blocks = [block for block in range(1, 10) if bits[block - 1]]
        epochs = EPOCHS[trial.suggest_int("epochs", 0, 4)]
        trained.append(f"{blocks}:{epochs}")
        cost = sum(SIZES[block - 1] for block in blocks)
        return (dice(blocks, epochs), cost) if name == "nsga2" else dice(blocks, epochs)

    up, down = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    directions = [up, down] if name == "nsga2" else [up]
    optuna.create_study(sampler=SAMPLERS[name](seed=0), directions=directions).optimize(objective, n_trials=trials)
    return trained


def repeated(trained: list[str]) -> str:
    """Trainings that were done before, of all."""
    return f"{sum(times - 1 for times in Counter(trained).values())} of {len(trained)}"


def main(trials: int) -> None:
    """Print the table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"{'strategy':10} {'one worker':>14} {'four workers':>14} {'Optuna alone':>14}")
    for name in PROPOSING:
        without = repeated(alone(name, trials)) if name in SAMPLERS else "-"
        single, four = (repeated(searched(name, trials, workers)) for workers in (1, 4))
        ends = " (ends by itself)" if name in ENDING else ""
        print(f"{name:10} {single:>14} {four:>14} {without:>14}{ends}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
