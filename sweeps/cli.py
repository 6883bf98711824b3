"""The command line. Every command imports what it needs when it runs: `thaw --help` must stay under a second."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from trainer.config import UserError

app = typer.Typer(
    help="Which blocks of a pre-trained U-Net should be fine-tuned on your data? Measured, not guessed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at a data set before training on it.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Home = Annotated[Path, typer.Option(help="Where all state lives: MLflow, Optuna, ledger.", envvar="THAW_HOME")]
DEFAULT_HOME = Path("runs")
console = Console()


def main() -> None:
    """Run the command line. Exit codes: 2 a user's mistake, 3 trials without a score, 130 stopped, 1 a bug."""
    try:
        app()
    except UserError as error:
        _complain(str(error))
        sys.exit(2)


def _tell(words: str) -> None:
    """A line as it is: names and paths may hold what rich would take for markup, and must not be wrapped."""
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def _complain(words: str) -> None:
    Console(stderr=True).print(words, highlight=False, markup=False, soft_wrap=True, style="bold red")


@app.command()
def run(
    spec: Annotated[
        str,
        typer.Argument(help="ultrasound, xray, paper-ultrasound, paper-xray, smoke, or a TOML file."),
    ],
    data: Annotated[str | None, typer.Option(help="Folder of images and masks; none: embedded synthetic.")] = None,
    pretrain: Annotated[str | None, typer.Option(help="Folder to pre-train on, or a weights file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. search.epochs=[6,12].")] = None,
    workers: Annotated[int | None, typer.Option(help="Single-threaded processes; default one per core.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the sweep; default made from spec and data.")] = None,
    home: Home = DEFAULT_HOME,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed trials again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and how long; train nothing.")] = False,
) -> None:
    """Run a sweep, or go on with it, then print the table and the verdict."""
    from sweeps.home import open_home
    from sweeps.launch import WorkerCrashed, default_workers
    from sweeps.spec import load_spec
    from sweeps.sweep import check_name, check_workers

    chosen = load_spec(spec, sets=set_ or [], data=data, pretrain=pretrain)
    count = check_workers(default_workers() if workers is None else workers)
    name = check_name(name)
    opened = open_home(home)
    if dry_run:
        _dry_run(chosen, opened, count)
        return
    from sweeps.board import Board
    from sweeps.sweep import run_sweep

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's scheduler stops a job like Ctrl-C does
    try:
        outcome = run_sweep(chosen, opened, Board(console), workers=count, name=name, retry_failed=retry_failed)
    except WorkerCrashed as crash:
        _complain(str(crash))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _complain("Stopped. What is finished is kept; the same command goes on from there.")
        raise typer.Exit(130) from None
    _show(opened, outcome.name)
    if chosen.champion:
        _crown(opened, outcome.name, None, None, automatic=True)
    if outcome.failed:
        _complain(f"{len(outcome.failed)} trials have no score: {'; '.join(outcome.failed[:5])}. See the report.")
        raise typer.Exit(3)


def _dry_run(chosen: Any, opened: Any, workers: int) -> None:
    from sweeps.backend import prepare_backend

    prepare_backend()
    from sweeps.board import Board
    from sweeps.estimate import dry_run_lines, estimate
    from trainer.data import load_cases

    board = Board(console)
    with board.stage("reading pictures") as step:
        cases = load_cases(chosen.settings.data, chosen.settings.model.size, opened.data, progress=step)
    for note in cases.notes:
        board.say(f"Note: {note}")
    with board.stage("starting a process that trains one step") as step:
        found = estimate(chosen, len(cases), workers, lambda words: step(0, None, words))
    for line in dry_run_lines(chosen, found, opened.root):
        board.say(line)
    table = Table("mask", "trainable parameters")
    for mask, parameters in found.parameters.items():
        table.add_row(mask, f"{parameters:,}")
    console.print(table)


