"""How many trainings each search strategy needs on a table of all sets of blocks (`subset_table.py`).

    .venv/bin/python tests/benchmarks/search_regret.py TABLE.npz [--seeds 50] [--out FIGURE.svg] [--strategies a,b]

A strategy sees the scores of one seed of the table; the truth is the mean over the other seeds. Replay r sees seed
r mod (number of seeds), and is scored on nine tenths of the images drawn by r, so that a strategy without any chance
of its own meets as many landscapes as the others. The truth takes all images. Charged, in masks (a mask is a training
on all folds): the warm start, from scratch and zero-shot included, and the probe, by its share of epochs and folds.

Printed for every strategy: masks until the first of the true best 1 % is measured, median and 90th percentile over the
replays; simple regret, the Dice that the best of the table truly has above the mask that the scores seen so far would
choose, after 10, 20 and 41 masks; proposals that had been measured before (with one worker and with four), and how many
Optuna's bare samplers would have repeated. `model` is the regret after 41 masks of whoever takes, instead of the
highest score, the highest prediction of `guided`'s Gaussian process, whatever the strategy. `alone` is random search
without warm start, `study` the orders shallow-first and deep-first at every depth, shuffled.

The best of the truth is itself the highest of many noisy means, most of all with one other seed: every regret is too
high by the same amount, and differences between regrets are not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, masks_of, space_of, warm_start
from sweeps.spec.strategy_names import PROBED, PROPOSING
from sweeps.strategies.history import History, PastTrial, Scored
from sweeps.strategies.propose import strategy_of
from tracking.best_mask.gaussian_process import Points, fitted, signs
from tracking.figures.canvas import DEEP, GREY, INK, SHALLOW, canvas, stamp
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.files import write_atomically
from trainer.masks import parse

Array = NDArray[np.float64]
CHECKPOINTS = (10, 20, 41)
SHOWN = 60  # masks on the figure
KEPT = 0.9  # of the images, in what a strategy sees
TOP = 0.01  # of the sets, the aim of the search
BARE = 10  # replays of Optuna's bare samplers
KT = ("kt-random", "kt-bayesian")
EMPTY, SCALE = 65_535, 10_000  # as in the table


@dataclass(frozen=True)
class Table:
    """`dice` (seeds, sets, budgets, images), NaN where the truth is empty; `fold` (seeds, images)."""

    dice: Array
    fold: NDArray[np.int8]
    budgets: tuple[int, ...]
    parameters: tuple[int, ...]  # of each set
    synthetic: bool

    @property
    def n_blocks(self) -> int:
        return len(self.parameters).bit_length() - 1

    def folds(self, seed: int) -> int:
        """How many there are."""
        return len(np.unique(self.fold[seed]))

    def truth(self, seed: int) -> Array:
        """Mean Dice of each set over all seeds but this one, at the largest budget."""
        others = np.delete(self.dice, seed, axis=0)[:, :, -1]
        return np.asarray(np.nanmean(others, axis=(0, 2)))

    def scores_and_probe(self, seed: int, replay: int) -> tuple[Array, dict[int, float]]:
        """What a strategy sees: each set's mean Dice over folds, and the probe."""
        n_images = self.fold.shape[1]
        sampled = np.random.default_rng(replay).permutation(n_images) < KEPT * n_images
        folds = [sampled & (self.fold[seed] == fold) for fold in np.unique(self.fold[seed])]
        dice = self.dice[seed]
        scores = np.mean([np.nanmean(dice[:, -1, chosen], axis=1) for chosen in folds if chosen.any()], axis=0)
        alone = np.nanmean(dice[:, 0, folds[0]], axis=1)
        return scores, {block: float(alone[1 << (block - 1)]) for block in range(1, self.n_blocks + 1)}

    def probe_cost(self, seed: int) -> float:
        """The probe in masks: so many of the epochs, on one of the folds, for every block."""
        return self.n_blocks * self.budgets[0] / self.budgets[-1] / self.folds(seed)


