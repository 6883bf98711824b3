"""Masks scored on sets of images that have no image in common: the table that `shared_error.py` reads.

    .venv/bin/python -m tests.benchmarks.disjoint_sets TABLE.npz --sets 60                         phantoms (synthetic)
    .venv/bin/python -m tests.benchmarks.disjoint_sets TABLE.npz --sets 10 --data FOLDER --pretrain FOLDER

Divides the images into `--sets` sets (groups whole, classes even; phantoms: 60 a set) and scores `MASKS` on each by
five folds, at every budget of `--epochs`; on the first `--repeated` sets again with another seed of the training, and
again with another split. All start from the same weights. Some seconds for each cross-validation at 32x32, a quarter
of a minute at 64x64; stop it at any time, the same command goes on. `TABLE.parts/` keeps what is measured so far.

The table holds numbers only: `dice` uint16 (cross-validations, masks, budgets, images), in 1/10,000, 65535 where a set
has fewer images than the largest; `fold` int8 (cross-validations, images), -1 there; `part` and `variant` integers
(cross-validations,): the set, and an index into `VARIANTS`; `meta` a JSON text.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainer.candidate import Candidate
from trainer.config import AugmentConfig, DataConfig, ModelConfig, PretrainConfig, Settings, TrainConfig
from trainer.files import write_atomically

if TYPE_CHECKING:
    from trainer.data.cases import Cases

MASKS = ("1-5", "6-9", "all", "1-2", "8-9")
VARIANTS = ((0, 0), (0, 1), (1, 0))  # seed of the split, seed of the training
IMAGES = 60  # of a set
CHUNK = 10  # sets that are trained side by side, mask after mask: a mask is traced once for all of them
SCALE, NONE = 10_000, 65_535

Job = tuple[int, str, int]  # set, mask, variant


def configuration(given: argparse.Namespace) -> Settings:
    """The settings of every training."""
    return Settings(
        model=ModelConfig(size=given.size, filters=given.filters),
        data=DataConfig(path=given.data, images=0 if given.data else given.sets * IMAGES),
        augmentation=AugmentConfig(total=given.copies * IMAGES if given.copies > 1 else 0),
        train=TrainConfig(batch=16),
        pretrain=PretrainConfig(path=given.pretrain, images=1600, epochs=given.pretrain_epochs, batch=16),
    )


def jobs(sets: int, repeated: int) -> Iterator[Job]:
    """Every cross-validation in the order of training: the first variant on every set, then the others on the first
    `repeated` ones.
    """
    for variants, count in (((0,), sets), (range(1, len(VARIANTS)), min(repeated, sets))):
        for first in range(0, count, CHUNK):
            for mask in MASKS:
                for number in range(first, min(first + CHUNK, count)):
                    for variant in variants:
                        yield number, mask, variant


def train(given: argparse.Namespace, parts: Path) -> bool:
    """Train what is not known yet, a line for each cross-validation; whether the images are synthetic."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds
    from trainer.network.unet import unet
    from trainer.network.weights import load_weights
    from trainer.training.fit import Trainer
    from trainer.training.pretraining import starting_weights

    settings = configuration(given)
    cases = load_cases(settings.data, settings.model.size, parts / "data")
    part_of = make_folds(cases.groups, cases.labels, given.sets, given.partition)
    weights = starting_weights(settings.pretrain, settings.model, parts / "weights", parts / "data", lambda *_: None)
    network = unet(settings.model)
    load_weights(network, weights.path)
    trainer = Trainer(network, {"pretrained": network.get_weights()}, settings.train)
    known = {(row["set"], row["mask"], row["variant"]) for row in rows(parts)}
    with (parts / "rows.jsonl").open("a") as file:
        file.write("\n" if file.tell() else "")  # ends a line that a kill cut
        for number, mask, variant in jobs(given.sets, given.repeated):
            if (number, mask, variant) not in known:
                started = time.perf_counter()
                own = subset(cases, np.flatnonzero(part_of == number))
                split, seed = VARIANTS[variant]
                fold_of = make_folds(own.groups, own.labels, settings.folds, split)
                candidate = Candidate(mask, given.epochs[-1], given.rate, seed=seed)
                row = {
                    "set": number,
                    "mask": mask,
                    "variant": variant,
                    "dice": scores(trainer, settings, own, fold_of, candidate, given.epochs),
                    "fold": fold_of.tolist(),
                    "seconds": time.perf_counter() - started,
                }
                file.write(json.dumps(row) + "\n")
                file.flush()
    return cases.synthetic


