"""The report of a sweep, or of several side by side, made again from MLflow alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.environment.home import Home, can_be_written, find_home
from sweeps.environment.streams import write_data
from sweeps.environment.terminal import Board, Output, tell
from trainer.errors import UserError
from trainer.files import write_atomically

if TYPE_CHECKING:  # heavy
    from tracking.record import SweepRecord
    from tracking.store.writer import Tracker


def make_report(root: Path, sweep: str | None, others: Sequence[str], form: str, out: Path | None) -> None:
    """Write the report, and its figures into `out` where that is given; else json, csv and markdown are printed.

    `root` is the home, `sweep` the newest by default. Raises `UserError` for an unknown `form`, home or sweep.
    """
    from tracking.report.formats import SUFFIX

    if form not in SUFFIX:
        raise UserError(f"--format must be one of {', '.join(SUFFIX)}, but got '{form}'.")
    home = find_home(root)
    from tracking.store.writer import Tracker  # after it: what is wrong with the home is said before seconds of imports

    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    shows_images = out is not None or form == "html"
    if not others:
        name, text, figure_files = _render_one(tracker, sweep, form, shows_images=shows_images, figures=out is not None)
    elif len(others) == 1:
        name, text, figure_files = _render_two(tracker, sweep, others[0], form, figures=out is not None)
    else:
        name, text, figure_files = _render_many(tracker, [str(sweep), *others], form)
    if not shows_images:
        write_data(text) if form in DATA else tell(text.removesuffix("\n"))
        return
    path = (out or _default_folder(home, name)) / f"report{SUFFIX[form]}"
    _write({path: text.encode()})
    tell(f"Report: {path}")
    if out is not None:
        _write({out / file: content for file, content in figure_files.items()})
        tell(f"Figures: {out}/*.svg, *.png")


def _default_folder(home: Home, name: str) -> Path:
    """The report's place in the home; below the current folder for a home that can only be read."""
    if not home.root.exists() or can_be_written(home.root):
        return home.report(name)
    tell(f"The home {home.root} can only be read, so the report goes into the current folder; --out names another.")
    return Path("reports") / name


LONGEST_FOLDER = 120  # letters
DATA = ("json", "csv")  # formats that programs read

Rendered = tuple[str, str, Mapping[str, bytes]]  # the report's name, its text, file name -> figure


def _render_one(tracker: Tracker, sweep: str | None, form: str, *, shows_images: bool, figures: bool) -> Rendered:
    """The report of one sweep, read and summarised once; `shows_images`: whether images are read for it."""
    from tracking.report import formats
    from tracking.report.shown_images import with_images
    from tracking.summary.sweep import summarise

    board = Board(Output(stderr=True))  # what is printed may be read by a program
    with board.reading("reading the trials") as step:
        record = tracker.read_sweep(sweep, step)
    if shows_images:
        with board.reading("reading the images"):
            record = with_images(tracker, record)
    with board.reading("comparing the trials"):
        summary = summarise(record)
    with board.reading("writing tables and figures"):
        figure_files = formats.figures(summary, record) if figures else {}
        return summary.sweep, formats.render(summary, record, form), figure_files


def _render_two(tracker: Tracker, sweep: str | None, other: str, form: str, *, figures: bool) -> Rendered:
    """The report of two sweeps side by side; of networks with other blocks their best masks alone."""
    from tracking.report import formats
    from tracking.summary.many_sweeps import are_other_networks
    from tracking.summary.two_sweeps import compare_sweeps

    board = Board(Output(stderr=True))
    with board.reading("reading the trials of the first sweep") as step:
        one = tracker.read_sweep(sweep, step)
    with board.reading("reading the trials of the other") as step:
        two = tracker.read_sweep(other, step)
    if are_other_networks(one, two):
        return _compared((one, two), form, board)
    with board.reading("comparing the sweeps"):
        comparison = compare_sweeps(one, two)
    with board.reading("writing tables and figures"):
        figure_files = formats.figures_of_two(comparison) if figures else {}
        names = " against ".join(summary.sweep for summary in comparison.sweeps)
        return names, formats.render_two(comparison, form), figure_files


def _render_many(tracker: Tracker, names: Sequence[str], form: str) -> Rendered:
    """The report of three or more sweeps side by side; its figure stands on the page."""
    board, records = Board(Output(stderr=True)), []
    for name in names:
        with board.reading(f"reading the trials of {name}") as step:
            records.append(tracker.read_sweep(name, step))
    return _compared(records, form, board)


def _compared(records: Sequence[SweepRecord], form: str, board: Board) -> Rendered:
    """The best masks of sweeps on the same folds."""
    from tracking.report import formats
    from tracking.summary.many_sweeps import compare_many

    with board.reading("comparing the sweeps"):
        many = compare_many(records)
    names = " against ".join(record.info.name for record in records)
    return names[:LONGEST_FOLDER], formats.render_many(many, form), {}


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        write_atomically(path, lambda file, content=content: file.write(content))  # type: ignore[misc]
