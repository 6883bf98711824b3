from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import TINY
from trainer.candidate import Candidate
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.masks import parse
from trainer.network.blocks import partition, trainable_parameters
from trainer.network.delta_checkpoints import Delta, apply_delta, packed, read_delta, restore
from trainer.network.unet import unet
from trainer.network.weights import weights_digest, write_weights
from trainer.results import FoldResult
from trainer.training.fit import FoldData, Trainer
from trainer.training.ledger import Entry
from trainer.training.steps.prediction import predict

STARTS: dict[str, int] = {"pretrained": 1, "scratch": 2}  # the seeds of the fixture's networks


def trained(trainer: Trainer, fold: FoldData, entry: Entry, mask: str, start: str = "pretrained") -> FoldResult:
    (result,) = trainer.fold_results(Candidate(mask, 1, 1e-2, start), fold, (1,), entry)
    return result


def kept(tmp_path: Path, result: FoldResult, start: str = "pretrained") -> tuple[Path, Path]:
    """The files of the base and of the delta, as a sweep leaves them in MLflow."""
    network = unet(TINY, seed=STARTS[start])
    base, delta = tmp_path / "base.weights.h5", tmp_path / "fold_1.npz"
    write_weights(network, base)
    delta.write_bytes(packed(Delta(weights_digest(network), result.weights)))
    return base, delta


@pytest.mark.parametrize(
    ("mask", "start"),
    [
        pytest.param("1", "pretrained", marks=pytest.mark.slow),
        ("1-5", "pretrained"),
        pytest.param("9", "pretrained", marks=pytest.mark.slow),
        ("all", "scratch"),
    ],
)
def test_base_and_delta_predict_the_same_bits_as_the_training_did(
    trainer: Trainer, fold: FoldData, entry: Callable[[str], Entry], tmp_path: Path, mask: str, start: str
) -> None:
    result = trained(trainer, fold, entry("a"), mask, start)
    as_trained = trainer._steps.predict(fold.test_x, lambda: None)
    network = unet(TINY, seed=7)
    assert not np.array_equal(predict(network, fold.test_x), as_trained)
    restore(network, *kept(tmp_path, result, start))
    assert np.array_equal(predict(network, fold.test_x), as_trained)


@pytest.mark.parametrize("mask", ["1-5", "all", *(pytest.param(mask, marks=pytest.mark.slow) for mask in ("1", "9"))])
def test_a_delta_holds_the_thawed_blocks_and_nothing_else(
    trainer: Trainer, fold: FoldData, entry: Callable[[str], Entry], tmp_path: Path, mask: str
) -> None:
    _, path = kept(tmp_path, trained(trainer, fold, entry("a"), mask))
    delta = read_delta(path)
    expected = trainable_parameters(partition(unet(TINY)), parse(mask, 9))
    assert sum(array.size for array in delta.weights.values()) == expected
    assert 0 < path.stat().st_size - 4 * expected < 400 * (len(delta.weights) + 1)  # names, shapes, the base's digest


def test_a_wrong_base_is_refused_and_nothing_changes(
    trainer: Trainer, fold: FoldData, entry: Callable[[str], Entry], tmp_path: Path
) -> None:
    _, delta = kept(tmp_path, trained(trainer, fold, entry("a"), "1"))
    network, other = unet(TINY, seed=7), tmp_path / "other.weights.h5"
    write_weights(unet(TINY, seed=3), other)
    with pytest.raises(UserError, match=r"needs [0-9a-f]{12}, but the network holds [0-9a-f]{12}.*bases/"):
        restore(network, other, delta)
    assert weights_digest(network) == weights_digest(unet(TINY, seed=3))


def test_a_base_that_differs_in_one_bit_is_a_wrong_base() -> None:
    network = unet(TINY, seed=1)
    delta = Delta(weights_digest(network), {})
    apply_delta(network, delta)
    bias = network.get_layer("head").bias
    bias.assign(bias + 1e-7)
    with pytest.raises(UserError, match="fits only the base"):
        apply_delta(network, delta)


@pytest.mark.parametrize(
    ("name", "shape"), [("no_such_layer/0", (1,)), ("head/1", (2,)), ("head/9", (1,))], ids=["layer", "shape", "place"]
)
def test_weights_without_a_place_are_named(name: str, shape: tuple[int, ...]) -> None:
    network = unet(TINY)
    with pytest.raises(UserError, match=f"no such variables: {name}"):
        apply_delta(network, Delta(weights_digest(network), {name: np.zeros(shape, np.float32)}))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    write_weights(unet(ModelConfig(size=32, filters=3)), tmp_path / "base.weights.h5")
    with pytest.raises(UserError, match="do not fit this network"):
        restore(unet(TINY), tmp_path / "base.weights.h5", tmp_path / "fold_1.npz")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no checkpoint"),
        (b"", "cannot be read"),
        (b"no zip at all", "cannot be read"),
        (packed(Delta("0" * 64, {"head/1": np.zeros(1)}))[:-30], "cannot be read"),
        ("no base", "names none"),
    ],
)
def test_files_that_are_no_deltas(tmp_path: Path, content: bytes | str | None, words: str) -> None:
    path = tmp_path / "fold_1.npz"
    if content == "no base":
        np.savez(path, allow_pickle=False, **{"head/1": np.zeros(1)})
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        read_delta(path)
