"""The time and the memory of a step."""

from __future__ import annotations

import pytest

from trainer.config import ModelConfig, Settings, TrainConfig
from trainer.network.unet import unet
from trainer.training.step_cost import STEPS_TIMED, Cost, expected_peak, measured_cost

SMALL = Settings(model=ModelConfig(32, 2), train=TrainConfig(batch=2))


@pytest.mark.slow
def test_a_step_takes_time_and_memory() -> None:
    stages: list[str] = []
    found = measured_cost(unet(ModelConfig(32, 2)), SMALL, (), stages.append)
    assert 0 < found.step < 10 and 0 < found.scoring < 30 and found.busy > 0
    steps = len(stages) - 1
    assert stages[0] == "timing training step 1 of all blocks" and stages[-1] == "timing the scoring of one batch"
    assert 4 <= steps <= 2 * (STEPS_TIMED + 1) and found.lightest > 0 and found.compiling > 0
    assert 2**27 < found.peak < 2**36  # Keras alone is more than 128 MiB; a wrong unit is off by 1024


def test_the_expected_peak_is_that_of_the_study_and_grows_with_what_is_asked() -> None:
    assert expected_peak(unet(ModelConfig(256, 64)), 8) == pytest.approx(3.58 * 2**30, rel=0.05)  # measured: 3.58 GiB
    sizes = [expected_peak(unet(ModelConfig(side, 2)), batch) for side, batch in ((32, 1), (32, 8), (64, 8))]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] < 2**30


@pytest.mark.slow
def test_a_slow_step_is_timed_once_after_the_one_that_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.step_cost.PATIENCE", 0)
    stages: list[str] = []
    measured_cost(unet(ModelConfig(32, 2)), SMALL, (), stages.append)
    assert len(stages) == 5


def test_the_cost_of_a_mask_lies_between_the_two_that_are_measured() -> None:
    operations = {"all": 300, "last": 100, "1-5": 250}
    cost = Cost(4.0, 1.0, 0, lightest=2.0, compiling=6.0, compiling_lightest=2.0, operations=operations)
    assert cost.of_mask("all") == (4.0, 6.0) and cost.of_mask("1-5") == (3.5, 5.0)
    assert cost.of_mask("unheard of") == (4.0, 6.0)  # as the dearest
