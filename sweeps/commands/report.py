"""The report of a sweep, or of two side by side, made again from MLflow alone."""

from __future__ import annotations

import sys
from pathlib import Path

from sweeps.environment.home import find_home
from sweeps.environment.terminal import tell
from trainer.errors import UserError
from trainer.files import write_atomically


def make_report(root: Path, sweep: str | None, other: str | None, form: str, out: Path | None) -> None:
    """Write it, with the figures into `out` where that is given; json, csv and markdown are else printed.

    `root` is the home, `sweep` the newest by default. Raises `UserError` for an unknown `form`, home or sweep.
    """
    from tracking.report.formats import SUFFIX, figures, figures_of_two, render, render_two
    from tracking.report.shown_images import with_pictures
    from tracking.store.writer import Tracker

    if form not in SUFFIX:
        raise UserError(f"--format must be one of {', '.join(SUFFIX)}, but got '{form}'.")
    home = find_home(root)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    record = tracker.read_sweep(sweep)
    second = None if other is None else tracker.read_sweep(other)
    if second is None and (out is not None or form == "html"):
        record = with_pictures(tracker, record)
    text = render(record, form) if second is None else render_two(record, second, form)
    if out is None and form != "html":
        sys.stdout.write(text)
        return
    name = record.info.name if second is None else f"{record.info.name} against {second.info.name}"
    path = (out or home.report(name)) / f"report{SUFFIX[form]}"
    write_atomically(path, lambda file: file.write(text.encode()))
    tell(f"Report: {path}")
    if out is not None:
        drawn = figures(record) if second is None else figures_of_two(record, second)
        for file_name, picture in drawn.items():
            write_atomically(out / file_name, lambda file, picture=picture: file.write(picture))  # type: ignore[misc]
        tell(f"Figures: {out}/*.svg, *.png")
