"""Every set of blocks, measured: the table on which search strategies are judged (`search_regret.py`).

    .venv/bin/python tests/benchmarks/subset_table.py TABLE.npz                      embedded phantoms
    .venv/bin/python tests/benchmarks/subset_table.py TABLE.npz --data FOLDER --pretrain FOLDER

All 511 sets of blocks of a tiny U-Net and the zero-shot score, at two epoch budgets, five folds, for every seed. A seed
draws the folds, augmentation, batches and dropout; images and starting weights are the same for all. Well under an
hour a seed on 2 cores; stop it at any time, the same command goes on. `TABLE.parts/` keeps what is measured so far.

The table holds out-of-fold Dice of every image, so that means, folds and paired comparisons can all be replayed:
`dice` uint16 (seeds, 512, budgets, images), in 1/10,000, 65535 for an empty truth; entry m of the second axis is the
set whose block b trains where bit b - 1 of m is set. `fold` int8 (seeds, images), `seconds` float32 (seeds, 512) with
tracing, `parameters` int64 (512,), `meta` a JSON text.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.candidate import Candidate
from trainer.config import AugmentConfig, DataConfig, ModelConfig, PretrainConfig, Settings, TrainConfig
from trainer.files import write_atomically
from trainer.masks import Mask

N_BLOCKS = 9
SETS = 2**N_BLOCKS
BUDGETS = (3, 8)
RATE = 2e-3
SCALE, NONE = 10_000, 65_535


def configuration(data: str | None, pretrain: str | None) -> Settings:
    """The tiny configuration: 32x32, 4 filters, 80 images, twice as many after augmentation."""
    return Settings(
        model=ModelConfig(size=32, filters=4),
        data=DataConfig(path=data, images=80),
        augmentation=AugmentConfig(total=160),
        train=TrainConfig(batch=16),
        pretrain=PretrainConfig(path=pretrain, images=1600, epochs=12, batch=16),
    )


def mask_of(bits: int) -> Mask:
    """The set of blocks written in the bits of a number."""
    return Mask(tuple(block for block in range(1, N_BLOCKS + 1) if bits >> (block - 1) & 1), N_BLOCKS)


def measure(settings: Settings, seeds: list[int], home: Path, parts: Path, worker: int, workers: int) -> None:
    """Train this worker's share of the sets, appending one line per set and seed."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds
    from trainer.network.unet import unet
    from trainer.network.weights import load_weights
    from trainer.training.cross_validation import CrossValidation, fold_maker
    from trainer.training.fit import Trainer
    from trainer.training.ledger import Ledger
    from trainer.training.pretraining import starting_weights

    cases = load_cases(settings.data, settings.model.size, home / "data")
    weights = starting_weights(settings.pretrain, settings.model, home / "weights", home / "data", lambda *_: None)
    network = unet(settings.model)
    load_weights(network, weights.path)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, settings.train)
    known = {(row["seed"], row["bits"]) for row in rows(parts)}
    with (parts / f"worker-{worker}.jsonl").open("a") as file:
        file.write("\n" if file.tell() else "")  # ends a line that a kill cut
        for bits in range(worker, SETS, workers):  # one mask after the other: its seeds share the compiled step
            for seed in (seed for seed in seeds if (seed, bits) not in known):
                started = time.perf_counter()
                fold_of = make_folds(cases.groups, cases.labels, settings.folds, seed)
                folds = fold_maker(cases, fold_of, settings)
                with tempfile.TemporaryDirectory() as ledger:
                    starts, store = {"pretrained": ""}, Ledger(Path(ledger))
                    scored = CrossValidation(trainer, settings, folds, store, cases.digest, starts, BUDGETS)
                    dice = scores(scored, Candidate(str(mask_of(bits)), BUDGETS[-1] if bits else 0, RATE, seed=seed))
                row = {"seed": seed, "bits": bits, "seconds": time.perf_counter() - started, "dice": dice}
                file.write(json.dumps(row) + "\n")
                file.flush()


