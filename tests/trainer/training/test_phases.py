"""The phases of a training, and which of them an epoch lies in."""

from __future__ import annotations

import pytest

from trainer.config import ModelConfig, PartitionConfig, TrainConfig
from trainer.errors import TrialFailed
from trainer.masks import parse
from trainer.network.blocks import partition
from trainer.network.unet import unet
from trainer.training.changing import changing_weights, trained_parameters
from trainer.training.phases import course_of, refuse_short

NETWORK = unet(ModelConfig(size=32, filters=2))
BLOCKS = partition(NETWORK)
HEAD_FIRST = TrainConfig(schedule="head-first", head_epochs=2, tune="bias", rate_decay=0.5)
HEAD, HEAD_BIAS = 3, 1  # parameters: a kernel of two numbers and an offset


def test_the_mask_at_once_is_one_phase_and_nothing_trains_under_an_empty_mask() -> None:
    for config, mask in ((TrainConfig(), "1-5"), (HEAD_FIRST, "none")):
        course = course_of(BLOCKS, parse(mask, 9), config)
        assert len(course.phases) == 1 and course.phase_at(99) == 0
        refuse_short(course, 0)


def test_the_head_is_the_first_phase_and_the_same_for_all_masks() -> None:
    courses = [course_of(BLOCKS, parse(mask, 9), HEAD_FIRST) for mask in ("1-5", "all")]
    (first, second), (other, _) = (course.phases for course in courses)
    assert first == other and set(changing_weights(NETWORK, first)) == {"head/0", "head/1"}
    assert (first.config.tune, first.config.rate_decay, second.config.tune) == ("all", 1.0, "bias")
    at_once = course_of(BLOCKS, parse("1-5", 9), TrainConfig(tune="bias", rate_decay=0.5))
    assert second == at_once.last  # one trace for both schedules


@pytest.mark.parametrize(("epochs", "steps", "phase"), [(0, 0, 0), (1, 9, 0), (2, 0, 0), (2, 1, 1), (3, 0, 1)], ids=str)
def test_which_phase_a_state_is_of(epochs: int, steps: int, phase: int) -> None:
    assert course_of(BLOCKS, parse("1-5", 9), HEAD_FIRST).phase_at(epochs, steps) == phase


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_budget_must_reach_the_mask(epochs: int) -> None:
    course = course_of(BLOCKS, parse("1-5", 9), HEAD_FIRST)
    if epochs == 3:
        return refuse_short(course, epochs)
    with pytest.raises(TrialFailed, match=rf"train\.head_epochs = 2.*got {epochs} epochs"):
        refuse_short(course, epochs)


@pytest.mark.parametrize(
    ("mask", "tune", "head", "beside"),
    [
        ("1-5", "all", "last", HEAD),
        ("1-5", "bias", "last", HEAD),
        ("9", "all", "last", 0),
        ("9", "bias", "last", HEAD - HEAD_BIAS),
        ("9", "lora", "last", HEAD),  # its kernel as such, and then its factors
        ("1", "all", "always", 0),
    ],
)
def test_the_head_counts_where_the_mask_does_not_train_it(mask: str, tune: str, head: str, beside: int) -> None:
    blocks = partition(NETWORK, PartitionConfig(head=head))  # type: ignore[arg-type]
    counts = [
        trained_parameters(NETWORK, course_of(blocks, parse(mask, 9), TrainConfig(tune=tune, schedule=schedule)))  # type: ignore[arg-type]
        for schedule in ("at-once", "head-first")
    ]
    assert counts[1] - counts[0] == beside and counts[0] > 0
