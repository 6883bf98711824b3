"""The public interface: exactly these names, each documented, light to import; and what reads a record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sweeps import api

ROOT = Path(__file__).parents[2]
PUBLIC = {
    *("open_objective", "Objective", "Scores", "Candidate", "TrialFailed", "UserError"),
    *("read_sweep", "SweepRecord", "TrialRecord"),
    *("Mask", "parse"),
    *("score", "Score", "dice", "pixel_error", "adjusted_rand", "distances", "Distances"),
}


def test_exactly_these_names_are_public_and_each_is_documented() -> None:
    assert set(api.__all__) == PUBLIC
    assert [name for name in api.__all__ if not getattr(api, name).__doc__] == []


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, sweeps.api; print({name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "mlflow", "optuna", "matplotlib"} & eval(done.stdout)


def test_a_sweep_is_read_from_a_home_and_from_an_address(smoke_home: Path) -> None:
    record = api.read_sweep(home=smoke_home)
    assert record.info.name.startswith("smoke") and {len(trial.folds["dice"]) for trial in record.finished} == {2}
    assert api.read_sweep(tracking_uri=f"sqlite:///{smoke_home / 'mlflow.db'}").run_id == record.run_id


def test_a_home_that_does_not_exist_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(api.UserError, match="There is no home of thaw"):
        api.read_sweep(home=tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
