"""A study that is looked at again and again."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState

from sweeps.engines import optuna_queue
from sweeps.engines.optuna_storage import open_study
from sweeps.engines.optuna_watch import StudyWatch
from trainer.candidate import Candidate
from trainer.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")  # for trials that a test asks for itself
CANDIDATE = Candidate("1", 2, 1e-3)


def test_the_copy_of_a_lost_trial_is_what_counts_with_its_own_folds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    optuna_queue.enqueue(url, "s", [CANDIDATE], 9)
    watch, study = StudyWatch(url, "s"), open_study(url, "s")
    (waiting,) = watch.look()
    assert waiting.trial.status == "open" and waiting.folds == 0 and waiting.dice is None
    lost = study.ask()
    lost.report(0.5, 1)
    lost.report(0.6, 2)
    assert [(standing.folds, standing.dice) for standing in watch.look()] == [(2, 0.6)]
    study.tell(lost, state=TrialState.FAIL)
    optuna_queue.enqueue(url, "s", [CANDIDATE], 9)
    assert [(standing.folds, standing.trial.status) for standing in watch.look()] == [(0, "open")]


def test_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must be reachable"):
        StudyWatch(f"sqlite:///{tmp_path / 'nowhere' / 'optuna.db'}", "s")