def read(path: Path) -> Table:
    """A table as `subset_table.py` writes it."""
    with np.load(path) as file:
        dice = np.where(file["dice"] == EMPTY, np.nan, file["dice"] / SCALE)
        meta = json.loads(str(file["meta"]))
        parameters = tuple(int(count) for count in file["parameters"])
        return Table(dice, file["fold"], tuple(meta["budgets"]), parameters, meta["synthetic"])


@dataclass(frozen=True)
class Replay:
    """One search: the sets in the order in which they were paid for (None: from scratch), and what came of them."""

    sets: tuple[int | None, ...]
    paid_before: float  # masks: the probe
    regret: Array  # after each of the sets
    until: float  # masks until one of the true best was measured; infinite if none was

    @property
    def repeated(self) -> int:
        """Sets that were paid for more than once."""
        return len(self.sets) - len(set(self.sets))

    def after(self, masks: float) -> float:
        """Regret when so many masks were paid for; a search that ended earlier keeps what it has."""
        return float(self.regret[min(int(masks - self.paid_before), len(self.regret)) - 1])


@cache
def space(parameters: tuple[int, ...], epochs: int) -> Space:
    """Every set of blocks at one epoch count; `parameters` of each set in the order of the table."""
    blocks = [parameters[1 << block] for block in range(len(parameters).bit_length() - 1)]
    return space_of(Search(space="subsets", epochs=(epochs,)), blocks, Settings())


class _Enough(Exception):
    """The search has found one of the best, and no checkpoint is left."""


def replay(table: Table, name: str, number: int, workers: int = 1, most: int = 0) -> Replay:
    """One search on the table, until it has paid for `SHOWN` masks and found one of the best; or for `most`."""
    seed = number % len(table.dice)
    scores, probe = table.scores_and_probe(seed, number)
    truth = table.truth(seed)
    best = {int(bits) for bits in 1 + np.argsort(-truth[1:])[: top(table)]}
    trials: list[PastTrial] = []
    sets: list[int | None] = []

    def pay(candidate: Candidate) -> PastTrial:
        bits = _set_of(candidate, table.n_blocks)
        sets.append(bits)
        trial = PastTrial(candidate, "failed")  # from scratch: paid for, not in the table
        if bits is not None:
            trial = PastTrial(candidate, "done", float(scores[bits]), table.folds(seed), 1.0, table.parameters[bits])
        trials.append(trial)
        if len(sets) >= (most or SHOWN) and (most or best & set(sets)):
            raise _Enough
        return trial

    with suppress(_Enough):
        _search(name, space(table.parameters, table.budgets[-1]), trials, pay, probe, number, workers)
    regret, chosen = [], 0  # before anything is trained there is the network as it is
    for bits in sets:
        chosen = chosen if bits is None or scores[bits] <= scores[chosen] else bits
        regret.append(float(truth.max() - truth[chosen]))
    before = table.probe_cost(seed) if name in PROBED else 0.0
    masks_until_best = next((index + before for index, bits in enumerate(sets, 1) if bits in best), np.inf)
    return Replay(tuple(sets), before, np.array(regret), masks_until_best)


def _search(
    name: str,
    everything: Space,
    trials: list[PastTrial],
    pay: Callable[[Candidate], PastTrial],
    probe: Mapping[int, float],
    number: int,
    workers: int,
) -> None:
    """Pay for one candidate after the other, the warm start first; with several workers so many are open at a time."""
    if name == "study":
        masks = masks_of(Search(), everything.n_blocks)
        for index in np.random.default_rng(number).permutation(len(masks)):
            pay(everything.candidate(masks[index], everything.epochs[-1], everything.learning_rate[0]))
        return
    if name != "alone":
        for candidate in warm_start(Search(space="subsets", epochs=everything.epochs), everything, Settings()):
            pay(candidate)
    if name in KT:
        _keras_tuner(name, everything, trials, pay, number)
        return
    ask = strategy_of("random" if name == "alone" else name)
    hints = probe if name in PROBED else {}
    while True:
        waiting: list[PastTrial] = []
        while len(waiting) < workers:
            proposal = ask(everything, History((*trials, *waiting), hints), number)
            if proposal is None:
                break
            waiting.append(PastTrial(proposal, "open"))
        if not waiting:
            return
        for trial in waiting:
            pay(trial.candidate)


