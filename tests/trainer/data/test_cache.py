from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trainer.data import cache
from trainer.data.cache import Entry, cached, clear_stale, keep, opened, rename
from trainer.errors import UserError


def make() -> Entry:
    return Entry({"x": np.arange(1000.0), "none": np.zeros((0, 3))}, {"name": "ß"})


def never() -> Entry:
    raise AssertionError("made again")


def test_made_once_and_then_mapped(tmp_path: Path) -> None:
    cached(tmp_path, "key", make)
    entry = cached(tmp_path, "key", never)
    np.testing.assert_array_equal(entry.arrays["x"], np.arange(1000.0))
    assert isinstance(entry.arrays["x"], np.memmap)
    assert not entry.arrays["x"].flags.writeable
    assert entry.about == {"name": "ß"}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("file", ["x.npy", "about.json"])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-7]), id="cut"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-9] + b"\7" + path.read_bytes()[-8:]), id="flip"),
    ],
)
def test_a_damaged_entry_is_made_again(tmp_path: Path, file: str, spoil: object) -> None:
    cached(tmp_path, "key", make)
    assert callable(spoil)
    spoil(tmp_path / "key" / file)
    np.testing.assert_array_equal(cached(tmp_path, "key", make).arrays["x"], np.arange(1000.0))
    cached(tmp_path, "key", never)


def test_a_kill_while_writing_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            cached(tmp_path, "key", make)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_all_get_the_whole_entry(tmp_path: Path) -> None:
    found: list[float] = []
    threads = [Thread(target=lambda: found.append(cached(tmp_path, "key", make).arrays["x"].sum())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [499500.0] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_that_another_process_removes_meanwhile_is_no_obstacle(tmp_path: Path) -> None:
    gone, stale = SimpleNamespace(stat=(tmp_path / ".building-gone").stat), tmp_path / ".building-old"
    stale.mkdir()
    os.utime(stale, (0, 0))
    cache: Any = SimpleNamespace(glob=lambda _: [gone, stale])
    clear_stale(cache)
    assert not stale.exists()


def test_whoever_renames_second_uses_what_is_there(tmp_path: Path) -> None:
    keep(tmp_path / "key", make())
    (tmp_path / "second" / "part").mkdir(parents=True)
    rename(tmp_path / "second", tmp_path / "key")
    assert opened(tmp_path / "key") is not None
    with pytest.raises(FileNotFoundError):
        rename(tmp_path / "gone", tmp_path / "nowhere" / "key")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"Cannot write .*file"):
        cached(tmp_path / "file", "key", make)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.data.cache.os.fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        cached(tmp_path, "key", make)
    assert list(tmp_path.iterdir()) == []
