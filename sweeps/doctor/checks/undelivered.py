"""Records in the spools of a home that MLflow does not have yet. They are delivered, never repaired."""

from __future__ import annotations

import time

from sweeps.doctor.disk_use import written
from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from sweeps.environment.home_format import counted
from sweeps.environment.machine import duration
from tracking.recording import spool

KIND = "not delivered"
ON_ITS_WAY = 60.0  # seconds; a living worker delivers within them where MLflow answers


def undelivered(look: Look) -> list[Finding]:
    """One finding for each worker whose spool holds records; of a living one only where they have waited."""
    now = time.time()
    found = spool.undelivered(look.home.root)
    return [_finding(one, now) for one in found if not one.alive or now - one.oldest > ON_ITS_WAY]


def _finding(left: spool.Undelivered, now: float) -> Finding:
    records = f"{counted(left.count, 'record')} ({written(left.size)}) of sweep {left.sweep}"
    age = duration(max(0.0, now - left.oldest))
    if left.alive:
        remedy = "wait: the worker that wrote them is alive, and delivers them when MLflow answers"
    else:
        remedy = (
            f"run `thaw worker {left.sweep}`, or the sweep's command, with this home: its next worker delivers them"
        )
    return Finding(KIND, f"spool/{left.sweep}/{left.worker}", f"{records}, the oldest {age} old", remedy)
