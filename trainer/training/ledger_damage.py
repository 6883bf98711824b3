"""Which files of a ledger are damaged: each is read as whoever needs it would read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trainer.files import nobody_present
from trainer.training.ledger import Entry


def entries(ledger: Path) -> list[Path]:
    """The folders of all trainings in a ledger that nobody trains now."""
    return [folder for folder in sorted(ledger.glob("*/*")) if nobody_present(folder / "lease")]


def damaged_files(folder: Path) -> Iterator[Path]:
    """The files of a training that are there and cannot be read."""
    entry = Entry(folder)
    for epochs in entry.budgets():
        result = entry.result(epochs)
        if result is None:
            yield from _if_there(folder / f"{epochs:05d}.npz")
        elif result.weights_lost:  # so those that it shares with MLflow's checkpoint, if any, cannot be read
            yield from _if_there(folder / f"{epochs:05d}.weights")
    if entry.state() is None:
        yield from _if_there(folder / "state.npz")
    if entry.failure() is None:
        yield from _if_there(folder / "failed.json")


def _if_there(path: Path) -> Iterator[Path]:
    if path.exists():
        yield path