def scores(cross_validation: Any, candidate: Candidate) -> dict[str, dict[str, int]]:
    """budget -> image -> Dice in 1/10,000; a training that failed scores 0 everywhere, and says so."""
    from trainer.errors import TrialFailed

    scores_of: dict[str, dict[str, int]] = {str(budget): {} for budget in BUDGETS}
    try:
        for result in cross_validation(candidate):
            for budget in BUDGETS if not result.epochs else (result.epochs,):  # zero-shot is the same at any budget
                scores_of[str(budget)] |= {
                    score.image: NONE if np.isnan(score.dice) else round(score.dice * SCALE) for score in result.scores
                }
    except TrialFailed as failed:
        print(f"{candidate.name}: {failed}", file=sys.stderr, flush=True)
        scores_of = {str(budget): dict.fromkeys(_names(cross_validation, candidate), 0) for budget in BUDGETS}
    return scores_of


def _names(cross_validation: Any, candidate: Candidate) -> list[str]:
    return [name for fold in cross_validation.folds(candidate) for name in fold.names]


def rows(parts: Path) -> Iterator[dict[str, Any]]:
    """Every whole line that any worker has written; a line cut by a kill is measured again."""
    for path in sorted(parts.glob("worker-*.jsonl")):
        for line in filter(None, path.read_text().splitlines()):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def table(settings: Settings, seeds: list[int], home: Path, parts: Path) -> dict[str, NDArray[Any]]:
    """All rows as one table. Raises `SystemExit` when some are missing."""
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds
    from trainer.network.blocks import partition, trainable_parameters
    from trainer.network.unet import unet
    from trainer.training.versions import versions

    cases = load_cases(settings.data, settings.model.size, home / "data")
    row_of = {(row["seed"], row["bits"]): row for row in rows(parts)}
    missing = [(seed, bits) for seed in seeds for bits in range(SETS) if (seed, bits) not in row_of]
    if missing:
        raise SystemExit(f"{len(missing)} of {len(seeds) * SETS} sets are missing; run the same command again.")
    dice = [
        [
            [[row_of[seed, bits]["dice"][str(budget)][name] for name in cases.names] for budget in BUDGETS]
            for bits in range(SETS)
        ]
        for seed in seeds
    ]
    blocks = partition(unet(settings.model))
    shown = replace(settings, data=replace(settings.data, path=None), pretrain=replace(settings.pretrain, path=None))
    meta = {
        "settings": asdict(shown),
        "synthetic": cases.synthetic,
        "budgets": BUDGETS,
        "seeds": seeds,
        "learning_rate": RATE,
        "versions": versions(),
    }
    return {
        "dice": np.array(dice, np.uint16),
        "fold": np.array([make_folds(cases.groups, cases.labels, settings.folds, seed) for seed in seeds], np.int8),
        "seconds": np.array([[row_of[seed, bits]["seconds"] for bits in range(SETS)] for seed in seeds], np.float32),
        "parameters": np.array([trainable_parameters(blocks, mask_of(bits)) for bits in range(SETS)]),
        "meta": np.array(json.dumps(meta, sort_keys=True)),
    }


def main(arguments: list[str]) -> None:
    """Start the workers, wait, write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--pretrain")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    settings, seeds = configuration(given.data, given.pretrain), [int(seed) for seed in given.seeds.split(",")]
    parts = given.out.with_suffix(".parts")
    home = parts / "home"
    home.mkdir(parents=True, exist_ok=True)
    if given.worker is not None:
        measure(settings, seeds, home, parts, given.worker, given.workers)
        return
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    from trainer.training.pretraining import starting_weights

    starting_weights(settings.pretrain, settings.model, home / "weights", home / "data", lambda *_: None)
    command = [sys.executable, __file__, *arguments]
    children = [subprocess.Popen([*command, "--worker", str(worker)]) for worker in range(given.workers)]
    started, total, before = time.perf_counter(), len(seeds) * SETS, sum(1 for _ in rows(parts))
    while any(child.poll() is None for child in children):
        time.sleep(60)
        done = sum(1 for _ in rows(parts))
        if done > before:
            left = (total - done) * (time.perf_counter() - started) / (done - before)
            print(f"{done} of {total} sets, about {left / 60:.0f} minutes left", flush=True)
    if any(child.returncode for child in children):
        raise SystemExit("A worker ended with an error; run the same command again.")
    made = table(settings, seeds, home, parts)
    write_atomically(given.out, lambda file: np.savez_compressed(file, allow_pickle=False, **made))
    print(f"{given.out}: {given.out.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
