"""How a sweep ends: report written, MLflow run closed with the verdict, the answer printed, the winner kept."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.environment.home import DEFAULT_HOME, Home
from sweeps.environment.terminal import Board, console, tell

if TYPE_CHECKING:  # heavy
    from tracking.record import SweepRecord
    from tracking.store.writer import Tracker
    from tracking.summary.sweep import SweepSummary


@dataclass(frozen=True)
class Ended:
    """A sweep that has ended: its `record`, `summary` and `report`, and which `weights` stayed, in words."""

    tracker: Tracker
    record: SweepRecord
    summary: SweepSummary
    report: Path
    weights: tuple[str, ...]


def conclude(home: Home, name: str) -> Ended:
    """Write the report of a sweep beside its home, close its MLflow run with verdict and answer, and let go of the
    weights that have lost.
    """
    from sweeps.commands.settle_weights import settle
    from tracking.analysis.seeds import read
    from tracking.best_mask.answer import chosen_runs, conclusion
    from tracking.report.formats import render
    from tracking.report.shown_images import with_images
    from tracking.store.writer import Tracker
    from tracking.summary.sweep import summarise
    from trainer.files import write_atomically

    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    path = home.report(name) / "report.html"
    with Board(console).stage("writing the report"):
        record = with_images(tracker, tracker.read_sweep(name))
        record = replace(record, status="FINISHED")  # as it will be in a moment, with this very page
        summary = summarise(record)
        page = render(summary, record, "html")
        write_atomically(path, lambda file: file.write(page.encode()))
    reading = read(record)
    verdict_text = f"{summary.verdict.sentence} {conclusion(reading, summary.best_mask)}"
    tracker.finish_sweep(record.run_id, verdict_text, page, chosen_runs(reading, summary.best_mask))
    weights = settle(home, tracker, record, reading, summary.best_mask)
    return Ended(tracker, record, summary, path, tuple(weights))


def show(home: Home, name: str, *, searched: bool) -> None:
    """End a sweep (`conclude`); print table, answer and verdict, and of a search where to read on."""
    from tracking.analysis.seeds import read
    from tracking.best_mask.answer import why_no_choice
    from tracking.report.text import to_text

    ended = conclude(home, name)
    tell(to_text(ended.summary))
    if searched:
        more = f"More: thaw best {shlex.quote(name)}{_home_option(home)}"
        tell(f"{more if ended.summary.best_mask else why_no_choice(read(ended.record))}\n")
    for line in ended.weights:
        tell(line)
    tell(f"Report: {ended.report}")
    _tell_addresses(home, ended.tracker, ended.record.run_id)


def show_procedure(home: Home, name: str) -> None:
    """End a sweep once more, now that its outer parts are done, and print what the whole procedure scores."""
    answer = conclude(home, name).summary.best_mask
    if answer is not None and answer.nested is not None:
        tell(f"\n{answer.nested.sentence}")


def _tell_addresses(home: Home, tracker: Tracker, run_id: str) -> None:
    """Print where MLflow's pages show the sweep."""
    server, where = "", "on your server, at"
    if home.own_tracking:
        server, where = "http://127.0.0.1:5000", "make ui (or thaw ui), then open"
    trials_page, images_page = tracker.trials_page(run_id), tracker.images_page(run_id)
    tell(f"MLflow UI: {where}\n  trials    {server}{trials_page}\n  images    {server}{images_page}")


def keep_winner(home: Home, sweep: str | None, mask: str | None, name: str | None, *, automatic: bool = False) -> None:
    """Refit and register a sweep's winner, and say what became of it."""
    from sweeps.commands.champion import crown, outcome

    crowned = crown(home, Board(console), sweep, mask, name, automatic=automatic)
    if crowned is None:
        return
    for line in outcome(crowned, _home_option(home)):
        tell(line)


def _home_option(home: Home) -> str:
    """The option that leads to this home, where it is not the default one."""
    return f" --home {shlex.quote(str(home.root))}" if home.root != DEFAULT_HOME else ""
