"""The values that settings name: numbers, colours, or names of `dataset.json`."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageColor

from trainer.data.masks.kinds import Names
from trainer.data.masks.values import Kind
from trainer.errors import UserError


def asked_values(settings: Sequence[int | str], key: str, kind: Kind, names: Names) -> tuple[float, ...]:
    """The values that a setting names: numbers, colours, or names from `dataset.json`; `UserError` for others."""
    values: list[float] = []
    for setting in settings:
        if isinstance(setting, str) and setting in names:
            values.extend(map(float, names[setting]))
        elif isinstance(setting, str) and kind == "colours":
            values.append(float(colour_value(setting, key)))
        elif isinstance(setting, str) and setting.isdecimal():
            values.append(float(setting))
        elif isinstance(setting, str):
            known = f"the names {', '.join(names)}" if names else "numbers: no dataset.json names them"
            raise UserError(
                f"'{key}' must hold values of the masks, but got '{setting}', and their values are {known}."
            )
        elif kind == "colours":
            raise UserError(
                f'\'{key}\' must hold colours, such as "#ff0000" or "red", because these masks are in colour, but got '
                f"{setting}."
            )
        else:
            values.append(float(setting))
    return tuple(values)


def named_ignored(names: Names | None) -> tuple[float, ...]:
    """The label that a data set itself calls `ignore`, as nnU-Net does."""
    return tuple(map(float, names["ignore"])) if names and "ignore" in names else ()


def colour_value(colour: str, key: str) -> int:
    """0xRRGGBB of `#ff0000`, `red` and the like."""
    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError as error:
        raise UserError(f"'{key}' must hold colours, such as \"#ff0000\" or \"red\", but got '{colour}'.") from error
    return red << 16 | green << 8 | blue
