"""Leases in the study's database that have run out, and that nobody has taken over. They are in nobody's way."""

from __future__ import annotations

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look, wait_for_contact
from sweeps.environment.machine import duration
from sweeps.locks.database import Lease, database_locks

KIND = "stale lease"


def stale_leases(look: Look) -> list[Finding]:
    """One finding for each lease that ran out more than a grace period ago, by the database's clock."""
    return [_stale(look, lease) for lease in look.leases if not look.holds(lease)]


def _stale(look: Look, lease: Lease) -> Finding:
    url = look.home.shared_storage or ""

    def forget() -> None:
        wait_for_contact(url)
        database_locks(url).forget(lease)

    return Finding(KIND, lease.name, f"ran out {duration(lease.overdue)} ago", "delete it", forget)
