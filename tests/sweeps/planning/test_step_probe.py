"""One real step in a process of its own, and what is said when the system ends that."""

from __future__ import annotations

import pytest

from sweeps.planning.step_probe import measure_step
from sweeps.spec.load import load_spec
from tests.small import SMALL
from trainer.errors import UserError


@pytest.mark.slow
def test_a_real_step_in_a_process_of_its_own() -> None:
    stages: list[str] = []
    cost = measure_step(load_spec("smoke", sets=SMALL), (), stages.append)
    assert 0 < cost.step < 30 and 0 < cost.scoring < 30 and cost.peak > 2**28
    assert stages[0] == "timing training step 1 of all blocks"


def test_a_step_that_the_system_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(UserError, match=r"One training step of 4 images, 32x32 with 2 filters, must run here.*memory"):
        measure_step(load_spec("smoke", sets=SMALL))
