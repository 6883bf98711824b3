"""A task comes back as it was written, and the loop by hand reads thaw's folds out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.yardstick.hand_written import block_of, mean_dice, read_folds
from tests.benchmarks.yardstick.task import Task, read_task, write_task

TASK = Task({"1": [1], "all": [1, 2]}, [2, 4], 1e-3, 4, 2, 1, 0.5, "bce", [1, 0, 1], [5, 8])


def test_folds_are_those_that_were_written(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    parts = {f"train_{axis}_{fold}": np.full((size, 2, 2), fold) for axis in "xy" for fold, size in ((0, 5), (1, 8))}
    write_task(tmp_path, TASK, {"images": images, "truths": (images > 4).astype(np.uint8), **parts})
    task = read_task(tmp_path)
    first, second = read_folds(tmp_path, task)
    assert task == TASK and task.steps == 4 * (2 + 2)
    assert [len(first[0][0]), len(second[0][0])] == task.train_images
    assert first[1][0].shape == (1, 2, 2, 1) and np.array_equal(first[1][0][0, ..., 0], images[1])
    assert np.array_equal(second[1][0][..., 0], images[[0, 2]]) and second[1][1].dtype == np.float32


@pytest.mark.parametrize(("layer", "block"), [("block3_conv2", 3), ("head", 9), ("down2", 0), ("skip1_to_9", 0)])
def test_the_block_of_a_layer(layer: str, block: int) -> None:
    assert block_of(layer) == block


def test_dice_leaves_empty_truths_out() -> None:
    truth = np.zeros((3, 1, 4, 1), np.float32)
    truth[0, 0, :2], truth[1, 0, :1] = 1, 1
    logits = np.full(truth.shape, -1.0, np.float32)
    logits[0, 0, 1:3] = 1.0  # overlap 1 of 2 and 2
    logits[2] = 1.0
    assert mean_dice(truth, logits) == pytest.approx((0.5 + 0.0) / 2)
