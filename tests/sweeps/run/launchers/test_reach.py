"""What workers on other machines are given, and what is refused where they would find nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.run.launchers.reach import check_shared, worker_environment
from tests.component import needs_driver
from trainer.errors import UserError

STORAGE, SERVER = "postgresql+psycopg://ann:secret@db/thaw", "https://mlflow.lab"


def test_addresses_and_secrets_are_passed_on_and_nothing_of_this_machine() -> None:
    given = {"THAW_STORAGE": STORAGE, "MLFLOW_TRACKING_TOKEN": "t", "PGPASSWORD": "p", "KERAS_BACKEND": "jax"}
    own = {"PATH": "/bin", "HOME": "/root", "CUDA_VISIBLE_DEVICES": "0", "AWS_SECRET_ACCESS_KEY": "k"}
    assert worker_environment(given | own) == given


@pytest.mark.parametrize(
    ("storage", "server", "kept"),
    [
        ("", "", "the study and the record of this sweep are a file"),
        pytest.param(STORAGE, "", "the record of this sweep is a file", marks=needs_driver),
        ("", SERVER, "the study of this sweep is a file"),
        pytest.param(STORAGE, SERVER, None, marks=needs_driver),
    ],
)
def test_both_places_must_be_reachable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, storage: str, server: str, kept: str | None
) -> None:
    monkeypatch.setenv("THAW_STORAGE", storage)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    home = Home(tmp_path)
    if kept is None:
        check_shared(home, "slurm")
        return
    with pytest.raises(UserError, match=kept) as refused:
        check_shared(home, "slurm")
    assert "--storage postgresql+psycopg://" in str(refused.value) and "secret" not in str(refused.value)
