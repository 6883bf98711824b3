"""Networks that are given colours: told apart by hue, refused where they read one channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.trainer.hues import SIDE, hue_network, write_hues
from trainer.config import DataConfig, ModelConfig, PretrainConfig, Settings, TrainConfig
from trainer.data.cases import load_cases
from trainer.errors import UserError
from trainer.network.blocks import partition
from trainer.network.user_model import adapted, checked_copy, found_out, reads_colour
from trainer.neurons.maximise import Artist, Recipe
from trainer.training.inference import segmenter
from trainer.training.metrics import score
from trainer.training.pretraining import _images
from trainer.training.rehearsal import rehearse
from trainer.training.step_cost import measured_cost
from trainer.training.steps.prediction import predict

GREY, COLOUR = (ModelConfig(SIDE, path="hues.keras", colour=colour) for colour in (False, True))


def test_hue_is_seen_with_colours_only(tmp_path: Path) -> None:
    folder, dices = write_hues(tmp_path / "data", 3), []
    for model in (GREY, COLOUR):
        cases = load_cases(DataConfig(str(folder), colour=model.colour), SIDE, tmp_path / "cache")
        probability = predict(checked_copy(hue_network(), SIDE, model), cases.images)
        assert probability.shape == cases.masks.shape
        dices.append(np.mean([score("", "", *each).dice for each in zip(cases.masks, probability, strict=True)]))
    assert dices == [0, 1]


@pytest.mark.parametrize("reads", [(), (0.0, 255.0), (-1.0, 1.0)])
def test_each_channel_is_given_as_it_is_in_the_range_that_is_read(reads: tuple[float, ...]) -> None:
    network = hue_network()
    copy = adapted(network, SIDE, ModelConfig(SIDE, path="x", colour=True, reads=reads))
    image = 0.5 + np.random.default_rng(0).random((2, SIDE, SIDE, 3), np.float32) / 200
    low, high = reads or (0, 1)
    logits = np.asarray(copy(image))
    expected = np.asarray(network(low + (high - low) * image))
    assert copy.input_shape == (None, SIDE, SIDE, 3)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), expected, atol=1e-4)


def test_a_network_of_one_channel_is_refused() -> None:
    with pytest.raises(UserError, match=r"reads three channels, but 'hues' reads 1\. Leave out data\.colour"):
        found_out(hue_network(1), COLOUR)


def test_what_a_network_of_three_channels_is_given_is_said() -> None:
    notes = [found_out(hue_network(channels), model)[1] for channels, model in ((3, GREY), (3, COLOUR), (1, GREY))]
    assert [any("the grey image three times: data.colour=true" in note for note in each) for each in notes] == [1, 0, 0]


def test_only_a_copy_of_thaws_is_known_to_read_colours() -> None:
    copies = [adapted(hue_network(), SIDE, model) for model in (GREY, COLOUR)]
    assert [reads_colour(each) for each in (hue_network(), *copies)] == [False, False, True]
    assert [segmenter(each).colour for each in (hue_network(), *copies)] == [False, False, True]
    assert segmenter(hue_network(), COLOUR).colour


def test_a_step_is_rehearsed_and_measured() -> None:
    copy = adapted(hue_network(), SIDE, COLOUR)
    rehearse(copy, partition(copy), TrainConfig())
    assert measured_cost(copy, Settings(model=COLOUR, train=TrainConfig(batch=2))).step > 0


def test_composites_are_grey_in_three_channels(tmp_path: Path) -> None:
    images = _images(PretrainConfig(images=4), COLOUR, tmp_path)
    assert images.train_x.shape[1:] == images.held_x.shape[1:] == (SIDE, SIDE, 3)
    assert (images.train_x == images.train_x[..., :1]).all()


def test_the_largest_activation_is_that_of_the_colours() -> None:
    """Red excites what tells red from green; its luminance alone does not."""
    artist = Artist(adapted(hue_network(), SIDE, COLOUR), 1, Recipe(steps=1))
    red = np.zeros((1, SIDE, SIDE, 3), np.float32)
    red[..., 0] = 0.5
    assert artist.largest(red) == pytest.approx(0.5) and artist.largest(red.mean(axis=3)) == pytest.approx(0)
    assert artist.draw([0]).images.shape == (1, SIDE, SIDE)
