"""Before and after every trial: the right weights, the same neurons, nothing drawn twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sweeps.run import neuron_images
from sweeps.run.neuron_images import Gallery
from trainer.candidate import Candidate
from trainer.config import ModelConfig, Settings
from trainer.network.blocks import partition
from trainer.network.unet import unet
from trainer.neurons.maximise import Artist, Recipe

MODEL = ModelConfig(size=32, filters=2)
NETWORK = unet(MODEL, seed=1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, float]]]:
    """Every drawing that is made: its block, and the sum of block 1's first kernel that it was made with."""
    drawings = []
    real = Artist.draw

    def draw(artist: Artist, *arguments: Any) -> Any:
        drawings.append((artist.block, float(np.sum(artist.trunk.model.get_layer("block1_conv1").get_weights()[0]))))
        return real(artist, *arguments)

    monkeypatch.setattr(Artist, "draw", draw)
    monkeypatch.setattr(neuron_images, "RECIPE", Recipe(steps=4))
    yield drawings


def trial() -> Any:
    images = np.random.default_rng(0).random((3, 32, 32), np.float32)
    starts = {"pretrained": NETWORK.get_weights(), "scratch:0": unet(MODEL, seed=2).get_weights()}
    trainer = SimpleNamespace(starts=starts, blocks=partition(NETWORK))
    folds = [SimpleNamespace(test_x=images)]
    return SimpleNamespace(settings=Settings(model=MODEL), trainer=trainer, folds=lambda candidate: folds)


def result(*layers: str) -> Any:
    return SimpleNamespace(weights={f"{name}/0": NETWORK.get_layer(name).get_weights()[0] + 1 for name in layers})


def halves(png: bytes) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    page = np.asarray(Image.open(io.BytesIO(png)))
    return page[30:150, 8:136], page[30:150, 144:272]


def test_only_what_training_can_have_changed_is_drawn_again(drawn: list[tuple[int, float]]) -> None:
    gallery = Gallery(trial(), (1, 3))
    drawings = gallery.drawings(Candidate("3", 1, 1e-3), result("block3_conv2"))
    assert [block for block, _ in drawn] == [1, 3, 3]
    assert [key.rsplit("/", 1)[0] for key in drawings] == ["am/1", "am/3"]
    before, after = halves(drawings[next(iter(drawings))])
    assert np.array_equal(before, after)
    again = gallery.drawings(Candidate("none", 0, 1e-3), result())
    assert len(drawn) == 3 and list(again) == list(drawings)


def test_after_means_the_trained_weights_on_the_trial_s_own_start(drawn: list[tuple[int, float]]) -> None:
    given = trial()
    gallery = Gallery(given, (1,))
    gallery.drawings(Candidate("1", 1, 1e-3), result("block1_conv1"))
    gallery.drawings(Candidate("all", 1, 1e-3, "scratch"), result("block1_conv2"))
    kernels = [weights[0].sum() for weights in given.trainer.starts.values()]
    assert [total for _, total in drawn] == pytest.approx(
        [kernels[0], kernels[0] + 18, kernels[1], kernels[1]], rel=1e-4
    )


def test_no_blocks_no_images(drawn: list[tuple[int, float]]) -> None:
    assert Gallery(trial(), ()).drawings(Candidate("1", 1, 1e-3), result()) == {} and drawn == []
