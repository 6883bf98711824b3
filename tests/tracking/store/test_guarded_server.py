"""An MLflow server that asks who we are: MLflow's own variables answer, for every kind of call that thaw makes."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from tests.guard import guarded
from tests.servers import MlflowServer, mlflow_server
from tests.tracking.made_up import record_trial, sweep_info, trial_info
from tracking.server_probe import check_server
from tracking.store.writer import Tracker
from trainer.errors import UserError

PASSWORD = "s3cret-of-tests"
BASIC = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
TOKEN = {"MLFLOW_TRACKING_TOKEN": PASSWORD}


@pytest.mark.slow
def test_basic_auth_and_a_token(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(empty_store, tmp_path / "server.db")
    with mlflow_server(tmp_path, f"sqlite:///{tmp_path / 'server.db'}") as server:
        refused_without_saying_who_we_are(server)
        for name, variables, words in (
            ("basic", BASIC, f"Basic {base64.b64encode(f'ann:{PASSWORD}'.encode()).decode()}"),
            ("token", TOKEN, f"Bearer {PASSWORD}"),
        ):
            with guarded(server.port, words) as address, monkeypatch.context() as set_for_this:
                for variable, value in variables.items():
                    set_for_this.setenv(variable, value)
                check_server(address)
                tracker = Tracker.connect(address)
                sweep = tracker.open_sweep(sweep_info(name))
                run = record_trial(tracker, sweep, trial_info("deep-first", 4))
                tracker.log_bytes(run, "one.txt", b"an artifact")
                assert tracker.read_file(run, "one.txt") == b"an artifact"
                (trial,) = tracker.read_sweep(name).trials
                assert trial.run_id == run and len(trial.folds["dice"]) == 5


def refused_without_saying_who_we_are(server: MlflowServer) -> None:
    with guarded(server.port, "Bearer another") as address:
        check_server(address)  # it answers
        with pytest.raises(UserError, match="MLFLOW_TRACKING_TOKEN") as refused:
            Tracker.connect(address).read_sweep("s")
    assert PASSWORD not in str(refused.value)
