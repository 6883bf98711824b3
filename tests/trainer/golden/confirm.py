"""`make confirm-arithmetic`: the golden results are compared, and only then is the code confirmed that gives them.

Where a version in `trainer/arithmetic.py` was raised, the numbers that it covers are written anew instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401  # the surroundings of the tests, set before anything heavy is imported
from tests.trainer.golden.images import reading_images, synthetic_images
from tests.trainer.golden.results import TOLERANCES, Golden, differences, with_new
from tests.trainer.golden.syntax import digests
from tests.trainer.golden.training import pretraining, training
from trainer import arithmetic, candidate, config, keys

ROOT = Path(__file__).parents[3]
NUMBERS, CONFIRMED = (Path(__file__).with_name(f"{name}.json") for name in ("numbers", "confirmed"))

GROUPS: Mapping[str, Callable[[], Golden]] = {
    "TRAINING": training,
    "PRETRAINING": pretraining,
    "SYNTHETIC_IMAGES": synthetic_images,
    "READING_IMAGES": reading_images,
}
WHAT_TO_DO = (
    "If any number changes by this, raise the version in trainer/arithmetic.py that covers it; if none does, raise "
    "none. Then run `make confirm-arithmetic`: it compares the golden results and, if they hold or their version was "
    "raised, confirms the code as it is now (docs/keys.md)."
)


@cache
def computed(name: str) -> Golden:
    """What the code gives for the group of a version, computed once."""
    return GROUPS[name]()


def version_of(name: str) -> int:
    """The version that the code states now."""
    return int(getattr(arithmetic, name))


def left_out() -> dict[str, dict[str, Any]]:
    """The value at which each later setting stays out of keys."""
    return {
        kind: keys.values_left_out(getattr(candidate if kind == "Candidate" else config, kind))
        for kind in keys.FOUNDING
    }


def renewed(name: str, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The numbers to keep for a version: as they were, or new ones where it was raised.

    Raises `SystemExit` where numbers differ under the same version, or where a version was lowered.
    """
    version = version_of(name)
    if before is None or version > before["version"]:
        print(f"{name}: version {version}, its numbers are written anew.")
        return {"version": version, **asdict(computed(name))}
    if version < before["version"]:
        sys.exit(f"{name} must not be lowered, but it was {before['version']} and is {version}.")
    now = computed(name)
    after = with_new(before, now)
    if lines := differences(after, now):
        shown = "\n".join(line[:400] for line in lines)
        sys.exit(
            f"Not confirmed: under version {version} of {name} these numbers have changed. Raise it in "
            f"trainer/arithmetic.py if they were meant to.\n{shown}"
        )
    count = sum(len(after[kind]) - len(before[kind]) for kind in TOLERANCES)
    print(f"{name}: version {version}, its numbers are the same{f', and {count} are new' if count else ''}.")
    return {"version": version, **after}


def main() -> None:
    """Compare, then write both files."""
    before = json.loads(NUMBERS.read_text()) if NUMBERS.exists() else {}
    numbers = {name: renewed(name, before.get(name)) for name in GROUPS}
    definitions = digests(ROOT)
    write(NUMBERS, numbers)
    write(CONFIRMED, {"definitions": definitions, "left out of keys": left_out()})
    print(f"Confirmed: {len(definitions)} definitions.")


def write(path: Path, content: Mapping[str, Any]) -> None:
    """As JSON, a line for each entry of each table."""
    path.write_text(f"{lines_of(content, '')}\n", "utf-8")


def lines_of(value: Any, indent: str) -> str:
    """Tables opened, everything else in one line."""
    if not isinstance(value, Mapping) or not value:
        return json.dumps(value)
    lines = [f"{indent} {json.dumps(name)}: {lines_of(part, indent + ' ')}" for name, part in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


if __name__ == "__main__":
    main()
