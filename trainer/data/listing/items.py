"""A file as a layout, or the names in a folder, read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One file as a layout reads it: `name` joins image and mask, `part` tells several masks of one image apart.

    `title`: the name of the case, where it is another than the one that joins.
    """

    name: str
    path: Path
    label: str = ""
    part: str = ""
    title: str = ""
    patient: str = ""


Items = tuple[list[Item], list[Item]]
