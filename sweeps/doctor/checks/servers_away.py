"""Servers that do not answer. What they hold is not judged; what lies in the home still is."""

from __future__ import annotations

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look

KIND = "server away"
REMEDY = "start it, or correct its address, and look again: what it holds was not looked at"


def servers_away(look: Look) -> list[Finding]:
    """One finding for each server that was asked in vain."""
    return [Finding(KIND, server, said, REMEDY) for server, said in look.away]
