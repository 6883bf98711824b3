"""An opened sweep is closed when it is stopped, unless somebody is still at work on it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.environment.home import open_home
from sweeps.locks import contract
from sweeps.planning.open_sweep import OpenSweep, closed_when_stopped


def opened(folder: Path) -> tuple[OpenSweep, list[str]]:
    closed: list[str] = []
    plan: Any = SimpleNamespace(name="s", sweep_run="run", resolved=None)
    tracker: Any = SimpleNamespace(close_lost=closed.append)
    return OpenSweep(open_home(folder), plan, tracker), closed


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_what_is_stopped_is_closed(tmp_path: Path, stop: type[BaseException]) -> None:
    sweep, closed = opened(tmp_path)
    with pytest.raises(stop), closed_when_stopped(sweep):
        raise stop
    assert closed == ["run"]


def test_what_ends_well_stays_open(tmp_path: Path) -> None:
    sweep, closed = opened(tmp_path)
    with closed_when_stopped(sweep):
        pass
    assert closed == []


def test_a_sweep_with_workers_is_left_alone(tmp_path: Path) -> None:
    sweep, closed = opened(tmp_path)
    with sweep.home.locks.present(contract.workers("s")):
        assert not sweep.abandoned
        sweep.close_lost()
    assert closed == [] and sweep.abandoned
