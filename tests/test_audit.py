"""The audit of the locks: what is known is listed, and an unreachable database is no clean bill of health."""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.audit import FOUND, NONE_KNOWN, NOT_ASKED, ROOT, audit, pinned


def answering(vulnerable: Mapping[str, list[str]]) -> Any:
    def ask(query: Mapping[str, Any]) -> Any:
        names = [one["package"]["name"] for one in query["queries"]]
        known = [[{"id": one} for one in vulnerable.get(name, [])] for name in names]
        return {"results": [{"vulns": entries} if entries else {} for entries in known]}

    return ask


def unreachable(query: Mapping[str, Any]) -> Any:
    raise urllib.error.URLError("no way there")


@pytest.mark.parametrize(
    ("ask", "code", "words"),
    [
        (answering({}), NONE_KNOWN, "3 packages in 2 locks: none with known vulnerabilities."),
        (answering({"b": ["PYSEC-1", "GHSA-2"]}), FOUND, "b 2: https://osv.dev/PYSEC-1, https://osv.dev/GHSA-2"),
        (unreachable, NOT_ASKED, "NOT AUDITED: https://api.osv.dev/v1/querybatch could not be asked about 3 packages"),
        (lambda query: {"results": []}, NOT_ASKED, "answered for other packages"),
        (lambda query: "<html>", NOT_ASKED, "NOT AUDITED"),
        (lambda query: {}, NOT_ASKED, "NOT AUDITED"),
    ],
)
def test_audit(ask: Any, code: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "one.lock").write_text("a==1 \\\n    --hash=sha256:00\nb==2\n")
    (tmp_path / "two.lock").write_text("b==2\nc[x]==3 ; sys_platform == 'linux'\n")
    said: list[str] = []
    assert audit(sorted(tmp_path.glob("*.lock")), ask, said.append) == code
    assert words in "\n".join(said)


def test_the_locks_are_read_whole() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        lines = lock.read_text().splitlines()
        assert len(pinned(lock.read_text())) == sum(line[:1].isalpha() for line in lines) > 0, lock
