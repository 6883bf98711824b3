"""How a sweep ends: report written, MLflow run closed with the verdict, the answer printed, the winner kept."""

from __future__ import annotations

import shlex
from dataclasses import replace

from sweeps.environment.home import DEFAULT_HOME, Home
from sweeps.environment.terminal import Board, console, tell


def show(home: Home, name: str, *, searched: bool) -> None:
    """Write the report of a sweep beside its home, close its MLflow run with the verdict, print table and verdict, and
    of a search its answer.
    """
    from sweeps.commands.best import sentence_of
    from tracking.analysis.summary import summarise
    from tracking.report.formats import render, to_text
    from tracking.report.shown_images import with_pictures
    from tracking.store.writer import Tracker
    from trainer.files import write_atomically

    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    path = home.report(name) / "report.html"
    with Board(console).stage("writing the report"):
        record = with_pictures(tracker, tracker.read_sweep(name))
        record = replace(record, status="FINISHED")  # as it will be in a moment, with this very page
        found = summarise(record)
        page = render(record, "html")
        write_atomically(path, lambda file: file.write(page.encode()))
    sentences = [found["verdict"]["sentence"], *([sentence_of(record)] if searched else [])]
    tracker.finish_sweep(record.run_id, " ".join(sentences), page)
    tell(to_text(found))
    if searched:
        tell(f"{sentences[-1]}\nMore: thaw best {shlex.quote(name)}{_there(home)}\n")
    tell(f"Report: {path}")
    server, how = "", "on your server, at"
    if home.own_tracking:
        server, how = "http://127.0.0.1:5000", "make ui (or thaw ui), then open"
    trials, pictures = tracker.trials_page(record.run_id), tracker.pictures_page(record.run_id)
    tell(f"MLflow UI: {how}\n  trials    {server}{trials}\n  pictures  {server}{pictures}")


def keep_winner(home: Home, sweep: str | None, mask: str | None, name: str | None, *, automatic: bool = False) -> None:
    """Refit and register a sweep's winner, and say what became of it."""
    from sweeps.commands.champion import crown, outcome

    crowned = crown(home, Board(console), sweep, mask, name, automatic=automatic)
    if crowned is None:
        return
    for line in outcome(crowned, _there(home)):
        tell(line)


def _there(home: Home) -> str:
    """The option that leads to this home, where it is not the default one."""
    return f" --home {shlex.quote(str(home.root))}" if home.root != DEFAULT_HOME else ""
