"""Workers wait for a database that is away, at their start, too, and say so."""

from __future__ import annotations

from collections.abc import Callable


def wait_for_database(url: str, say: Callable[[str], None]) -> None:
    """Let this process wait for the database at `url` whenever it is away; `say` is told when it goes and comes."""
    from sweeps.locks.contact import contact_with  # SQLAlchemy takes a moment

    contact = contact_with(url)
    contact.say, contact.waits_at_first = say, True