def subset(cases: Cases, indices: NDArray[np.intp]) -> Cases:
    """These cases alone."""
    return replace(
        cases,
        images=np.asarray(cases.images[indices]),
        masks=np.asarray(cases.masks[indices]),
        names=tuple(cases.names[case] for case in indices),
        labels=tuple(cases.labels[case] for case in indices),
        groups=cases.groups[indices],
        spacing=None,
    )


def scores(
    trainer: Any, settings: Settings, cases: Cases, fold_of: NDArray[np.int64], candidate: Candidate, budgets: list[int]
) -> list[list[int]]:
    """Dice in 1/10,000 of each image out of fold, for each budget."""
    from trainer.training.cross_validation import CrossValidation, fold_maker
    from trainer.training.ledger import Ledger

    with tempfile.TemporaryDirectory() as folder:
        folds, ledger = fold_maker(cases, fold_of, settings), Ledger(Path(folder))
        validate = CrossValidation(trainer, settings, folds, ledger, cases.digest, {"pretrained": ""}, budgets)
        results = list(validate(candidate))
    dice = {(result.epochs, score.image): score.dice for result in results for score in result.scores}
    return [[round(dice[budget, name] * SCALE) for name in cases.names] for budget in budgets]


def rows(parts: Path) -> Iterator[dict[str, Any]]:
    """Every whole line that was written; a line cut by a kill is measured again."""
    path = parts / "rows.jsonl"
    for line in filter(None, path.read_text().splitlines()) if path.exists() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def table(given: argparse.Namespace, parts: Path, synthetic: bool) -> dict[str, NDArray[Any]]:
    """All whole cross-validations as one table: those of which every mask is there."""
    from trainer.training.versions import versions

    row_of = {(row["set"], row["variant"], row["mask"]): row for row in rows(parts)}
    whole = sorted({key[:2] for key in row_of if all((*key[:2], mask) in row_of for mask in MASKS)})
    most = max(len(row["fold"]) for row in row_of.values())
    dice = np.full((len(whole), len(MASKS), len(given.epochs), most), NONE, np.uint16)
    fold = np.full((len(whole), most), -1, np.int8)
    for index, key in enumerate(whole):
        for column, mask in enumerate(MASKS):
            row = row_of[*key, mask]
            dice[index, column, :, : len(row["fold"])] = row["dice"]
            fold[index, : len(row["fold"])] = row["fold"]
    settings = configuration(given)
    shown = replace(settings, data=replace(settings.data, path=None), pretrain=replace(settings.pretrain, path=None))
    meta = {
        "settings": asdict(shown),
        "synthetic": synthetic,
        "masks": MASKS,
        "variants": VARIANTS,
        "budgets": given.epochs,
        "sets": given.sets,
        "partition": given.partition,
        "learning_rate": given.rate,
        "versions": versions(),
    }
    return {
        "dice": dice,
        "fold": fold,
        "part": np.array([part for part, _ in whole], np.int16),
        "variant": np.array([variant for _, variant in whole], np.int8),
        "meta": np.array(json.dumps(meta, sort_keys=True)),
    }


def main(arguments: Sequence[str]) -> None:
    """Train, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--pretrain")
    parser.add_argument("--sets", type=int, default=60)
    parser.add_argument("--repeated", type=int, default=10)
    parser.add_argument("--partition", type=int, default=0, help="the seed that divides the images into sets")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--filters", type=int, default=4)
    parser.add_argument("--copies", type=int, default=2, help="of each training image, itself included")
    parser.add_argument("--epochs", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--pretrain-epochs", type=int, default=12)
    given = parser.parse_args(arguments)
    parts = given.out.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    made = table(given, parts, train(given, parts))
    write_atomically(given.out, lambda file: np.savez_compressed(file, allow_pickle=False, **made))
    print(f"{given.out}: {len(made['part'])} cross-validations, {given.out.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
