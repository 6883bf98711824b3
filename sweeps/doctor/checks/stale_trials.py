"""Trials of a study that run without a sign of life: no worker of their sweep is alive."""

from __future__ import annotations

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from sweeps.engines import optuna_queue

KIND = "stale trial"


def stale_trials(look: Look) -> list[Finding]:
    """One finding for each study that has such trials."""
    return [
        _stale(look, study, [number for of, number in look.studies.running if of == study])
        for study in sorted({study for study, _ in look.studies.running})
        if look.abandoned(study)
    ]


def _stale(look: Look, study: str, numbers: list[int]) -> Finding:
    url = look.home.storage_url
    return Finding(
        KIND,
        f"study {study}",
        f"trials {', '.join(map(str, numbers[:8]))}{', ...' if len(numbers) > 8 else ''} ({len(numbers)}) count as "
        "running, but no worker is alive",
        "put them back on the list",
        look.unless_at_work(study, lambda: optuna_queue.release(url, study)),
    )
