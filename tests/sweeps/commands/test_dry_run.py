"""A dry run says what would be trained, and trains nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from sweeps.commands.dry_run import run_dry
from sweeps.environment.home import open_home
from sweeps.environment.machine import GIB
from sweeps.environment.terminal import Board
from sweeps.planning import estimate
from sweeps.spec.load import load_spec
from tests.small import SMALL
from trainer.errors import UserError
from trainer.training.step_cost import Cost


def test_trials_costs_and_the_parameters_of_every_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "measure_step", lambda spec, masks, say: Cost(step=1.0, scoring=1.0, peak=GIB))
    output = io.StringIO()
    run_dry(load_spec("smoke", sets=SMALL), open_home(tmp_path), Board(Console(file=output, width=200)), 2)
    for words in ("trials      9 (every mask", "with 2 workers", "18,538", "12,303", "30,841", "synthetic data"):
        assert words in output.getvalue()
    assert not (tmp_path / "ledger").exists() and not (tmp_path / "mlflow.db").exists()


def test_a_budget_that_finds_nothing_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    spec = load_spec("smoke", sets=["search.strategy=random", "search.trials=4"])
    with pytest.raises(UserError, match=r"'search\.trials' must be at least 5 here, but got 4"):
        run_dry(spec, open_home(tmp_path), Board(Console(quiet=True)), 1)
    assert not (tmp_path / "data").exists()
