"""The time and the memory of a step."""

from __future__ import annotations

import pytest

from trainer.config import ModelConfig, TrainConfig
from trainer.network.unet import unet
from trainer.training.step_cost import expected_peak, measured_cost


@pytest.mark.slow
def test_a_step_takes_time_and_memory() -> None:
    stages: list[str] = []
    found = measured_cost(unet(ModelConfig(32, 2)), TrainConfig(batch=2), stages.append)
    assert 0 < found.step < 10 and 0 < found.scoring < 30 and found.busy > 0
    steps = len(stages) - 1  # at most four, at least two: fewer on a machine that is busy with other things
    assert stages == [f"timing training step {n + 1}" for n in range(steps)] + ["timing the scoring of one batch"]
    assert 2 <= steps <= 4
    assert 2**27 < found.peak < 2**36  # Keras alone is more than 128 MiB; a wrong unit is off by 1024


def test_the_expected_peak_is_that_of_the_study_and_grows_with_what_is_asked() -> None:
    assert expected_peak(unet(ModelConfig(256, 64)), 8) == pytest.approx(3.58 * 2**30, rel=0.05)  # measured: 3.58 GiB
    sizes = [expected_peak(unet(ModelConfig(side, 2)), batch) for side, batch in ((32, 1), (32, 8), (64, 8))]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] < 2**30


@pytest.mark.slow
def test_a_slow_step_is_timed_once_after_the_one_that_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.step_cost.PATIENCE", 0)
    stages: list[str] = []
    measured_cost(unet(ModelConfig(32, 2)), TrainConfig(batch=2), stages.append)
    assert len(stages) == 3
