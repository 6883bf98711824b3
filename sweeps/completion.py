"""What the shell completes: names of specs, sweeps, masks and formats. It runs at every press of the tab key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SPECS = Path(__file__).parent / "spec"
MASKS = ("all", "contracting", "expanding")


def starting_with(names: Iterable[str], text: str) -> Iterator[str]:
    """The names that begin with `text`, sorted."""
    return (name for name in sorted(names) if name.startswith(text))


def completer_of(*names: str) -> Callable[[str], list[str]]:
    """A completer that offers these names."""

    def complete(incomplete: str) -> list[str]:
        return list(starting_with(names, incomplete))

    return complete


def spec_names(incomplete: str) -> list[str]:
    """The specs that come with thaw; where none fits, the shell offers files."""
    return list(starting_with((path.stem for path in SPECS.glob("*.toml")), incomplete))


def sweep_names(home: Path, incomplete: str) -> list[str]:
    """The sweeps that were begun in a home, read off its folders: opening MLflow would take seconds."""
    return list(starting_with((path.parent.name for path in home.glob("sweeps/*/plan.json")), incomplete))
