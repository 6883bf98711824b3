"""The report of a sweep, or of two side by side, made again from MLflow alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.environment.home import find_home
from sweeps.environment.terminal import tell
from trainer.errors import UserError
from trainer.files import write_atomically

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker


def make_report(root: Path, sweep: str | None, other: str | None, form: str, out: Path | None) -> None:
    """Write it, with the figures into `out` where that is given; json, csv and markdown are else printed.

    `root` is the home, `sweep` the newest by default. Raises `UserError` for an unknown `form`, home or sweep.
    """
    from tracking.report.formats import SUFFIX
    from tracking.store.writer import Tracker

    if form not in SUFFIX:
        raise UserError(f"--format must be one of {', '.join(SUFFIX)}, but got '{form}'.")
    home = find_home(root)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    pictures = out is not None or form == "html"
    if other is None:
        name, text, drawn = _one(tracker, sweep, form, pictures=pictures, figures=out is not None)
    else:
        name, text, drawn = _two(tracker, sweep, other, form, figures=out is not None)
    if not pictures:
        sys.stdout.write(text)
        return
    path = (out or home.report(name)) / f"report{SUFFIX[form]}"
    _write({path: text.encode()})
    tell(f"Report: {path}")
    if out is not None:
        _write({out / file: picture for file, picture in drawn.items()})
        tell(f"Figures: {out}/*.svg, *.png")


Made = tuple[str, str, Mapping[str, bytes]]  # what the report is called, its text, file name -> figure


def _one(tracker: Tracker, sweep: str | None, form: str, *, pictures: bool, figures: bool) -> Made:
    """The report of one sweep, read and summarised once; `pictures`: whether it shows any."""
    from tracking.report import formats
    from tracking.report.shown_images import with_images
    from tracking.summary.sweep import summarise

    record = tracker.read_sweep(sweep)
    if pictures:
        record = with_images(tracker, record)
    summary = summarise(record)
    drawn = formats.figures(summary, record) if figures else {}
    return summary.sweep, formats.render(summary, record, form), drawn


def _two(tracker: Tracker, sweep: str | None, other: str, form: str, *, figures: bool) -> Made:
    """The report of two sweeps side by side."""
    from tracking.report import formats
    from tracking.summary.two_sweeps import compare_sweeps

    two = compare_sweeps(tracker.read_sweep(sweep), tracker.read_sweep(other))
    drawn = formats.figures_of_two(two) if figures else {}
    return " against ".join(one.sweep for one in two.sweeps), formats.render_two(two, form), drawn


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        write_atomically(path, lambda file, content=content: file.write(content))  # type: ignore[misc]
