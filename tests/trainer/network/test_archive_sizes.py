"""A `.keras` file that would fill the memory is refused before it is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from trainer.errors import UserError
from trainer.network import archive_sizes
from trainer.network.archive_sizes import check_sizes


@pytest.mark.parametrize(("limit", "words"), [("MOST_BYTES", "unpacks to 2,0"), ("MOST_DESCRIPTION", "1,000 of them")])
def test_what_unpacks_to_too_much_is_refused(
    limit: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "x" * 1000)
        archive.writestr("model.weights.h5", "x" * 1000)
    check_sizes(path)
    monkeypatch.setattr(archive_sizes, limit, 999)
    with pytest.raises(UserError, match=f"^mine must be a network .*{words}"):
        check_sizes(path, "mine")


def test_what_is_no_archive_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    check_sizes(tmp_path / "text")
    check_sizes(tmp_path / "missing")
