"""Values of masks in words, and the refusal of those that can be read in more than one way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from trainer.data.masks.kinds import Names, Totals, Value
from trainer.data.masks.values import Kind, MaskValues
from trainer.errors import UserError

LISTED = 8  # values in a message


def several(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], kind: Kind, names: Names) -> UserError:
    """The refusal of masks that can be read in more than one way, or in none."""
    objects = [value for value in totals if value]
    folder = common_folder(mask.path for mask in masks)
    found = listed(masks, totals, kind, names)
    if any(mask.lossy for mask in masks):
        fault = "are JPEGs, and their values do not lie around two levels that are far apart"
        advice = "Save them as PNG with one value for the object and 0 for the rest"
    elif 0 not in totals:
        fault = "hold no black (0), so nothing says what the background is"
        advice = f"Say what the object is: --set 'data.foreground=[{written(objects[0], kind)}]'"
    else:
        fault = f"hold {len(objects)} values besides {in_words(0, kind)}"
        advice = (
            f"Say which are the object: --set 'data.foreground=[{written(objects[0], kind)}]' (one or more), or "
            "--set data.foreground=nonzero for all of them"
        )
        if names:
            known = ", ".join(f"{name} ({numbered(values)})" for name, values in names.items())
            advice += f"; dataset.json calls them {known}"
    return UserError(
        f"A mask has one value for the object and black for the rest, but the masks in {folder} {fault}: {found}. "
        f"{advice}."
    )


def listed(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], kind: Kind, names: Names) -> str:
    """`0 (93.1 % of the pixels, in 8 of 8 masks), 1 (...)`, the most frequent values first."""
    everything = max(1, sum(entry.pixels for entry in totals.values()))
    shown = sorted(totals, key=lambda value: -totals[value].pixels)[:LISTED]
    more = f" and {len(totals) - LISTED} more" if len(totals) > LISTED else ""
    by_value = {numbers[0]: f" {name}" for name, numbers in names.items() if len(numbers) == 1}
    return (
        ", ".join(
            f"{in_words(value, kind)}{by_value.get(int(value), '')} ({100 * totals[value].pixels / everything:.1f} % "
            f"of the pixels, in {totals[value].masks} of {len(masks)} masks)"
            for value in shown
        )
        + more
    )


def numbered(values: Sequence[int]) -> str:
    """`1, 2`."""
    return ", ".join(map(str, values))


def listed_plainly(values: Sequence[Value], kind: Kind) -> str:
    """`1 and 2`."""
    return " and ".join(in_words(value, kind) for value in values)


def in_words(value: Value, kind: Kind) -> str:
    """A value as people write it: `255`, or the colour `#ff0000`."""
    return f"#{int(value):06x}" if kind == "colours" else f"{value:g}"


def written(value: Value, kind: Kind) -> str:
    """A value as a setting holds it."""
    return f'"{in_words(value, kind)}"' if kind == "colours" else in_words(value, kind)


def common_folder(paths: Iterable[Path]) -> Path:
    """The folder of all paths, or of the first where they have several."""
    folders = sorted({path.parent for path in paths})
    return folders[0] if len(folders) == 1 else folders[0].parent


def count_of(number: int, noun: str) -> str:
    """`1 other value`, `2 other values`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
