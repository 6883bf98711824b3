"""What each contender took, as a table: time, memory, and how many times as fast as the first one it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from tests.benchmarks.yardstick.measured_process import Usage


def middle(rounds: Sequence[Usage]) -> Usage:
    """The medians over the rounds of a contender, of each number by itself."""
    columns = zip(*(asdict(used).values() for used in rounds), strict=True)
    return Usage(*(None if None in column else median(column) for column in columns))  # type: ignore[arg-type]


def usage_text(rows: Sequence[tuple[str, str, Usage]]) -> str:
    """Rows of a name, what it is in words, and what it took; the first is what the others are compared with."""
    name, _, first = rows[0]
    head = f"{'':12}{'wall s':>9}{'cpu s':>9}{'others':>8}{'largest MiB':>13}{'all MiB':>9}"
    return "\n".join([f"{head}{f'{name} / it':>11}{'cpu':>7}", *(_row(*row, first) for row in rows)])


def once(used: Usage) -> str:
    """What one run took, in words."""
    return f"{used.wall:.0f} s, {used.processor:.0f} s of processor, others {_known(used.others, 2)} cores"


def _row(name: str, about: str, used: Usage, first: Usage) -> str:
    numbers = f"{used.wall:9.1f}{used.processor:9.1f}{_known(used.others, 2):>8}{used.largest:13.0f}"
    faster = f"{first.wall / used.wall:11.2f}{first.processor / used.processor:7.2f}"
    return f"{name:12}{numbers}{_known(used.together, 0):>9}{faster}  {about}"


def _known(number: float | None, digits: int) -> str:
    """A number, or a dash for one that the system does not tell."""
    return "-" if number is None else f"{number:.{digits}f}"
