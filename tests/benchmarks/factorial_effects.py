"""Block effects from all 512 sets of blocks against those from a quarter and an eighth of them.

    .venv/bin/python tests/benchmarks/factorial_effects.py TABLE.npz [--budget 8] [--apart] [--out FILE.svg]

TABLE.npz comes from `subset_table.py`. A main effect is mean Dice with the block trained minus with it frozen, over all
cells; an interaction is half of what training one block brings more when the other trains as well. The designs read
their cells from the same table, one seed at a time; intervals are 95 %, per-fold contrasts and a corrected resampled t.
Effects that a design cannot tell apart are compared as the sum that it estimates, and named. All is done twice: with
every cell alike, and with the zero-shot cell apart, whose score may lie far below that of any training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from sweeps.spec.factorial_designs import Effect, chains, design, masks, summary, written
from tracking.figures.canvas import DEEP, GREY, INK, SHALLOW, canvas, stamp
from tracking.statistics import Comparison, corrected_t
from trainer.files import write_atomically

N_BLOCKS = 9
SCALE, NONE = 10_000, 65_535
BLOCKS = range(1, N_BLOCKS + 1)
MAINS: list[Effect] = [(block,) for block in BLOCKS]
PAIRS: list[Effect] = list(combinations(BLOCKS, 2))
Chain = tuple[tuple[Effect, int], ...]
Found = dict[Chain, Comparison]


@dataclass(frozen=True)
class Table:
    """`folds` (seeds, 512, folds): mean Dice of the fold's images; `sizes[seed]`: (trained on, scored) of each fold."""

    folds: NDArray[np.float64]
    sizes: list[list[tuple[int, int]]]
    seeds: list[int]
    synthetic: bool


def read(path: Path, budget: int) -> Table:
    """The fold means at one epoch budget."""
    with np.load(path) as stored:
        meta = json.loads(str(stored["meta"]))
        dice = stored["dice"][:, :, meta["budgets"].index(budget)].astype(float)
        of = stored["fold"]
    dice = np.where(dice == NONE, np.nan, dice / SCALE)
    folds = [
        [np.nanmean(scores[:, fold_of == fold], axis=1) for fold in range(of.max() + 1)]
        for scores, fold_of in zip(dice, of, strict=True)
    ]
    sizes = [
        [(int((fold_of != fold).sum()), int((fold_of == fold).sum())) for fold in range(of.max() + 1)] for fold_of in of
    ]
    return Table(np.array(folds).transpose(0, 2, 1), sizes, meta["seeds"], meta["synthetic"])


def effects(table: Table, seed: int, cells: int, apart: bool = False) -> Found:
    """What a design of so many cells gives on one seed of the table: every chain's contrast, with its interval.

    `apart`: least squares that give the cell without a block a mean of its own, as if it were not there.
    """
    plan = design(N_BLOCKS, cells)
    bits = np.array([sum(1 << block - 1 for block in mask.blocks) for mask in masks(plan)])
    coded = 2 * (bits[:, None] >> np.arange(N_BLOCKS) & 1) - 1
    listed = chains(plan)
    columns = [coded[:, [block - 1 for block in chain[0][0]]].prod(axis=1) for chain in listed]
    matrix = np.column_stack([*columns, np.ones(cells), *([bits == 0] if apart else [])])
    train, tested = zip(*table.sizes[seed], strict=True)
    estimates = 2 * np.linalg.pinv(matrix) @ table.folds[seed, bits]  # without `apart` these are the contrasts
    return {chain: corrected_t(list(folds), train, tested) for chain, folds in zip(listed, estimates, strict=False)}


def values(estimates: Sequence[Found]) -> dict[Effect, float]:
    """effect -> its value, averaged over the seeds of a full table (where every chain is a single effect)."""
    return {chain[0][0]: float(np.mean([estimate[chain].mean for estimate in estimates])) for chain in estimates[0]}


def expected(chain: Chain, truth: dict[Effect, float]) -> float:
    """What a chain's contrast stands for."""
    return sum(sign * truth[effect] for effect, sign in chain)


def agreement(estimates: Found, truth: dict[Effect, float]) -> list[str]:
    """Mains, then interactions: RMS and largest deviation, rank correlation, how many intervals cover the truth."""
    words = []
    for size in (1, 2):
        pairs = [
            (estimate, expected(chain, truth)) for chain, estimate in estimates.items() if len(chain[0][0]) == size
        ]
        off = np.array([estimate.mean - true for estimate, true in pairs])
        rank = spearmanr([estimate.mean for estimate, _ in pairs], [true for _, true in pairs]).statistic
        inside = sum(estimate.low <= true <= estimate.high for estimate, true in pairs)
        words += [
            f"{np.sqrt((off**2).mean()):.4f}",
            f"{np.abs(off).max():.4f}",
            f"{rank:.2f}",
            f"{inside}/{len(pairs)}",
        ]
    return words


def deviations(table: Table, sizes: Sequence[int], apart: bool) -> None:
    """Print how far designs lie from the full table: of the same seed, of all seeds, of the other seeds."""
    places = range(len(table.seeds))
    full = [effects(table, seed, 2**N_BLOCKS, apart) for seed in places]
    widths = [32, *[8] * 8]
    print(row(["", *["RMS", "largest", "rank", "covered"] * 2], widths))
    for cells in (2**N_BLOCKS, *sizes):
        for seed in places:
            estimates = effects(table, seed, cells, apart)
            others = [full[other] for other in places if other != seed]
            against = [("same seed", [full[seed]]), ("all seeds", full)] if cells < 2**N_BLOCKS else []
            for name, truth in [*against, *([("other seeds", others)] if others else [])]:
                words = [f"{cells} cells, seed {table.seeds[seed]} - {name}", *agreement(estimates, values(truth))]
                print(row(words, widths))


