"""Runs in MLflow that count as running though no worker is alive: a sweep's own and those of its trials."""

from __future__ import annotations

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from sweeps.environment.home_format import counted
from tracking.store.run_facts import RunFact

KIND = "dead run"


def dead_runs(look: Look) -> list[Finding]:
    """One finding for each sweep that has such runs."""
    sweeps = [run for run in look.runs or () if run.sweep and run.active]
    return [finding for sweep in sweeps if (finding := _dead(look, sweep)) is not None]


def _dead(look: Look, sweep: RunFact) -> Finding | None:
    running = [run for run in look.runs or () if run.active and run.status == "RUNNING"]
    trials = [run for run in running if run.parent == sweep.run_id and run.kind == "trial"]
    if (sweep not in running and not trials) or not look.abandoned(sweep.sweep):
        return None
    what = [f"{counted(len(trials), 'trial')} ({_some([run.name for run in trials])})"] if trials else []
    what += ["the sweep's own run"] if sweep in running else []
    return Finding(
        KIND,
        f"sweep {sweep.sweep}",
        f"{' and '.join(what)} counted as running in MLflow, but no worker is alive",
        "close them as lost (KILLED); the sweep's command goes on with them",
        look.unless_at_work(sweep.sweep, lambda: look.tracker().close_lost(sweep.run_id)),
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
