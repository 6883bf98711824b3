"""Workers wait for a database that is away, at their start, too, and say so."""

from __future__ import annotations

from collections.abc import Callable

from trainer.stopping import StopAsked, never


def wait_for_database(url: str, say: Callable[[str], None], stop_asked: StopAsked = never) -> None:
    """Let this process wait for the database at `url` whenever it is away; `say` is told when it goes and comes. While
    it waits, `stop_asked` is asked, and `Preempted` raised.
    """
    from sweeps.locks.contact import contact_with  # SQLAlchemy takes a moment

    contact = contact_with(url)
    contact.say, contact.stop_asked, contact.waits_at_first = say, stop_asked, True
