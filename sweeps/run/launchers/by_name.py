"""The launchers by their names, and how many workers a sweep may have."""

from __future__ import annotations

from sweeps.run.launchers.contract import Launcher
from sweeps.spec.search_section import Search
from trainer.errors import UserError


def check_workers(workers: int | None, search: Search, launcher: Launcher) -> int:
    """How many workers; None: as many as the launcher has room for, or the one that KerasTuner takes. Raises
    `UserError` for less than one, and for more where KerasTuner searches.
    """
    one_process_only = search.engine == "keras-tuner"
    if workers is None:
        return 1 if one_process_only else launcher.default_workers()
    if workers < 1:
        raise UserError(f"--workers must be at least 1, but got {workers}.")
    if one_process_only and workers > 1:
        raise UserError(
            f"--workers must be 1 where 'search.engine' is 'keras-tuner', but got {workers}: KerasTuner's searches "
            "know one process only. Leave --workers out, or set search.engine=optuna."
        )
    return workers