def row(words: Sequence[str], widths: Sequence[int]) -> str:
    """Words right-aligned, the first to the left."""
    return "  ".join(
        f"{word:>{width}}" if index else f"{word:<{width}}"
        for index, (word, width) in enumerate(zip(words, widths, strict=True))
    )


def shown(estimates: Found, effect: Effect) -> str:
    """An effect's estimate with its interval, marked where it is a sum."""
    chain = next(chain for chain in estimates if effect in dict(chain))
    estimate, sign = estimates[chain], dict(chain)[effect]
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f"{sign * estimate.mean:+.4f} [{low:+.4f}, {high:+.4f}]{'*' if len(chain) > 1 else ' '}"


def draw(path: Path, truth: dict[Effect, float], estimates_of_cells: dict[int, Found], synthetic: bool) -> None:
    """Every main effect and the largest interactions: full table and designs, with intervals."""
    largest = sorted(PAIRS, key=lambda pair: -abs(truth[pair]))[:12]
    with canvas("factorial-effects", 8.6, 6.4, "png" if path.suffix == ".png" else "svg") as (figure, save):
        for index, (listed, title) in enumerate(
            ((MAINS, "Main effects"), (largest, "The 12 largest interactions (hollow: a sum with its aliases)")), 1
        ):
            axes = figure.add_subplot(2, 1, index)
            axes.axhline(0, color=GREY, linewidth=0.6)
            x = np.arange(len(listed), dtype=float)
            axes.plot(
                x - 0.22,
                [truth[effect] for effect in listed],
                "_",
                color=INK,
                markersize=12,
                markeredgewidth=2,
                label="all 512 cells, mean of the seeds",
            )
            for step, (cells, colour, marker) in enumerate(
                zip(estimates_of_cells, (SHALLOW, DEEP), "os", strict=False)
            ):
                hollow = [
                    index
                    for index, effect in enumerate(listed)
                    if any(len(chain) > 1 and effect in dict(chain) for chain in estimates_of_cells[cells])
                ]
                ends = [
                    next(
                        (dict(chain)[effect], value)
                        for chain, value in estimates_of_cells[cells].items()
                        if effect in dict(chain)
                    )
                    for effect in listed
                ]
                axes.errorbar(
                    x + 0.22 * step,
                    [sign * value.mean for sign, value in ends],
                    yerr=[(value.high - value.low) / 2 for _, value in ends],
                    linestyle="",
                    color=colour,
                    marker=marker,
                    markersize=4,
                    elinewidth=1,
                    label=f"{cells} cells, one seed, 95 % interval",
                )
                axes.plot(
                    x[hollow] + 0.22 * step,
                    [ends[effect][0] * ends[effect][1].mean for effect in hollow],
                    marker,
                    color="white",
                    markeredgecolor=colour,
                    markersize=5,
                    zorder=3,
                )
            axes.set_xticks(x, [written(effect) for effect in listed])
            axes.set_xlabel("block" if index == 1 else "blocks")
            axes.set_ylabel("effect on Dice")
            axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
            if index == 1:
                axes.set_title(stamp(synthetic), loc="right", color=DEEP, fontweight="bold", fontsize=10)
                axes.legend(fontsize=8, loc="best")
        drawn = save()
    write_atomically(path, lambda file: file.write(drawn))


def main(arguments: list[str] | None = None) -> None:
    """Print the comparison; draw it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--budget", type=int, default=8)
    parser.add_argument("--cells", default="128,64")
    parser.add_argument("--apart", action="store_true", help="figure and list with the zero-shot cell apart")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    table = read(given.table, given.budget)
    sizes = [int(cells) for cells in given.cells.split(",")]
    places = range(len(table.seeds))
    full = [effects(table, seed, 2**N_BLOCKS, given.apart) for seed in places]
    truth = values(full)
    print(f"{'SYNTHETIC DATA. ' if table.synthetic else ''}{given.budget} epochs, seeds {table.seeds}")
    for cells in sizes:
        print(f"Design: {summary(design(N_BLOCKS, cells), 99)}")

    first = {cells: effects(table, 0, cells, given.apart) for cells in sizes}
    widths = [8, 9, 9, *[28] * (1 + len(sizes))]
    print(f"\nSeed {table.seeds[0]}; * a sum with its aliases. SD: of the full table's effect, between seeds\n")
    print(row(["effect", "all 512", "SD", "512, one seed", *[f"{cells}, one seed" for cells in sizes]], widths))
    for effect in [*MAINS, *sorted(PAIRS, key=lambda pair: -abs(truth[pair]))]:
        per_seed = [values([estimates])[effect] for estimates in full]
        sd = f"{np.std(per_seed, ddof=1):.4f}" if len(per_seed) > 1 else "-"
        estimates = [shown(first[cells], effect) for cells in sizes]
        print(row([written(effect), f"{truth[effect]:+.4f}", sd, shown(full[0], effect), *estimates], widths))

    for cells in sizes:
        for chain in first[cells]:
            if len(chain) > 1:
                parts = " ".join(f"{sign * truth[effect]:+.4f} ({written(effect)})" for effect, sign in chain)
                print(
                    f"\n{cells} cells cannot tell apart: {parts} = {expected(chain, truth):+.4f}; "
                    f"estimated {shown(first[cells], chain[0][0])}",
                    end="",
                )
    for apart in (False, True):
        which = "the zero-shot cell with a mean of its own" if apart else "every cell alike"
        print(f"\n\nDeviation from the full table, {which}: mains, then interactions (aliases as their sum)\n")
        deviations(table, sizes, apart)
    if given.out:
        draw(given.out, truth, {cells: first[cells] for cells in sizes}, table.synthetic)


if __name__ == "__main__":
    main()
