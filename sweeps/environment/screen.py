"""The terminal: lines as they are, and what went wrong in red on standard error."""

from __future__ import annotations

from rich.console import Console

console = Console()


def tell(words: str) -> None:
    """A line as it is: names and paths may hold what rich would take for markup, and must not be wrapped."""
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def complain(words: str) -> None:
    """What the user has to mend."""
    Console(stderr=True).print(words, highlight=False, markup=False, soft_wrap=True, style="bold red")
