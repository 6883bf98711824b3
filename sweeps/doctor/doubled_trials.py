"""Several active runs of one trial: an attempt took it over, and died before it deleted the run of the one before."""

from __future__ import annotations

from collections import defaultdict

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from tracking.store.run_facts import RunFact

KIND = "doubled trial"


def doubled_trials(look: Look) -> list[Finding]:
    """One finding for each run that no reader counts, since a later attempt has one."""
    runs: dict[tuple[str, str], list[RunFact]] = defaultdict(list)
    for run in look.runs or ():
        if run.active and run.kind == "trial" and run.candidate:
            runs[run.parent, run.candidate].append(run)
    return [finding for several in runs.values() if len(several) > 1 for finding in _doubled(look, several)]


def _doubled(look: Look, runs: list[RunFact]) -> list[Finding]:
    sweep = next((run.sweep for run in look.runs or () if run.run_id == runs[0].parent), "")
    if not sweep or not look.abandoned(sweep):
        return []
    last = max(_number(run) for run in runs)
    return [_finding(look, sweep, run, last) for run in runs if _number(run) < last] or [_unclear(sweep, runs)]


def _number(run: RunFact) -> int:
    return -1 if run.attempt is None else run.attempt


def _finding(look: Look, sweep: str, run: RunFact, last: int) -> Finding:
    def delete() -> None:
        look.tracker().client.delete_run(run.run_id)

    attempt = "without a number" if run.attempt is None else str(run.attempt)
    return Finding(
        KIND,
        f"run {run.run_id}",
        f"attempt {attempt} at {run.name} of sweep {sweep}, after which attempt {last} came; no reader counts it",
        "delete it in MLflow, which can restore it",
        look.unless_at_work(sweep, delete),
    )


def _unclear(sweep: str, runs: list[RunFact]) -> Finding:
    return Finding(
        KIND,
        f"sweep {sweep}",
        f"{len(runs)} runs of {runs[0].name} have the same attempt: {', '.join(run.run_id for run in runs)}",
        "delete all but one of them in MLflow",
    )