def _show(opened: Any, name: str) -> None:
    """Write the report of a sweep beside its home, close its MLflow run with the verdict, print table and verdict."""
    from tracking.report import render, to_text
    from tracking.runs import Tracker
    from tracking.seen import with_pictures
    from tracking.summary import summarise
    from trainer.files import write_atomically

    tracker = Tracker.connect(opened.tracking_uri, opened.artifact_folder)
    record = with_pictures(tracker, tracker.read_sweep(name))
    record = replace(record, status="FINISHED")  # as it will be in a moment, with this very page
    found = summarise(record)
    page = render(record, "html")
    path = opened.report(name) / "report.html"
    write_atomically(path, lambda file: file.write(page.encode()))
    tracker.finish_sweep(record.run_id, found["verdict"]["sentence"], page)
    _tell(to_text(found))
    _tell(f"Report: {path}")
    server, how = "", "on your server, at"
    if opened.own_tracking:
        server, how = "http://127.0.0.1:5000", "make ui (or thaw ui), then open"
    trials, pictures = tracker.trials_page(record.run_id), tracker.pictures_page(record.run_id)
    words = f"MLflow UI: {how}\n  trials    {server}{trials}\n  pictures  {server}{pictures}"
    _tell(words)


@app.command()
def champion(
    sweep: Annotated[str | None, typer.Argument(help="Name of the sweep; default: the newest.")] = None,
    mask: Annotated[str | None, typer.Option(help="Refit this mask instead of the highest, e.g. 1-5.")] = None,
    name: Annotated[str | None, typer.Option(help="Name to register under; default that of the data set.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Refit a sweep's winner on all pictures and register it in MLflow as the data set's champion."""
    from sweeps.home import open_home

    _crown(open_home(home), sweep, mask, name)


def _crown(opened: Any, sweep: str | None, mask: str | None, name: str | None, *, automatic: bool = False) -> None:
    from sweeps.board import Board
    from sweeps.champion import crown, outcome

    crowned = crown(opened, Board(console), sweep, mask, name, automatic=automatic)
    if crowned is None:
        return
    there = f" --home {shlex.quote(str(opened.root))}" if opened.root != DEFAULT_HOME else ""
    for line in outcome(crowned, there):
        _tell(line)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A .keras file, or a registered model: models:/name@champion.")],
    images: Annotated[Path, typer.Argument(help="A picture, or a folder of pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for masks and overlays.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Write masks (PNG, in the size of the pictures) and overlays."""
    from sweeps.board import Board
    from sweeps.predict import predict_pictures

    count = predict_pictures(model, images, out, home, Board(console))
    words = "picture" if count == 1 else "pictures"
    console.print(
        f"{count} {words}: {out / 'masks'}, {out / 'overlays'}", highlight=False, markup=False, soft_wrap=True
    )


@app.command()
def masks(
    model: Annotated[Path | None, typer.Argument(help="A .keras file; none: the study's U-Net.")] = None,
    size: Annotated[int, typer.Option(help="Input side of the built-in U-Net in pixels.")] = 256,
    filters: Annotated[int, typer.Option(help="Filters of its first block.")] = 64,
    unit: Annotated[str, typer.Option(help="What a mask counts: block or conv.")] = "block",
    head: Annotated[str, typer.Option(help="Where the head trains: last, always or own.")] = "last",
) -> None:
    """Print a network's blocks, layers, depths, parameters and the named masks."""
    from sweeps.backend import prepare_backend
    from sweeps.rules import partition_of

    units = partition_of(unit, head)
    prepare_backend()
    from sweeps.describe import model_tables

    for part in model_tables(model, size, filters, units):
        console.print(part)


@app.command()
def visualize(
    network: Annotated[
        str | None,
        typer.Argument(help="Name of a sweep, a .keras model, or the .weights.h5 of a U-Net; default: newest sweep."),
    ] = None,
    mask: Annotated[str | None, typer.Option(help="Of a sweep: the trial to show, e.g. 1-5; default: best.")] = None,
    after: Annotated[Path | None, typer.Option(help="Of a file: other weights of it, or a fold_K.npz on it.")] = None,
    blocks: Annotated[str | None, typer.Option(help="Such as 1-3,9 or contracting; default: all.")] = None,
    filters: Annotated[int | None, typer.Option(min=1, help="How many of each block; default at most 8.")] = None,
    only: Annotated[str | None, typer.Option(help="Filter numbers from 0 instead, such as 0,3,7.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Pictures for the data maximum; default: the sweep's, of a file synthetic ones.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Side of the pictures; default the network's.")] = None,
    width: Annotated[int, typer.Option(min=1, help="For weights: filters of the U-Net's first block.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same pictures.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the contact sheet goes.")] = Path("neurons.png"),
    home: Home = DEFAULT_HOME,
) -> None:
    """Draw what excites chosen neurons most (activation maximisation), before and after training, as one picture."""
    from sweeps.backend import prepare_backend
    from sweeps.board import Board
    from sweeps.home import find_home
    from sweeps.neurons import Wish, draw_file, draw_sweep, is_file
    from trainer.files import write_atomically

    wish = Wish(blocks, filters, only, size, width, seed)
    if is_file(network):
        if mask is not None:
            raise UserError("--mask chooses a trial of a sweep, but a file was given. Use --after with other weights.")
        prepare_backend()
        sheet = draw_file(Path(str(network)), after, data, home, Board(console), wish)
    else:
        if after is not None:
            raise UserError("--after goes with a file; a sweep shows before and after a trial: choose it with --mask.")
        opened = find_home(home)
        prepare_backend()
        sheet, shown = draw_sweep(network, mask, data, opened, Board(console), wish)
        _tell(shown)
    write_atomically(out, lambda file: file.write(sheet))
    _tell(f"Contact sheet: {out}")


@data_app.command()
def check(
    path: Annotated[Path, typer.Argument(help="Folder of images and masks.")],
    out: Annotated[Path, typer.Option(help="Where the contact sheet goes.")] = Path("contact-sheet.png"),
) -> None:
    """Say what was recognised and every problem with its file, and write a contact sheet."""
    from trainer.files import write_atomically
    from trainer.survey import contact_sheet, survey, text

    with console.status("reading every picture") if console.is_terminal else _Quiet():
        seen = survey(path)
    _tell(text(seen))
    if seen.names:
        sheet = contact_sheet(seen)
        write_atomically(out, lambda file: file.write(sheet))
        _tell(f"Contact sheet: {out}")
    if not seen.usable:
        raise typer.Exit(2)


class _Quiet:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@app.command()
def report(
    sweep: Annotated[str | None, typer.Argument(help="Name of the sweep; default: the newest.")] = None,
    other: Annotated[str | None, typer.Argument(help="A second sweep, to set the two side by side.")] = None,
    format_: Annotated[str, typer.Option("--format", help="html, json, csv or markdown.")] = "html",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report and its figures; none prints json, csv and markdown.")
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Make the report of a sweep, or of two side by side, from MLflow alone."""
    from sweeps.home import find_home
    from tracking.report import SUFFIX, figures, figures_of_two, render, render_two
    from tracking.runs import Tracker
    from tracking.seen import with_pictures
    from trainer.files import write_atomically

    if format_ not in SUFFIX:
        raise UserError(f"--format must be one of {', '.join(SUFFIX)}, but got '{format_}'.")
    opened = find_home(home)
    tracker = Tracker.connect(opened.tracking_uri, opened.artifact_folder)
    record = tracker.read_sweep(sweep)
    second = None if other is None else tracker.read_sweep(other)
    if second is None and (out is not None or format_ == "html"):
        record = with_pictures(tracker, record)
    text = render(record, format_) if second is None else render_two(record, second, format_)
    if out is None and format_ != "html":
        sys.stdout.write(text)
        return
    name = record.info.name if second is None else f"{record.info.name} against {second.info.name}"
    folder = out or opened.report(name)
    path = folder / f"report{SUFFIX[format_]}"
    write_atomically(path, lambda file: file.write(text.encode()))
    _tell(f"Report: {path}")
    if out is not None:
        drawn = figures(record) if second is None else figures_of_two(record, second)
        for file_name, picture in drawn.items():
            write_atomically(out / file_name, lambda file, picture=picture: file.write(picture))  # type: ignore[misc]
        _tell(f"Figures: {out}/*.svg, *.png")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000, home: Home = DEFAULT_HOME) -> None:
    """Open MLflow's own pages over all sweeps, on this machine only."""
    from sweeps.home import open_home
    from sweeps.serve import serve

    opened = open_home(home, make=False)
    if not opened.own_tracking:
        raise UserError("MLFLOW_TRACKING_URI points to a server of your own: open its address in a browser.")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise UserError(f"Port {port} of 127.0.0.1 is in use. Stop what listens there, or choose another --port.")
    _tell(f"Open http://127.0.0.1:{port} and stop with Ctrl-C.")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        opened.tracking_uri,
        "--artifacts-destination",
        opened.artifacts.resolve().as_uri(),
    ]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
    quiet["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # else a dozen processes wait for jobs that nobody sends
    raise typer.Exit(serve(command, os.environ | quiet))


if __name__ == "__main__":
    main()
