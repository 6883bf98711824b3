"""Networks as people have them, each tried by every command that takes one: `python -m tests.zoo [NAME ...]`.

Builds them in a folder (--out), tries masks, a tiny sweep, champion and predict, prints a table of what each gave, and
ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys
import tempfile
from pathlib import Path

import tests.conftest  # noqa: F401  # the surroundings of the tests, set before anything heavy is imported

COLUMNS = ("masks", "run", "trained", "champion", "pretrain", "predict", "predict champion")


def main() -> int:
    """Try the networks and print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["*"], help="which ones, as patterns; all by default")
    parser.add_argument(
        "--out", type=Path, help="folder to keep networks and home in; networks that are there are used again"
    )
    parser.add_argument("--list", action="store_true", help="only say what there is, and what is special about it")
    parser.add_argument("--processes", action="store_true", help="sweep by `thaw run`, with a worker process")
    arguments = parser.parse_args()

    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    from tests.zoo import trial
    from tests.zoo.shelf import ENTRIES

    chosen = [entry for name, entry in ENTRIES.items() if any(fnmatch.fnmatch(name, at) for at in arguments.names)]
    if arguments.list:
        for entry in chosen:
            print(f"{entry.name} ({entry.right}): {entry.special}")
        return 0
    rows = []
    print(f"{'network':26}{'author':>8}", *(f"{name:>10}" for name in COLUMNS), f"{'seconds':>8}  right?", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.out or Path(temporary)
        shutil.rmtree(folder / "home", ignore_errors=True)
        for entry in chosen:
            row = trial.tried(entry, folder, processes=arguments.processes)
            rows.append(row)
            cells = (f"{row.cells.get(name, '-')!s:>10}" for name in COLUMNS)
            verdict = "yes" if not row.wrong else "NO"
            print(f"{entry.name:26}{row.author:8.3f}", *cells, f"{row.seconds:8.1f}  {verdict}", flush=True)
    wrong = [row for row in rows if row.wrong]
    for row in wrong:
        print(f"\n{row.entry.name} ({row.entry.right}): {row.entry.special}")
        for sentence in row.wrong:
            print(f"  - {sentence}")
    for row in rows:
        if words := next((cell.refusal for cell in row.cells.values() if cell.refusal), ""):
            print(f"\n{row.entry.name}: {words}")
    print(f"\n{len(rows) - len(wrong)} of {len(rows)} right")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
