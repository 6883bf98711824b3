"""Losses against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.errors import UserError
from trainer.training.losses import bce, bce_dice, loss_named


def test_losses_equal_their_formulas() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((3, 8, 8, 1)) > 0.7).astype(np.float32)
    logits = rng.normal(0, 2, truth.shape).astype(np.float32)
    p = 1 / (1 + np.exp(-logits))
    cross = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean((1, 2, 3))
    soft = (2 * (truth * p).sum((1, 2, 3)) + 1) / (truth.sum((1, 2, 3)) + p.sum((1, 2, 3)) + 1)
    assert np.asarray(bce(truth, logits)) == pytest.approx(cross, rel=1e-5)
    assert np.asarray(bce_dice(truth, logits)) == pytest.approx(cross + 1 - soft, rel=1e-5)


def test_an_empty_truth_has_a_finite_loss() -> None:
    empty = np.zeros((1, 4, 4, 1), np.float32)
    assert np.isfinite(np.asarray(bce_dice(empty, empty - 100))).all()


def test_unknown_loss() -> None:
    with pytest.raises(UserError, match=r"one of bce, bce\+dice, but got 'dice'"):
        loss_named("dice")


def test_losses_by_hand_are_of_each_image_by_itself() -> None:
    """Two images of 1 x 2 pixels with logit 0, so probability 1/2 everywhere: cross-entropy log 2."""
    truth = np.array([[[1], [0]], [[0], [0]]], np.float32)[:, None]
    assert truth.shape == (2, 1, 2, 1)
    assert np.asarray(bce(truth, 0 * truth)) == pytest.approx([np.log(2)] * 2, rel=1e-5)
    # Overlap 1/2 and sizes 1 + 1; overlap 0 and sizes 0 + 1; one pixel smooths.
    soft = np.array([1 - 2 / 3, 1 - 1 / 2])
    assert np.asarray(bce_dice(truth, 0 * truth)) == pytest.approx(np.log(2) + soft, rel=1e-5)


@pytest.mark.parametrize(("name", "loss"), [("bce", bce), ("bce+dice", bce_dice)])
def test_losses_have_names(name: str, loss: object) -> None:
    assert loss_named(name) is loss


@pytest.mark.parametrize("name", ["bce", "bce+dice"])
def test_ignored_pixels_take_no_part(name: str) -> None:
    """The loss of an image with ignored pixels is that of the others alone, whatever is predicted in them."""
    rng = np.random.default_rng(1)
    truth = (rng.random((2, 8, 8, 1)) > 0.6).astype(np.float32)
    logits = rng.normal(0, 2, truth.shape).astype(np.float32)
    ignored = truth.copy()
    ignored[:, 4:] = 255
    loss, plain = loss_named(name, ignoring=True), loss_named(name)
    assert np.asarray(loss(ignored, logits)) == pytest.approx(np.asarray(plain(truth[:, :4], logits[:, :4])), rel=1e-5)
    assert np.asarray(loss(truth, logits)) == pytest.approx(np.asarray(plain(truth, logits)), rel=1e-5)
    other = logits.copy()
    other[:, 4:] *= -3
    assert np.asarray(loss(ignored, other)) == pytest.approx(np.asarray(loss(ignored, logits)), rel=1e-6)


@pytest.mark.parametrize("name", ["bce", "bce+dice"])
def test_an_image_of_which_nothing_counts_has_a_finite_loss(name: str) -> None:
    truth = np.full((1, 4, 4, 1), 255, np.float32)
    assert np.asarray(loss_named(name, ignoring=True)(truth, truth)) == pytest.approx([0.0], abs=1e-6)
