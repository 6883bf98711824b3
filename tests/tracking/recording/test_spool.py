from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tracking.made_up import fold_results, trial_info
from tracking.recording.operations import DAMAGED, Operation, read_files, read_operation
from tracking.recording.spool import Spool
from tracking.store import changes
from trainer.errors import UserError

INFO = trial_info("shallow-first", 5)
CHANGE = changes.finished(INFO, fold_results(INFO), weights=True, synthetic=True)
OPERATION = Operation("finish", "sweep", INFO, None, 5, CHANGE, (2, 12))


def test_an_operation_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = Spool(tmp_path, "sweep").append(OPERATION, [("images/a.png", b"\0a"), ("b", b"")])
    assert repr(read_operation(path)) == repr(OPERATION)
    assert list(read_files(path)) == [("images/a.png", b"\0a"), ("b", b"")]


def test_only_dead_workers_of_the_same_sweep_leave_their_files_to_others(tmp_path: Path) -> None:
    living, dead, other = (Spool(tmp_path, name) for name in ("sweep", "sweep", "another"))
    for spool, sweep in ((living, "sweep"), (dead, "sweep"), (other, "another")):
        for _ in range(2):
            spool.append(replace(OPERATION, sweep_run=sweep), [])
    dead.close()
    other.close()
    heir = Spool(tmp_path, "sweep")
    assert [heir.read(path).sweep_run for path in heir.pending] == ["sweep", "sweep"]
    own = heir.append(OPERATION, [])
    assert list(heir.pending)[-1] == own
    for path in list(heir.pending):
        heir.remove(path)
    heir.close()
    assert not heir.folder.exists() and len(living.pending) == 2


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "sweep")
    path = spool.append(OPERATION, [])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=rf"{path.name} is damaged .* Delete it"):
        spool.read(path)


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b", ""])
def test_a_file_that_leads_out_of_the_run_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "1.zip", "w") as archive:
        archive.writestr(f"files/{name}", b"")
    with pytest.raises(DAMAGED):
        list(read_files(tmp_path / "1.zip"))
