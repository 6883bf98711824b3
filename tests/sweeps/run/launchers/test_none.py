"""A sweep whose workers somebody else starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.run.launchers.contract import Crew
from sweeps.run.launchers.none import NoLauncher
from tests.component import needs_driver
from trainer.errors import UserError


@needs_driver
def test_it_says_what_to_start_without_any_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THAW_STORAGE", "postgresql+psycopg://ann:secret@db/thaw")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ann:secret@mlflow.lab")
    launcher, home = NoLauncher(), Home(tmp_path)
    launcher.check(home, launcher.default_workers())
    text = launcher.launch(Crew(home, "my sweep", 1), lambda message: None).text
    assert "thaw worker 'my sweep'" in text and "secret" not in text


def test_where_others_find_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--launcher none"):
        NoLauncher().check(Home(tmp_path), 1)
