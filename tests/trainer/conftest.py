"""A tiny network and a tiny fold, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.config import ModelConfig, TrainConfig
from trainer.network.unet import unet
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Entry, Ledger

TINY = ModelConfig(size=32, filters=2)


def made_fold(number: int = 1, images: int = 10, tests: int = 5) -> FoldData:
    rng = np.random.default_rng(number)
    truth = np.zeros((images + tests, 32, 32), np.uint8)
    truth[:, 8:20, 10:24] = 1
    pictures = np.clip(rng.normal(0.7, 0.1, truth.shape) - 0.4 * truth, 0, 1).astype(np.float32)
    names = tuple(f"case {number}.{i}" for i in range(tests))
    test_x, test_y = pictures[images:], truth[images:]
    return FoldData(number, pictures[:images], truth[:images], images, test_x, test_y, names, ("a",) * tests, (0, 3))


@pytest.fixture
def fold() -> FoldData:
    return made_fold()


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    network, scratch = unet(TINY, seed=1), unet(TINY, seed=2)
    starts: dict[str, Any] = {"pretrained": network.get_weights(), "scratch:0": scratch.get_weights()}
    return Trainer(network, starts, TrainConfig(batch=4))


@pytest.fixture
def entry(tmp_path: Path) -> Callable[[str], Entry]:
    return Ledger(tmp_path).entry
