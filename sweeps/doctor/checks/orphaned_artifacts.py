"""Artifacts in the home of runs that were deleted, or that the home's database does not know."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from sweeps.doctor.disk_use import size_of, written
from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look

KIND = "orphaned artifacts"


def orphaned_artifacts(look: Look) -> list[Finding]:
    """One finding for each run's folder. Nothing where a server keeps the artifacts, or another database is named: the
    folder may be full of what that one knows.
    """
    if not look.home.own_tracking or look.runs is None:
        return []
    active = {run.run_id: run.active for run in look.runs}
    needed = " ".join(run.folds for run in look.runs if run.active)  # by a later attempt
    found = [folder for folder in look.folders if not active.get(folder.name) and folder.name not in needed]
    return [_deleted(folder) if folder.name in active else _unknown(folder) for folder in found]


def _deleted(folder: Path) -> Finding:
    size = written(size_of(folder))
    remedy = f"remove it ({size}); MLflow can then restore the run's numbers only"
    return Finding(KIND, str(folder), "its run was deleted in MLflow", remedy, partial(shutil.rmtree, folder))


def _unknown(folder: Path) -> Finding:
    """Perhaps all that is left of a run, where the database was put back from a copy: the user must know."""
    remedy = (
        f"delete it yourself ({written(size_of(folder))}), unless another database of MLflow's belongs to this home"
    )
    return Finding(KIND, str(folder), "the home's MLflow database has no such run", remedy)
