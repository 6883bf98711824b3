"""Everything that is looked for, in the order in which it is told, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sweeps.doctor.checks.damaged_data import damaged_images, damaged_networks
from sweeps.doctor.checks.damaged_databases import damaged_databases
from sweeps.doctor.checks.damaged_ledger import Step, damaged_ledger
from sweeps.doctor.checks.dead_runs import dead_runs
from sweeps.doctor.checks.doubled_trials import doubled_trials
from sweeps.doctor.checks.half_written import half_written
from sweeps.doctor.checks.orphaned_artifacts import orphaned_artifacts
from sweeps.doctor.checks.servers_away import servers_away
from sweeps.doctor.checks.stale_leases import stale_leases
from sweeps.doctor.checks.stale_trials import stale_trials
from sweeps.doctor.checks.undelivered import undelivered
from sweeps.doctor.finding import Finding
from sweeps.doctor.look import look
from sweeps.environment.home import Home
from trainer.errors import UserError

QUICK = (
    *(servers_away, damaged_databases, dead_runs, doubled_trials, stale_trials, stale_leases, half_written),
    *(damaged_images, damaged_networks, undelivered, orphaned_artifacts),
)


def examine(home: Home, step: Step = lambda done, total: None) -> list[Finding]:
    """All findings; nothing is written anywhere. `step(done, total)` follows the reading of the ledger."""
    seen = look(home)
    found = [finding for check in QUICK for finding in check(seen)]
    return [*found, *damaged_ledger(seen, step)]


@dataclass(frozen=True)
class Left:
    """A finding that was not repaired, and why."""

    finding: Finding
    why: str


def repair(findings: Iterable[Finding], say: Callable[[Finding], object] = lambda finding: None) -> list[Left]:
    """Repair what is safe; what is left. `say` is told of each that was repaired."""
    left = list[Left]()
    for finding in findings:
        if finding.repair is None:
            left.append(Left(finding, f"only you can repair this: {finding.remedy}"))
            continue
        try:
            finding.repair()
        except (UserError, OSError) as error:
            left.append(Left(finding, str(error)))
        else:
            say(finding)
    return left