def _keras_tuner(
    name: str, everything: Space, trials: list[PastTrial], pay: Callable[[Candidate], PastTrial], number: int
) -> None:
    from sweeps.engines.keras_tuner_engine import tune

    def evaluate(candidate: Candidate, _: object) -> Scored:
        trial = pay(candidate)
        return Scored(trial.score or 0.0, trial.trainings, trial.seconds, trial.parameters)

    strategy: Literal["random", "bayesian"] = "random" if name == "kt-random" else "bayesian"
    search = Search(space="subsets", engine="keras-tuner", strategy=strategy, epochs=everything.epochs)
    with TemporaryDirectory() as folder:
        # KerasTuner draws its n-th point from seed + n: neighbouring seeds are one sequence, shifted.
        tune(search, everything, tuple(trials), evaluate, Path(folder) / "tuner", seed=10_000 * number)


def _set_of(candidate: Candidate, n_blocks: int) -> int | None:
    """The number of its set in the table; None of what the table does not hold."""
    if candidate.start == "scratch":
        return None
    return sum(1 << (block - 1) for block in parse(candidate.mask, n_blocks).blocks)


def top(table: Table) -> int:
    """How many sets are the true best 1 %."""
    return max(1, round(TOP * (len(table.parameters) - 1)))


def exhausted(table: Table, seeds: int) -> float:
    """Mean regret of whoever measures every set and takes the best score: what chance leaves."""
    regret = []
    for number in range(seeds):
        scores, _ = table.scores_and_probe(number % len(table.dice), number)
        truth = table.truth(number % len(table.dice))
        regret.append(truth.max() - truth[np.argmax(scores)])
    return float(np.mean(regret))


def unsearched(table: Table, name: str) -> float:
    """Mean regret of whoever takes a named mask without measuring anything."""
    bits = _set_of(Candidate(name, table.budgets[-1], 1e-3), table.n_blocks)
    return float(np.mean([truth.max() - truth[bits] for truth in map(table.truth, range(len(table.dice)))]))


def by_model(table: Table, number: int, replay: Replay) -> float:
    """Regret after the last checkpoint of the set, among those paid for, that the scores of all of them speak for."""
    paid = replay.sets[: int(max(CHECKPOINTS) - replay.paid_before)]
    sets = np.unique([bits for bits in paid if bits])  # trained ones, each once
    scores, _ = table.scores_and_probe(number % len(table.dice), number)
    blocks = [[block for block in range(1, table.n_blocks + 1) if bits >> (block - 1) & 1] for bits in sets]
    points = Points(signs(blocks, table.n_blocks), np.zeros((len(sets), 0)))
    predicted, _ = fitted(points, scores[sets], np.zeros(len(sets), bool)).predict(points)
    truth = table.truth(number % len(table.dice))
    return float(truth.max() - truth[sets[np.argmax(predicted)]])


