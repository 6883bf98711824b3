"""How often a sweep says the same: the verdict on contracting and expanding over many seeds.

    .venv/bin/python -m tests.benchmarks.verdicts [SPEC] [--seeds 20] [--vary seed] [--processes 2] [--set key=value]

The verdict of a sweep is that of its masks 1-5 and 6-9 at the largest budget (`tracking.analysis.verdict`), so only
these are trained here, by thaw's own folds, trainer and test. `--vary`: what takes the number of the repetition: `seed`
draws folds, augmentation, batches and dropout, as another seed of the sweep would; `data.seed` other images too, and
`pretrain.seed` other starting weights. Prints a line for each seed, then how often each verdict was given.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HALVES = ("1-5", "6-9")


def prepared(given: argparse.Namespace, seed: int) -> Any:
    """The spec of one repetition."""
    from sweeps.spec.load import load_spec

    return load_spec(given.spec, sets=[*given.set, *(f"{key}={seed}" for key in given.vary)])


def fold_scores(spec: Any, home: Path) -> tuple[list[list[float]], list[int], list[int]]:
    """The mean Dice of each half in every fold, over the spec's own seeds; images trained on and scored in each."""
    import numpy as np

    from sweeps.spec.load import seeds_of
    from trainer.config import Candidate
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds
    from trainer.network.user_model import load_start, network_of
    from trainer.training.cross_validation import CrossValidation, fold_maker
    from trainer.training.fit import Trainer
    from trainer.training.ledger import Ledger
    from trainer.training.pretraining import starting_weights

    settings, epochs = spec.settings, max(spec.search.epochs)
    cases = load_cases(settings.data, settings.model.size, home / "data")
    fold_of = make_folds(cases.groups, cases.labels, settings.folds, settings.seed)
    weights = starting_weights(
        settings.pretrain, settings.model, home / "weights", home / "data", lambda *_: None, settings.train.precision
    )
    network = network_of(settings.model)
    load_start(network, settings.model, weights.path)
    cross_validation = CrossValidation(
        Trainer(network, {"pretrained": network.get_weights()}, settings.train),
        settings,
        fold_maker(cases, fold_of, settings),
        Ledger(home / "ledger"),
        cases.digest,
        {"pretrained": weights.digest},
        spec.search.epochs,
    )
    scores = [
        np.mean(
            [
                [result.mean("dice") for result in cross_validation(candidate) if result.epochs == epochs]
                for candidate in (
                    Candidate(half, epochs, spec.search.learning_rate[0], seed=seed) for seed in seeds_of(spec)
                )
            ],
            axis=0,
        ).tolist()
        for half in HALVES
    ]
    tested = np.bincount(fold_of, minlength=settings.folds)
    return scores, (len(cases) - tested).tolist(), tested.tolist()


def measure(given: argparse.Namespace) -> None:
    """Print one line of JSON for each repetition of this process."""
    from sweeps.environment.keras_backend import prepare_backend

    home = Path(given.home)
    prepare_backend(compiled=home / "compiled")
    from tracking.statistics import corrected_t, finding

    for seed in given.here:
        scores, train, test = fold_scores(prepared(given, seed), home)
        difference = corrected_t([left - right for left, right in zip(*scores, strict=True)], train, test)
        mean, low, high = difference.mean, difference.low, difference.high
        found = {"seed": seed, "finding": finding(difference), "mean": mean, "low": low, "high": high}
        halves = {half: sum(dice) / len(dice) for half, dice in zip(HALVES, scores, strict=True)}
        print(json.dumps(found | halves), flush=True)


def repetitions(given: argparse.Namespace, arguments: Sequence[str], home: str) -> Iterator[dict[str, Any]]:
    """Of all processes, each with its share of the seeds."""
    shares = [range(number, given.seeds, given.processes) for number in range(given.processes)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.verdicts", *arguments, "--home", home, "--here", *map(str, share)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in shares
        if share
    ]
    for process in processes:
        output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(process.returncode)
        yield from map(json.loads, output.splitlines())


def main(arguments: list[str]) -> None:
    """Print each repetition and the count of verdicts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", nargs="?", default="ultrasound")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--vary", nargs="+", default=["seed"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--home", help="keeps images, weights and trainings; by default they go at the end")
    parser.add_argument("--here", nargs="+", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.here:
        measure(given)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(repetitions(given, arguments, given.home or folder), key=lambda each: int(each["seed"]))
    for each in found:
        halves = " against ".join(f"{each[half]:.3f}" for half in HALVES)
        interval = f"[{each['low']:+.3f}, {each['high']:+.3f}]"
        print(f"seed {each['seed']:3}  {each['finding']:20} {each['mean']:+.3f} {interval}  {halves}")
    counts = Counter(each["finding"] for each in found)
    print(", ".join(f"{finding}: {times} of {len(found)}" for finding, times in counts.most_common()))


if __name__ == "__main__":
    main(sys.argv[1:])
