"""Layouts of other packages: functions from a folder to its pairs, found by their entry points.

A package offers one in its `pyproject.toml`, and thaw asks it as soon as the package is installed:

    [project.entry-points."thaw.layouts"]
    clinic = "clinic_data:pairs"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from pathlib import Path

from trainer.data.listing.folder import broken_links, few
from trainer.data.listing.items import Item
from trainer.data.pairing.case_table import doubled_names
from trainer.data.pairing.joining import left_out
from trainer.data.pairing.pairs import Match, Pair
from trainer.errors import UserError

GROUP = "thaw.layouts"

PairsOf = Callable[[Path], Iterable[Pair] | None]


@dataclass(frozen=True)
class Plugin:
    """A layout of another package: its name, and the function that gives a folder's pairs, or None for any other."""

    name: str
    source: EntryPoint

    @property
    def package(self) -> str:
        """The package that offers it."""
        return self.source.dist.name if self.source.dist else self.source.module


def plugins() -> tuple[Plugin, ...]:
    """The layouts that installed packages offer. Raises `UserError` where two have one name."""
    found = tuple(Plugin(one.name, one) for one in sorted(set(entry_points(group=GROUP)), key=lambda one: one.name))
    for one, other in pairwise(found):
        if one.name == other.name:
            raise UserError(
                f"A layout needs a name of its own, but {one.package} and {other.package} both offer '{one.name}'. "
                "Uninstall one of them."
            )
    return found


def read_plugin(plugin: Plugin, folder: Path) -> Match | None:
    """What a plugin finds in a folder; None where it says that the folder is none of its own.

    Raises `UserError` where the plugin fails, or returns what are no pairs of files.
    """
    try:
        function: PairsOf = plugin.source.load()
        answer = function(folder)
        pairs = None if answer is None else tuple(answer)
    except UserError:
        raise
    except Exception as error:  # anybody's code: whatever it raises is its fault, and named as that
        raise UserError(
            f"The layout '{plugin.name}' of the package {plugin.package} failed on {folder}: "
            f"{type(error).__name__}: {error}. Fix or uninstall the package."
        ) from error
    if pairs is None:
        return None
    check(plugin, pairs)
    items = [Item("", path) for pair in pairs for path in (pair.image, *pair.masks)]
    return Match(
        plugin.name,
        folder,
        tuple(pair for pair in pairs if pair.masks),
        tuple(pair.image for pair in pairs if not pair.masks),
        (),
        (),
        doubled_names(pairs),
        (f"read by the layout '{plugin.name}' of the package {plugin.package}", *left_out(folder, items)),
        broken_links(folder),
    )


def check(plugin: Plugin, pairs: tuple[Pair, ...]) -> None:
    """Raise `UserError` for an answer that is no pairs of files that are there."""
    wrong = next((pair for pair in pairs if not isinstance(pair, Pair)), None)
    if wrong is not None:
        raise UserError(
            f"A layout returns a list of trainer.data.pairing.pairs.Pair, but '{plugin.name}' of {plugin.package} "
            f"returned {type(wrong).__name__}. Fix the package."
        )
    missing = tuple(path for pair in pairs for path in (pair.image, *pair.masks) if not path.is_file())
    if missing:
        raise UserError(
            f"A layout returns files that are there, but of those of '{plugin.name}' of {plugin.package} "
            f"{len(missing)} are missing ({few(missing)}). Fix the package."
        )