def bare_repeats(name: str, table: Table, number: int, masks: int) -> int | None:
    """Sets that Optuna's own sampler, asked directly, names again within so many trials; None of other strategies."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers: dict[str, Callable[[], Any]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=number),
        "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=number),
        "random": lambda: optuna.samplers.RandomSampler(seed=number),
    }
    if name not in samplers:
        return None
    scores, _ = table.scores_and_probe(number % len(table.dice), number)
    directions = {"nsga2": ["maximize", "minimize"]}.get(name, ["maximize"])
    study = optuna.create_study(sampler=samplers[name](), directions=directions)  # type: ignore[arg-type]
    asked: list[int] = []
    for _ in range(masks):
        trial = study.ask()
        chosen = [trial.suggest_categorical(f"block_{block}", [False, True]) for block in range(table.n_blocks)]
        bits = sum(1 << block for block, trains in enumerate(chosen) if trains)
        asked.append(bits)
        study.tell(trial, [float(scores[bits]), float(table.parameters[bits])][: len(directions)])
    return len(asked) - len(set(asked))


def line(name: str, table: Table, replays: Sequence[Replay]) -> str:
    """One row of the printed table."""
    until = [search.until for search in replays]
    # `inverted_cdf` takes a value that occurred: between a number and infinity there is none.
    spread = [float(np.quantile(until, share, method="inverted_cdf")) for share in (0.5, 0.9)]
    words = [f"{value:.1f}" if np.isfinite(value) else "never" for value in spread]
    regret = "  ".join(f"{np.mean([search.after(masks) for search in replays]):.4f}" for masks in CHECKPOINTS)
    modelled = np.mean([by_model(table, number, search) for number, search in enumerate(replays)])
    again = str(sum(search.repeated for search in replays))
    alone = name in (*KT, "alone", "study")  # one worker each
    numbers = () if alone else range(len(table.dice))
    four = sum(replay(table, name, number, 4, max(CHECKPOINTS)).repeated for number in numbers)
    bare = [bare_repeats(name, table, number, max(CHECKPOINTS)) for number in range(BARE)]
    known = [count for count in bare if count is not None]
    last = f"{np.mean(known):.1f}" if known else "-"
    return (
        f"{name:12}{words[0]:>7}{words[1]:>8}   {regret}  {modelled:.4f}{again:>8}{'-' if alone else four:>8}{last:>8}"
    )


def draw(replays_of: Mapping[str, Sequence[Replay]], synthetic: bool, n_sets: int, out: Path) -> None:
    """Mean regret against masks paid for: told apart by dashes, width and marks, not by colour alone."""
    dashes, marks = ("-", "--", ":", "-."), "os^vDP*X<>"
    with canvas("search-regret", 7.4, 4.4, "png" if out.suffix == ".png" else "svg") as (figure, save):
        axes = figure.add_subplot()
        for index, (name, replays) in enumerate(replays_of.items()):
            masks = np.arange(7, SHOWN + 1)
            mean = [np.mean([replay.after(float(count)) for replay in replays]) for count in masks]
            colour = DEEP if name == "guided" else (INK, GREY, SHALLOW)[index % 3]
            axes.plot(
                masks,
                mean,
                dashes[index % 4],
                marker=marks[index % len(marks)],
                markevery=(index % 6, 6),
                markersize=4,
                color=colour,
                label=name,
                linewidth=2.4 if name == "guided" else 1.1,
            )
        axes.axvline(0.08 * n_sets, color=GREY, linewidth=0.8)
        axes.annotate(
            f"8 % of {n_sets} sets",
            (0.08 * n_sets, 0),
            (3, 5),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )
        axes.set(xlabel="Masks paid for, five folds each", ylabel="Regret (Dice)", ylim=(0, None))
        axes.set_title(stamp(synthetic), loc="right", color=DEEP, fontweight="bold", fontsize=10)
        axes.legend(fontsize=8, ncols=2)
        drawn = save()
    write_atomically(out, lambda file: file.write(drawn))


def main(arguments: list[str]) -> None:
    """Replay, print, draw."""
    every = [*PROPOSING, *KT, "alone", "study"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--most", type=int, default=0, help="end each search after so many masks")
    parser.add_argument("--strategies", default=",".join(every))
    given = parser.parse_args(arguments)
    table = read(given.table)
    n_sets = len(table.parameters) - 1
    print(
        f"{n_sets} sets, {len(table.dice)} seeds, {given.seeds} replays; masks until one of the true best {top(table)}"
    )
    print(
        f"{'strategy':12}{'median':>7}{'90 %':>8}   "
        + "  ".join(f"at {masks:3d}" for masks in CHECKPOINTS)
        + f"{'model':>8}{'twice':>8}{'4 work.':>8}{'bare':>8}{'s':>6}"
    )
    replays_of: dict[str, list[Replay]] = {}
    for name in given.strategies.split(","):
        started = time.perf_counter()
        replays_of[name] = [replay(table, name, number, most=given.most) for number in range(given.seeds)]
        print(f"{line(name, table, replays_of[name])}{time.perf_counter() - started:6.0f}", flush=True)
    print(f"all {n_sets} measured, the best score chosen: regret {exhausted(table, given.seeds):.4f}")
    words = ", ".join(f"{name} {unsearched(table, name):.4f}" for name in ("all", "contracting", "expanding"))
    print(f"taken without any search: {words}")
    if given.out:
        draw(replays_of, table.synthetic, n_sets, given.out)


if __name__ == "__main__":
    main(sys.argv[1:])
