"""A dry run: the images are read and one step is trained, so that what a sweep would do and take can be said."""

from __future__ import annotations

from rich.table import Table

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.outer_part import check_choice
from sweeps.planning.resolve import look_and_resolve
from sweeps.spec.load import Spec
from sweeps.strategies.propose import check_budget


def run_dry(spec: Spec, home: Home, board: Board, workers: int) -> None:
    """Say what would run and how long it would take; train nothing. Raises `UserError` as the sweep itself would."""
    resolved, _ = look_and_resolve(spec, home, board)
    from sweeps.planning.estimate import dry_run_lines, estimate
    from sweeps.planning.prepare import read_inputs
    from sweeps.planning.starts import refuse_shared

    check_budget(resolved.search, resolved.space, resolved.listed, resolved.settings.folds)
    check_choice(resolved)
    inputs = read_inputs(resolved, home, board)
    refuse_shared(inputs.shared, None, board)
    resolved = inputs.resolved
    with board.stage("starting a process that trains one step") as step:
        costs = estimate(resolved, len(inputs.cases), workers, lambda text: step(0, None, text))
    for line in dry_run_lines(resolved.spec, costs, home.root):
        board.say(line)
    table = Table("mask", "trainable parameters")
    for mask, parameters in costs.parameters.items():
        table.add_row(mask, f"{parameters:,}")
    board.console.print(table)
