"""Known vulnerabilities of what the locks hold, asked of the public database OSV: `python -m tests.audit [LOCK ...]`.

Exit codes: 0 none is known; 1 some are, and they are listed; 3 the database could not be asked, so nothing is known.
Names and versions of the packages are sent, and nothing else.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATABASE = "https://api.osv.dev/v1/querybatch"
SECONDS, PER_REQUEST = 20.0, 500
NONE_KNOWN, FOUND, NOT_ASKED = 0, 1, 3
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)

Ask = Callable[[Mapping[str, Any]], Any]
Package = tuple[str, str]  # name, version


def pinned(lock: str) -> list[Package]:
    """The packages of a lock, in its order.

    >>> pinned("# made by uv\\nnumpy==2.1.0 ; os_name > '3' \\\\\\n    --hash=sha256:00\\nuvicorn[all]==0.3\\n")
    [('numpy', '2.1.0'), ('uvicorn', '0.3')]
    """
    return PINNED.findall(lock)


def ask_osv(query: Mapping[str, Any]) -> Any:
    """The database's answer. Raises `OSError`, `HTTPException` or `ValueError` where there is none."""
    request = urllib.request.Request(DATABASE, json.dumps(query).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.loads(response.read())


def vulnerabilities(packages: Sequence[Package], ask: Ask = ask_osv) -> dict[Package, list[str]]:
    """Package -> the names of its known vulnerabilities, where there are any; raises what `ask` does."""
    found: dict[Package, list[str]] = {}
    for start in range(0, len(packages), PER_REQUEST):
        asked = packages[start : start + PER_REQUEST]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in asked]
        results = ask({"queries": queries})["results"]
        if len(results) != len(asked):
            raise ValueError("it answered for other packages than were asked for")
        for package, result in zip(asked, results, strict=True):
            if known := [str(one["id"]) for one in (result or {}).get("vulns", [])]:
                found[package] = known
    return found


def audit(locks: Sequence[Path], ask: Ask = ask_osv, say: Callable[[str], None] = print) -> int:
    """Say which packages of the locks are known to be vulnerable; the exit code."""
    packages = sorted({package for lock in locks for package in pinned(lock.read_text("utf-8"))})
    counted = f"{len(packages)} packages in {len(locks)} locks"
    try:
        found = vulnerabilities(packages, ask)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = getattr(error, "reason", error)
        say(f"NOT AUDITED: {DATABASE} could not be asked about {counted} ({reason}). Run it where it can be reached.")
        return NOT_ASKED
    for (name, version), known in found.items():
        say(f"{name} {version}: {', '.join(f'https://osv.dev/{one}' for one in known)}")
    say(f"{counted}: {len(found) or 'none'} with known vulnerabilities.")
    return FOUND if found else NONE_KNOWN


if __name__ == "__main__":
    sys.exit(audit([Path(name) for name in sys.argv[1:]] or sorted(ROOT.glob("requirements*.lock"))))
