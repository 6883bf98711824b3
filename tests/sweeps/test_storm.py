"""A storm in short: a sweep in a lab of real servers, struck once by everything, gives the numbers of a calm one.

`python -m tests.sweeps.storm` is the long form.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Thaw
from tests.sweeps.lab import SWEEP, open_lab
from tests.sweeps.storm import faults, mlflow_goes, numbers, postgres_restarts


@pytest.mark.slow
def test_a_sweep_survives_a_killed_worker_and_two_servers_that_go_and_come(
    tmp_path: Path, smoke_home: Path, thaw: Thaw
) -> None:
    with open_lab(tmp_path) as lab:
        lab.run("first")
        lab.wait_until_said("first", "trials to run")
        lab.join("second")
        lab.wait_until_said("second", ": Dice ")
        lab.kill("second")
        postgres_restarts(lab)
        mlflow_goes(3, lab)
        lab.join("third")
        assert lab.wait("first") == 0, lab.said("first")
        assert lab.wait("third") == 0, lab.said("third")
        stormy, wrong = numbers(lab.report()), faults(lab)
    text = thaw("report", "--format", "json", "--home", smoke_home).stdout
    calm = numbers(json.loads(text.replace(json.loads(text)["sweep"], SWEEP)))
    assert wrong == []
    assert stormy == calm
