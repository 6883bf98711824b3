"""How often a sweep says the same: the verdict on contracting and expanding over many seeds.

    .venv/bin/python -m tests.benchmarks.verdicts [SPEC] [--seeds 20] [--vary seed] [--processes 2] [--set key=value]

The verdict of a sweep is that of its masks 1-5 and 6-9 at the largest budget (`tracking.analysis.verdict`), so only
these are trained here, by thaw's own folds, trainer and test; the smaller budgets are said, too. `--vary`: what takes
the number of the repetition: `seed` draws folds, augmentation, batches and dropout, as another seed of the sweep would;
`data.seed` other images too, and `pretrain.seed` other starting weights. Prints a line for each seed and budget as it
comes, then how often each verdict was given at each budget.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HALVES = ("1-5", "6-9")


def prepared(given: argparse.Namespace, seed: int) -> Any:
    """The spec of one repetition."""
    from sweeps.spec.load import load_spec

    return load_spec(given.spec, sets=[*given.set, *(f"{key}={seed}" for key in given.vary)])


def fold_scores(spec: Any, home: Path) -> tuple[dict[int, list[list[float]]], list[int], list[int]]:
    """budget -> the mean Dice of each half in every fold, over the spec's own seeds; images trained on and scored."""
    import numpy as np

    from sweeps.spec.load import seeds_of
    from trainer.candidate import Candidate
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds
    from trainer.network.user_model import load_start, network_of
    from trainer.training.cross_validation import CrossValidation, fold_maker
    from trainer.training.fit import Trainer
    from trainer.training.ledger import Ledger
    from trainer.training.pretraining import starting_weights

    settings, longest = spec.settings, max(spec.search.epochs)
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
    scores: dict[int, list[list[float]]] = {}
    for half in HALVES:
        dice = defaultdict(list)  # budget -> of each seed, of each fold
        for seed in seeds_of(spec):
            candidate = Candidate(half, longest, spec.search.learning_rate[0], seed=seed)
            for result in cross_validation(candidate):
                dice[result.epochs].append(result.mean("dice"))
        for epochs, values in dice.items():
            over_seeds = np.mean(np.reshape(values, (-1, settings.folds)), axis=0)
            scores.setdefault(epochs, []).append(over_seeds.tolist())
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
        for epochs, halves in scores.items():
            difference = corrected_t([left - right for left, right in zip(*halves, strict=True)], train, test)
            interval = {name: getattr(difference, name) for name in ("mean", "low", "high")}
            means = {half: sum(dice) / len(dice) for half, dice in zip(HALVES, halves, strict=True)}
            print(json.dumps({"seed": seed, "epochs": epochs, "finding": finding(difference)} | interval | means))
        sys.stdout.flush()


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
        assert process.stdout is not None
        yield from map(json.loads, process.stdout)
        if process.wait():
            raise SystemExit(process.returncode)


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
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        for each in repetitions(given, arguments, given.home or folder):
            counts[each["epochs"]][each["finding"]] += 1
            halves = " against ".join(f"{each[half]:.3f}" for half in HALVES)
            interval = f"{each['mean']:+.3f} [{each['low']:+.3f}, {each['high']:+.3f}]"
            print(
                f"seed {each['seed']:3}  {each['epochs']:3} epochs  {each['finding']:20} {interval}  {halves}",
                flush=True,
            )
    for epochs, times in sorted(counts.items()):
        words = ", ".join(f"{finding} {count} times" for finding, count in times.most_common())
        print(f"{epochs} epochs: of {times.total()} sweeps {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
