"""Nobody starts the workers but the user: by hand, through Kubernetes, or by whatever the lab has."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import ClassVar

from sweeps.environment.home import Home
from sweeps.run.launchers.contract import Crew, Listen, Submitted
from sweeps.run.launchers.reach import check_shared


@dataclass(frozen=True)
class NoLauncher:
    """The sweep is prepared and listed, and that is all."""

    elsewhere: ClassVar[bool] = True

    @property
    def follows(self) -> bool:
        """There is nobody to follow yet."""
        return False

    def default_workers(self) -> int:
        """One of which nothing is known."""
        return 1

    def check(self, home: Home, workers: int) -> None:
        """Raise `UserError` where workers on other machines would find nothing."""
        check_shared(home, "none")

    def preview(self, crew: Crew) -> str:
        """Nothing is submitted."""
        return ""

    def launch(self, crew: Crew, listen: Listen) -> Submitted:
        """Start nothing; say what starts a worker."""
        return Submitted(
            f"'{crew.sweep}' is ready. Start workers, as many as you like, on any machine that has thaw and the "
            "variables THAW_STORAGE and MLFLOW_TRACKING_URI of this one:\n"
            f"  worker    thaw worker {shlex.quote(crew.sweep)}\n"
            f"  report    thaw report {shlex.quote(crew.sweep)}     (at any moment: what is recorded so far)\n"
            "When all have ended, this command once more closes the sweep: report, weights, champion."
        )
