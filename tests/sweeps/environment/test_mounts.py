"""A home on a read-only file system serves readers; a disk that is really full is told as that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sweeps.environment.mounts import READ_ONLY, TINY, run_mounted

COMMANDS = """
import sys
from sweeps.cli import main
home = sys.argv[1]
for line in ("best", "best --format json", "report", "report --format csv", "report --out r"):
    sys.argv = ["thaw", *line.split(), "--home", home]
    try:
        main()
    except SystemExit as end:
        assert not end.code, line
sys.argv = ["thaw", "champion", "--home", home]
try:
    main()
except SystemExit as end:
    assert end.code == 2
"""

WRITES = """
import sys
from pathlib import Path
from sweeps.engines.optuna_storage import explained_errors, open_study
from tracking.sqlite_address import address_of
from tracking.store.writer import Tracker
from trainer.errors import UserError
from trainer.files import write_atomically
folder = Path(sys.argv[1])
def study():
    with explained_errors(address_of(folder / "optuna.db")):
        open_study(address_of(folder / "optuna.db"), "s")
for write in (
    lambda: Tracker.connect(address_of(folder / "mlflow.db"), folder),
    study,
    lambda: write_atomically(folder / "x", lambda file: file.write(bytes(100_000))),
):
    for path in folder.iterdir():
        path.unlink()
    try:
        write()
    except UserError as error:
        print(error)
    else:
        sys.exit("there was room")
print("left:", *(path.name for path in folder.iterdir()))
"""


@pytest.mark.slow
def test_a_home_on_a_read_only_file_system_is_read(smoke_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(smoke_home, tmp_path / "home")
    (tmp_path / "here").mkdir()
    said = run_mounted(READ_ONLY, home, COMMANDS, home, cwd=tmp_path / "here")
    assert "can only be read, so the report goes into the current folder" in said
    assert "must be writable, but it is not" in said
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"reports", "r"}
    assert len([*(tmp_path / "here/reports").rglob("report.html")]) == 1


@pytest.mark.slow
def test_a_full_disk_is_told_as_that(tmp_path: Path) -> None:
    said = run_mounted(TINY, tmp_path, WRITES, tmp_path)
    assert said.count("The disk, or a quota or limit, is full") == 3
    assert said.count("database or disk is full") == 2 and "/x: No space left on device" in said
    assert said.splitlines()[-1] == "left:"
