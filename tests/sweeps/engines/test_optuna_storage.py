"""The study's database: it invents nothing, and its errors come without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from sweeps.engines.optuna_storage import explains_errors, open_study
from trainer.errors import Drained, UserError


@pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
def test_an_empty_queue_is_drained_instead_of_asking_a_sampler(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 'optuna.db'}", "s")
    with pytest.raises(Drained):
        study.ask()
    study.enqueue_trial({"x": 1.0})
    assert study.ask().number == 0


def test_the_same_name_opens_the_same_study(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    open_study(url, "s").set_user_attr("key", "value")
    assert open_study(url, "s").user_attrs == {"key": "value"} and open_study(url, "t").user_attrs == {}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///x.db", "sqlite:///x.db must be reachable and writable, but it is not: the disk is full. Fix that"),
        ("postgresql://ann:hush@host/db", r"//\*\*\*@host/db must be .* it is not: Exception\. Fix that"),
    ],
)
def test_an_error_of_the_database_says_what_to_do_and_no_password(url: str, said: str) -> None:
    @explains_errors
    def broken(address: str) -> None:
        raise OperationalError("SELECT", {}, Exception("the disk is full"))

    with pytest.raises(UserError, match=said) as caught:
        broken(url)
    assert "hush" not in str(caught.value)
