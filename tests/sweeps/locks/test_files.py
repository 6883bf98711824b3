"""Locks between processes of one machine: they lie where other versions of thaw look for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.locks import contract
from sweeps.locks.files import FileLocks


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (contract.LAUNCH, "launch.lock"),
        (contract.workers("s"), "sweeps/s/workers.lock"),
        (contract.turn("s"), "sweeps/s/turn.lock"),
        (contract.candidate("s", "1f"), "sweeps/s/candidates/1f.lock"),
        (contract.champion("s", "1f"), "sweeps/s/candidates/champion-1f.lock"),
    ],
)
def test_a_lock_is_a_file_below_the_home(tmp_path: Path, name: str, path: str) -> None:
    locks = FileLocks(tmp_path)
    with locks.held(name):
        assert (tmp_path / path).exists() and not locks.nobody_present(name)
    assert locks.nobody_present(name)


def test_any_number_may_be_present(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with locks.present("here"), locks.present("here"):
        assert not locks.nobody_present("here")
    assert locks.nobody_present("here")
