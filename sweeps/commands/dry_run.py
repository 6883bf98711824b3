"""A dry run: the pictures are read and one step is trained, so that what a sweep would do and take can be said."""

from __future__ import annotations

from rich.table import Table

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.run.blocks import network_space
from sweeps.spec.load import Spec
from sweeps.strategies.propose import check_budget


def rehearse(spec: Spec, home: Home, board: Board, workers: int) -> None:
    """Say what would run and how long it would take; train nothing. Raises `UserError` as the sweep itself would."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    from sweeps.run.estimate import dry_run_lines, estimate
    from sweeps.run.prepare import read_cases
    from sweeps.run.user_network import with_network

    spec, said = with_network(spec, home)
    for line in said:
        board.say(line)
    check_budget(spec.search, network_space(spec), spec.settings)
    cases, _ = read_cases(spec, home, board)
    with board.stage("starting a process that trains one step") as step:
        found = estimate(spec, len(cases), workers, lambda words: step(0, None, words))
    for line in dry_run_lines(spec, found, home.root):
        board.say(line)
    table = Table("mask", "trainable parameters")
    for mask, parameters in found.parameters.items():
        table.add_row(mask, f"{parameters:,}")
    board.console.print(table)
