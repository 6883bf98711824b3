"""The ledger: whole or absent, never paid for twice, never locked by the dead."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.errors import UserError
from trainer.network.delta_checkpoints import Delta, packed
from trainer.results import FoldResult, Score
from trainer.training.ledger import Entry, Failure, Ledger, State, forget_failures

SCORE = Score("a", "benign", 1, 2, 3, 4, 2 / 7, 50.0, 0.1)
EMPTY = Score("b", "", 0, 2, 0, 8, float("nan"), 20.0, 0.0)


def made(epochs: int = 2) -> FoldResult:
    losses = tuple(1 / (epoch + 3) for epoch in range(epochs))
    predictions = np.array([[[1, 0, 1], [0, 0, 1]], [[0, 0, 0], [1, 1, 0]]], np.uint8)
    weights = {"deep/layer/0": np.array([0.1, 1e-30], np.float32)}
    return FoldResult(1, epochs, (SCORE, EMPTY), losses, 8, 1.5, 1, predictions, weights)


def state(epochs: int = 2) -> State:
    return State(
        epochs, (0.5,) * epochs, {"optimizer/0": np.array([7], np.uint32), "weight/x": np.array([1.5], np.float32)}
    )


def test_a_result_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    entry = Ledger(tmp_path).entry("ab" * 32)
    entry.keep(made(), state())
    back, reached = entry.result(2), entry.state()
    assert back is not None and reached is not None
    assert repr(back.scores) == repr(made().scores) and back.losses == made().losses and back.from_ledger
    assert np.array_equal(back.weights["deep/layer/0"], made().weights["deep/layer/0"])
    assert np.array_equal(back.predictions, made().predictions) and back.predictions.dtype == np.uint8
    assert (reached.epochs, reached.losses) == (2, (0.5, 0.5)) and reached.variables["optimizer/0"].dtype == np.uint32
    assert entry.result(3) is None


def test_another_ledger_takes_what_one_gives_and_nothing_damaged(tmp_path: Path) -> None:
    here, there = Ledger(tmp_path / "here").entry("ab" * 32), Ledger(tmp_path / "there").entry("ab" * 32)
    here.keep(made(), state())
    content = here.content(2)
    assert content is not None and here.content(3) is None and not there.has(2)
    for harm in (b"", content[:-30], content.replace(b"meta", b"mety"), b"\x80\x04K\x01."):
        assert there.take(harm, 1, ["a", "b"]) is None and not there.has(2)
    for fold, images in ((2, ["a", "b"]), (1, ["a", "c"])):
        assert there.take(content, fold, images) is None and not there.has(2)
    taken = there.take(content, 1, ["a", "b"])
    assert taken is not None and taken.epochs == 2 and there.content(2) == content
    assert repr(there.result(2)) == repr(here.result(2)) and there.state() is None


def test_distances_are_not_kept(tmp_path: Path) -> None:
    entry = Ledger(tmp_path).entry("ab" * 32)
    entry.keep(replace(made(), scores=(replace(SCORE, hd95=3.0, surface_dice=0.5), EMPTY)), state())
    back = entry.result(2)
    assert back is not None and repr(back.scores) == repr(made().scores)


def test_results_are_immutable_and_states_only_move_on(tmp_path: Path) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(4), state(4))
    inode = (tmp_path / "00004.npz").stat().st_ino
    entry.keep(made(4), state(4))
    entry.keep(made(2), state(2))
    reached = entry.state()
    assert (tmp_path / "00004.npz").stat().st_ino == inode
    assert reached is not None and reached.epochs == 4


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_damaged_file_counts_as_none(tmp_path: Path, damage: bytes | None) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(), state())
    path = tmp_path / "00002.npz"
    path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    assert entry.result(2) is None
    entry.keep(made(), state())
    assert entry.result(2) is not None


def test_failures_are_kept_and_forgotten_on_request(tmp_path: Path) -> None:
    entry = Entry(tmp_path / "ab" / "abcd")
    assert entry.failure() is None
    entry.keep_failure(Failure(3, "dead block"))
    entry.keep(made(), state())
    assert entry.failure() == Failure(3, "dead block")
    forget_failures(tmp_path)
    assert entry.failure() is None and entry.result(2) is not None
    forget_failures(tmp_path)  # nothing to forget is no mistake


def _hold(folder: Path, held: object) -> None:
    with Entry(folder).lease():
        held.set()  # type: ignore[attr-defined]
        time.sleep(60)


def test_a_lease_waits_for_the_living_and_is_freed_by_the_dead(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, held))
    holder.start()
    assert held.wait(30) and holder.pid is not None
    waited: list[int] = []

    def kill_after_two_looks() -> None:
        waited.append(1)
        if len(waited) == 2:
            os.kill(holder.pid or 0, signal.SIGKILL)

    with Entry(tmp_path).lease(waiting=kill_after_two_looks):
        assert len(waited) >= 2
    holder.join()


def test_a_file_that_cannot_be_written_to_its_end_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the write stops in the middle, as it does there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(UserError, match=r"Cannot write .*00002.npz: File too large.*free some space"):
            Entry(tmp_path).keep(made(), state())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_every_part_of_a_result_and_a_state_comes_back(tmp_path: Path) -> None:
    entry = Ledger(tmp_path).entry("cd" * 32)
    assert entry.folder == tmp_path / "cd" / ("cd" * 32)
    assert (entry.result(2), entry.state(), entry.failure()) == (None, None, None)
    entry.keep(made(), state())
    back = entry.result(2)
    assert back is not None and made().traces == 1
    assert (back.fold, back.epochs, back.train_images, back.seconds, back.traces) == (1, 2, 8, 1.5, 0)
    assert list(back.weights) == ["deep/layer/0"] and back.scores[0] == SCORE and not made().from_ledger
    reached = entry.state()
    assert reached is not None and list(reached.variables) == ["optimizer/0", "weight/x"]
    assert reached.variables["weight/x"].tolist() == [1.5]
    assert (entry.folder / "00002.npz").exists() and (entry.folder / "state.npz").exists()


@pytest.mark.parametrize(("kept", "then", "newest"), [(0, 1, 1), (3, 2, 3), (2, 3, 3), (3, 3, 3)])
def test_a_state_gives_way_to_a_later_one_only(tmp_path: Path, kept: int, then: int, newest: int) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(kept), state(kept))
    assert (entry.state() is None) == (kept == 0)  # of no epochs there is nothing to go on from
    again = replace(state(then), variables={"weight/x": np.array([9.0])})
    entry.keep(made(then), again)
    reached = entry.state()
    assert reached is not None and reached.epochs == newest
    assert (reached.variables["weight/x"].tolist() == [9.0]) == (then > kept)


def test_a_result_is_written_once(tmp_path: Path) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(), state())
    entry.keep(replace(made(), seconds=99.0), state())
    back = entry.result(2)
    assert back is not None and back.seconds == 1.5


@pytest.mark.parametrize("shape", [(0, 4, 4), (1, 3, 5), (3, 8, 8)])
def test_predictions_of_any_shape_come_back(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    predictions = np.random.default_rng(0).integers(0, 2, shape, np.uint8)
    Entry(tmp_path).keep(replace(made(), predictions=predictions), state())
    back = Entry(tmp_path).result(2)
    assert back is not None and back.predictions.shape == shape and np.array_equal(back.predictions, predictions)


@pytest.mark.parametrize("name", ["state.npz", "00002.npz"])
def test_a_folder_or_pickled_objects_in_place_of_a_file_count_as_none(tmp_path: Path, name: str) -> None:
    entry = Entry(tmp_path)
    np.savez(tmp_path / name, meta=np.array([{"a": 1}], object), epochs=np.array([None]))
    assert entry.state() is None and entry.result(2) is None
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert entry.state() is None and entry.result(2) is None


def test_a_result_without_its_weights_is_no_result_that_trained_nothing(tmp_path: Path) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(2), state(2))
    entry.keep(made(4), state(4))
    entry.keep(replace(made(0), weights={}), State(0, (), {}))
    for epochs in (2, 2, 0, 3):
        entry.lose_weights(epochs)
    lost, whole, untrained = (entry.result(epochs) for epochs in (2, 4, 0))
    assert lost is not None and whole is not None and untrained is not None
    assert [one.weights_lost for one in (lost, whole, untrained)] == [True, False, False]
    assert not lost.weights and not untrained.weights and list(whole.weights) == ["deep/layer/0"]
    assert repr(replace(lost, weights_lost=False, epochs=4, losses=())) == repr(
        replace(whole, weights={}, losses=())
    )  # scores, predictions, seconds
    assert not (tmp_path / "00003.npz").exists()


def test_a_damaged_result_keeps_what_is_left_of_it(tmp_path: Path) -> None:
    entry = Entry(tmp_path)
    np.savez(tmp_path / "00002.npz", allow_pickle=False, **{"w:x/0": np.ones(2)})
    before = (tmp_path / "00002.npz").read_bytes()
    entry.lose_weights(2)
    assert (tmp_path / "00002.npz").read_bytes() == before


def test_the_state_of_a_training_at_work_stays(tmp_path: Path) -> None:
    entry = Entry(tmp_path)
    entry.keep(made(2), state(2))
    with entry.lease():
        entry.lose_state()
        assert entry.state() is not None
    entry.lose_state()
    assert entry.state() is None


def test_a_state_in_the_midst_of_an_epoch_comes_back_and_is_later_than_its_beginning(tmp_path: Path) -> None:
    entry, amid = Entry(tmp_path), replace(state(2), steps=3, seconds=1.5)
    entry.keep_state(amid)
    reached = entry.state()
    assert reached is not None and (reached.position, reached.seconds, reached.losses) == ((2, 3), 1.5, (0.5, 0.5))
    for earlier in (state(2), replace(amid, steps=2)):
        entry.keep_state(earlier)
    assert (entry.state() or earlier).position == (2, 3)
    entry.keep_state(state(3))
    assert (entry.state() or earlier).position == (3, 0)


def test_an_earlier_thaw_takes_no_state_amid_an_epoch_for_one_at_its_beginning(tmp_path: Path) -> None:
    Entry(tmp_path).keep_state(replace(state(2), steps=3))
    with np.load(tmp_path / "state.npz") as stored:
        assert "epochs" not in stored.files  # which it reads first


def test_the_state_of_an_earlier_thaw_is_read(tmp_path: Path) -> None:
    earlier: dict[str, Any] = {"epochs": np.array(1), "losses": np.array([0.5]), "v:w": np.array([1.0])}
    np.savez(tmp_path / "state.npz", **earlier)
    reached = Entry(tmp_path).state()
    assert reached is not None and (reached.position, reached.seconds, list(reached.variables)) == ((1, 0), 0.0, ["w"])


@pytest.mark.parametrize("name", ["state.npz", "00002.npz"])
def test_damage_to_any_byte_is_noticed_or_changes_nothing(tmp_path: Path, name: str) -> None:
    def content() -> list[str]:
        result, reached = entry.result(2), entry.state()
        return [repr(one) for one in (result, reached) if one is not None]

    entry = Entry(tmp_path)
    entry.keep(made(), state())
    path, whole = tmp_path / name, content()
    good = path.read_bytes()
    for place in range(0, len(good), 13):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        assert set(content()) <= set(whole), place
        path.write_bytes(good[:place])
        assert set(content()) < set(whole), place


def test_a_checkpoint_on_the_same_disk_holds_the_weights_of_a_result(tmp_path: Path) -> None:
    entry, checkpoint, other = Entry(tmp_path / "entry"), tmp_path / "fold_1.npz", tmp_path / "fold_2.npz"
    entry.keep(made(), state())
    whole = (tmp_path / "entry" / "00002.npz").stat().st_size
    checkpoint.write_bytes(packed(Delta("base", made().weights)))
    other.write_bytes(packed(Delta("base", {"deep/layer/0": np.zeros(2, np.float32)})))
    entry.share_weights(2, other)  # of another training: nothing happens
    assert (tmp_path / "entry" / "00002.npz").stat().st_size == whole
    entry.share_weights(2, checkpoint)
    checkpoint.unlink()
    back = entry.result(2)
    assert back is not None and not back.weights_lost
    assert np.array_equal(back.weights["deep/layer/0"], made().weights["deep/layer/0"])
    assert (tmp_path / "entry" / "00002.npz").stat().st_size < whole
    entry.lose_weights(2)
    lost = entry.result(2)
    assert lost is not None and lost.weights_lost and not (tmp_path / "entry" / "00002.weights").exists()
