"""Several active runs of one trial: an attempt took it over, and died before it deleted the run of the one before."""

from __future__ import annotations

from collections import defaultdict

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from tracking.store.run_facts import RunFact

KIND = "doubled trial"


def doubled_trials(look: Look) -> list[Finding]:
    """One finding for each run that no reader counts, since another of the same trial does."""
    runs: dict[tuple[str, str], list[RunFact]] = defaultdict(list)
    for run in look.runs or ():
        if run.active and run.kind == "trial" and run.candidate:
            runs[run.parent, run.candidate].append(run)
    return [finding for several in runs.values() if len(several) > 1 for finding in _doubled(look, several)]


def _doubled(look: Look, runs: list[RunFact]) -> list[Finding]:
    sweep = next((run.sweep for run in look.runs or () if run.run_id == runs[0].parent), "")
    if not sweep or not look.abandoned(sweep):
        return []
    counting = max(runs, key=lambda run: run.rank)
    return [_finding(look, sweep, run, counting) for run in runs if run is not counting]


def _finding(look: Look, sweep: str, run: RunFact, counting: RunFact) -> Finding:
    def delete() -> None:
        look.tracker().client.delete_run(run.run_id)

    attempt = f"attempt {run.attempt}" if run.attempt >= 0 else "an attempt"
    return Finding(
        KIND,
        f"run {run.run_id}",
        f"{attempt} at {run.name} of sweep {sweep}; run {counting.run_id} counts in its place for every reader",
        "delete it in MLflow, which can restore it",
        look.unless_at_work(sweep, delete),
    )
