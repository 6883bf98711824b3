"""The command line. Every command imports what it needs when it runs: `thaw --help` must stay under a second."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sweeps.environment.home import DEFAULT_HOME
from sweeps.environment.terminal import complain, console, tell
from trainer.errors import UserError

app = typer.Typer(
    help="Which blocks of a pre-trained U-Net should be fine-tuned on your data? Measured, not guessed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at a data set before training on it.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Home = Annotated[Path, typer.Option(help="Where all state lives: MLflow, Optuna, ledger.", envvar="THAW_HOME")]


def main() -> None:
    """Run the command line. Exit codes: 2 a user's mistake, 3 trials without a score, 130 stopped, 1 a bug."""
    try:
        app()
    except UserError as error:
        complain(str(error))
        sys.exit(2)


@app.command()
def run(
    spec: Annotated[
        str,
        typer.Argument(
            help="ultrasound, xray, search-ultrasound, paper-ultrasound, paper-xray, smoke, or a TOML file."
        ),
    ],
    data: Annotated[str | None, typer.Option(help="Folder of images and masks; none: embedded synthetic.")] = None,
    pretrain: Annotated[str | None, typer.Option(help="Folder to pre-train on, a weights file, or composites.")] = None,
    model: Annotated[
        str | None, typer.Option(help="A .keras file or models:/name@alias to search instead of the U-Net.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. search.epochs=[6,12].")] = None,
    workers: Annotated[int | None, typer.Option(help="Single-threaded processes; default one per core.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the sweep; default made from spec and data.")] = None,
    home: Home = DEFAULT_HOME,
    max_hours: Annotated[
        float | None, typer.Option(help="Begin nothing new after so many hours; the same command goes on.")
    ] = None,
    max_trainings: Annotated[int | None, typer.Option(help="Let a search train about so many folds in all.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed trials again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and how long; train nothing.")] = False,
) -> None:
    """Run a sweep, or go on with it, then print the table and the verdict."""
    from sweeps.commands.dry_run import rehearse
    from sweeps.environment.home import open_home
    from sweeps.environment.terminal import Board
    from sweeps.run.identity import check_name
    from sweeps.run.launch import check_workers
    from sweeps.spec.load import load_spec
    from trainer.errors import WorkerCrashed

    limits = {"hours": max_hours, "trainings": max_trainings}
    budget = [f"search.{key}={limit}" for key, limit in limits.items() if limit is not None]
    chosen = load_spec(spec, sets=[*(set_ or []), *budget], data=data, pretrain=pretrain, model=model)
    count = check_workers(workers, chosen.search)
    name = check_name(name)
    opened = open_home(home)
    if dry_run:
        rehearse(chosen, opened, Board(console), count)
        return
    from sweeps.commands.finish import keep_winner, show
    from sweeps.sweep import run_sweep

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's scheduler stops a job like Ctrl-C does
    try:
        outcome = run_sweep(chosen, opened, Board(console), workers=count, name=name, retry_failed=retry_failed)
    except WorkerCrashed as crash:
        complain(str(crash))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        complain("Stopped. What is finished is kept; the same command goes on from there.")
        raise typer.Exit(130) from None
    show(opened, outcome.name, searched=chosen.search.proposes)
    if chosen.champion:
        keep_winner(opened, outcome.name, None, None, automatic=True)
    if outcome.failed:
        complain(f"{len(outcome.failed)} trials have no score: {'; '.join(outcome.failed[:5])}. See the report.")
        raise typer.Exit(3)


@app.command()
def champion(
    sweep: Annotated[str | None, typer.Argument(help="Name of the sweep; default: the newest.")] = None,
    mask: Annotated[str | None, typer.Option(help="Refit this mask instead of the highest, e.g. 1-5.")] = None,
    name: Annotated[str | None, typer.Option(help="Name to register under; default that of the data set.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Refit a sweep's winner on all pictures and register it in MLflow as the data set's champion."""
    from sweeps.commands.finish import keep_winner
    from sweeps.environment.home import open_home

    keep_winner(open_home(home), sweep, mask, name)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A .keras file, or a registered model: models:/name@champion.")],
    images: Annotated[Path, typer.Argument(help="A picture, or a folder of pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for masks and overlays.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Write masks (PNG, in the size of the pictures) and overlays."""
    from sweeps.commands.predict import predict_pictures
    from sweeps.environment.terminal import Board

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
    blocks: Annotated[
        str | None, typer.Option(help='Blocks of your own, as model.blocks: [["conv1_*"], ["*"]]; first match wins.')
    ] = None,
) -> None:
    """Print a network's blocks, layers, depths, parameters and the named masks.

    Blocks end where the resolution changes. Where that is not what you mean, say which layers each block has, with
    --blocks here and --set model.blocks=... in thaw run.
    """
    from sweeps.environment.keras_backend import prepare_backend
    from sweeps.spec.load import blocks_of
    from sweeps.spec.validation import partition_of

    units, table = partition_of(unit, head), blocks_of(blocks)
    prepare_backend()
    from sweeps.commands.masks import model_tables
    from trainer.config import ModelConfig

    for part in model_tables(model, ModelConfig(size, filters, blocks=table), units):
        if isinstance(part, str):
            tell(part)
        else:
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
    from sweeps.commands.visualize import Wish, draw_file, draw_sweep, is_file
    from sweeps.environment.home import find_home
    from sweeps.environment.keras_backend import prepare_backend
    from sweeps.environment.terminal import Board
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
        tell(shown)
    write_atomically(out, lambda file: file.write(sheet))
    tell(f"Contact sheet: {out}")


@data_app.command()
def check(
    path: Annotated[Path, typer.Argument(help="Folder of images and masks.")],
    out: Annotated[Path, typer.Option(help="Where the contact sheet goes.")] = Path("contact-sheet.png"),
) -> None:
    """Say what was recognised and every problem with its file, and write a contact sheet."""
    from trainer.data.survey import contact_sheet, survey, text
    from trainer.files import write_atomically

    with console.status("reading every picture") if console.is_terminal else _Quiet():
        seen = survey(path)
    tell(text(seen))
    if seen.names:
        sheet = contact_sheet(seen)
        write_atomically(out, lambda file: file.write(sheet))
        tell(f"Contact sheet: {out}")
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
    from sweeps.commands.report import make_report

    make_report(home, sweep, other, format_, out)


@app.command()
def best(
    sweep: Annotated[str | None, typer.Argument(help="Name of the sweep; default: the newest.")] = None,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    out: Annotated[Path | None, typer.Option(help="Folder for the answer as JSON and its pictures.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Which set of blocks is best, how sure that is, what ties with it, and what each block does."""
    from sweeps.commands import best as answer
    from sweeps.environment.home import find_home

    form = answer.check_format(format_)
    answer.run(find_home(home), sweep, form, out, console)


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000, home: Home = DEFAULT_HOME) -> None:
    """Open MLflow's own pages over all sweeps, on this machine only."""
    from sweeps.commands.serve import serve_mlflow
    from sweeps.environment.home import open_home

    raise typer.Exit(serve_mlflow(open_home(home, make=False), port))


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080, home: Home = DEFAULT_HOME) -> None:
    """Open Optuna's own pages over all searches, on this machine only (needs the extra `dashboard`)."""
    from sweeps.commands.serve import serve_dashboard
    from sweeps.environment.home import open_home

    raise typer.Exit(serve_dashboard(open_home(home, make=False), port))


if __name__ == "__main__":
    main()
