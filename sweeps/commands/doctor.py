"""`thaw doctor`: what is wrong with a home, its record and its study, and what it takes on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from sweeps.doctor.checks.examine import examine, repair
from sweeps.doctor.disk_use import Use, disk_use, written
from sweeps.doctor.finding import Finding
from sweeps.environment.home import Home, look_at_home, open_home
from sweeps.environment.home_format import counted
from sweeps.environment.terminal import Board, harmless, tell

SHOWN = 20  # findings of one kind


def run_doctor(root: Path, board: Board, *, fix: bool) -> bool:
    """Look the home over and print what is found; with `fix` repair what is safe. Whether nothing is left.

    Without `fix` nothing is written. Raises `UserError` where there is no home.
    """
    home = look_at_home(root)
    with board.bar("reading the ledger") as update:
        findings = examine(home, lambda done, total: update(completed=done, total=total))
    _show_findings(board, findings)
    _show_use(board, home, disk_use(home))
    if not fix or not findings:
        tell(_verdict(findings))
        return not findings
    open_home(root, make=False)  # it can be written, and MLflow's addresses lead into it
    left = repair(findings, lambda finding: tell(f"Repaired: {finding.kind}, {finding.where}"))
    for one in left:
        tell(f"Left: {one.finding.kind}, {one.finding.where}: {one.why}")
    tell(f"{counted(len(findings) - len(left), 'finding')} repaired, {len(left)} left.")
    return not left


def _verdict(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing is wrong."
    repairable = sum(finding.repairable for finding in findings)
    ways = f"{repairable} of them repaired by --fix" if repairable else "none of them repaired by --fix"
    return f"{counted(len(findings), 'finding')}, {ways}. Nothing was changed."


def _show_findings(board: Board, findings: Sequence[Finding]) -> None:
    rows = [
        (finding.kind, finding.where, finding.what, f"{'--fix: ' if finding.repairable else 'you: '}{finding.remedy}")
        for finding in findings
    ]
    counts = dict.fromkeys((finding.kind for finding in findings), 0)
    shown = list[tuple[str, ...]]()
    for row in rows:
        counts[row[0]] += 1
        if counts[row[0]] <= SHOWN:
            shown.append(row)
    _show(board, ("finding", "where", "what", "what repairs it"), shown)
    for kind, count in counts.items():
        if count > SHOWN:
            tell(f"... and {count - SHOWN} more of the kind '{kind}'")


def _show_use(board: Board, home: Home, uses: Sequence[Use]) -> None:
    rows = [(use.kind, f"{use.files:,}", written(use.bytes)) for use in uses]
    total = ("all", f"{sum(use.files for use in uses):,}", written(sum(use.bytes for use in uses)))
    _show(board, ("disk use", "files", "size"), [*rows, total])
    if home.record_on_server:
        tell("Artifacts lie with the MLflow server, whose disk is its own business.")


def _show(board: Board, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on a terminal, elsewhere a line each."""
    if not rows:
        return
    if not board.has_bars:
        for row in rows:
            tell(f"{row[0]}: {'; '.join(row[1:])}")
        return
    table = Table(*heads, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(harmless(cell).replace("[", r"\[") for cell in row))
    board.console.print(table)
