"""The command line. Every command imports what it needs when it runs: `thaw --help` must stay under a second."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sweeps.completion import MASKS, completer_of, spec_names, sweep_names
from sweeps.environment.faults import user_error
from sweeps.environment.home import DEFAULT_HOME
from sweeps.environment.redacted_output import redact_errors
from sweeps.environment.storage_address import HELP, hide_storage, resolve_storage
from sweeps.environment.streams import forget_reader, prepare_streams
from sweeps.environment.terminal import complain, console, tell
from tracking.patience import resolve_patience
from tracking.user_folder import user_folder
from trainer.errors import UserError

app = typer.Typer(
    help="Which blocks of a pre-trained U-Net should be fine-tuned on your images? Measured, not guessed.",
    epilog="Does it work here? thaw run smoke\n\nOn synthetic images: thaw run ultrasound\n\n"
    "Are my images readable? thaw data check FOLDER",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at a data set before training on it.", no_args_is_help=True)
app.add_typer(data_app, name="data")


def _sweeps_here(ctx: typer.Context, incomplete: str) -> list[str]:
    return sweep_names(Path(ctx.params.get("home") or DEFAULT_HOME), incomplete)


Home = Annotated[
    Path,
    typer.Option(
        help="Folder that holds all state: MLflow's record, Optuna's studies, finished trainings.", envvar="THAW_HOME"
    ),
]
Storage = Annotated[  # given to `resolve_storage`, which knows the variable THAW_STORAGE, too
    str | None,
    typer.Option(help=HELP, envvar="THAW_STORAGE", show_default=False),
]
Patience = Annotated[
    float | None,
    typer.Option(
        help="Seconds to wait for a server that is away, before the work stops. Default: 3600.", envvar="THAW_PATIENCE"
    ),
]
Masks = Annotated[
    str | None,
    typer.Option(
        help="Where the masks of --data are: their folder, or a pattern whose wildcards pair them. "
        "Example: --data 'scans/*/us.png' --masks 'scans/*/lesion.png'"
    ),
]
Custom = Annotated[
    list[str] | None,
    typer.Option(
        help="Module that registers layers of the network's own, imported because you name it. Repeatable. "
        "Example: mylab.layers"
    ),
]
OfModel = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Say what the network takes or gives, as model.key=value: range, output, channel, gives, size. "
        "Repeatable. Example: model.range=0-255",
    ),
]
Sweep = Annotated[
    str | None,
    typer.Argument(help="Name of the sweep. Default: the newest one.", autocompletion=_sweeps_here),
]


def main() -> None:
    """Run the command line.

    Exit codes: 2 a user's mistake, 3 trials without a score or findings of `doctor`, 130 and 143 stopped, 1 a bug.
    """
    hide_storage(sys.argv)
    prepare_streams()
    redact_errors()
    os.environ.setdefault("HOME", user_folder())
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it says where it keeps fonts when HOME cannot be written
    try:
        app()
    except Exception as error:
        if (mistake := user_error(error)) is None:
            raise
        if isinstance(error, OSError):
            forget_reader(sys.stdout)  # it may be what is full: Python would try once more at its end
        complain(str(mistake))
        sys.exit(2)


def program() -> None:
    """Run the command line as the whole work of this process."""
    try:
        main()
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        from sweeps.environment.termination import end_process

        end_process(ended.code or 0)


@app.command(
    epilog="Examples:\n\nthaw run ultrasound --data my-images --dry-run\n\n"
    "thaw run ultrasound --set folds=10 --name ten-folds"
)
def run(
    spec: Annotated[
        str,
        typer.Argument(
            help="ultrasound, xray, search-ultrasound, paper-ultrasound, paper-xray, smoke, or a TOML file.",
            autocompletion=spec_names,
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="Folder of images and masks, a table (CSV), or a pattern. Default: synthetic images of thaw's own."
        ),
    ] = None,
    masks: Masks = None,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="Images from elsewhere that every network is scored on, as NAME=FOLDER. They never train and never "
            "choose. Repeatable. Example: clinic=clinic-images"
        ),
    ] = None,
    pretrain: Annotated[
        str | None,
        typer.Option(
            help="What to pre-train on: a folder of images and masks, a weights file, or the word composites."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Network to search instead of the U-Net: a .keras or .h5 file, models:/name@alias, "
            "or keras:NAME[@WEIGHTS], an encoder of keras.applications."
        ),
    ] = None,
    custom: Custom = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change one value of the spec, as key=value. Repeatable. Example: search.epochs=[6,12]"
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Number of worker processes, one thread each. Default: one per usable GPU, else one per core."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the sweep. Default: made from the names of the spec and the data.")
    ] = None,
    home: Home = DEFAULT_HOME,
    storage: Storage = None,
    patience: Patience = None,
    max_hours: Annotated[
        float | None,
        typer.Option(help="Begin no training after this many hours. The same command goes on from there."),
    ] = None,
    max_trainings: Annotated[
        int | None, typer.Option(help="Let a search train about this many folds in all, earlier runs included.")
    ] = None,
    launcher: Annotated[
        str,
        typer.Option(
            help="Who starts the workers: local (this machine), ray, slurm, or none (you do, with thaw worker).",
            autocompletion=completer_of("local", "ray", "slurm", "none"),
        ),
    ] = "local",
    gpus_per_worker: Annotated[int, typer.Option(help="GPUs that each worker has to itself.")] = 0,
    per_gpu: Annotated[
        int | None,
        typer.Option(help="For local and ray: workers that share each GPU. Default: as few as --workers allows."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="For ray: address of the cluster. Default: auto, the one that this machine belongs to."),
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(help="For slurm: an option of sbatch, as key=value. Repeatable. Example: time=08:00:00"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="For slurm: follow the jobs to their end, then report.")] = False,
    worker_home: Annotated[
        Path | None,
        typer.Option(help="For ray and slurm: folder for the workers' cache on their machines. Default: --home."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Train the trials that failed before once more.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Train nothing: say what would be trained, how long it takes, how much memory and disk."
        ),
    ] = False,
) -> None:
    """Run a sweep, or go on with one, then print its table and its verdict.

    A sweep trains every candidate under one cross-validation. Stop it at any moment: the same command goes on.
    """
    from sweeps.commands.dry_run import run_dry
    from sweeps.environment.home import open_home
    from sweeps.environment.terminal import Board
    from sweeps.planning.identity import check_name
    from sweeps.run.launchers.by_name import check_workers, make_launcher
    from sweeps.run.launchers.contract import Crew
    from sweeps.spec.load import load_spec

    limits = {"hours": max_hours, "trainings": max_trainings}
    budget = [f"search.{key}={limit}" for key, limit in limits.items() if limit is not None]
    loaded_spec = load_spec(
        spec,
        sets=[*(set_ or []), *budget],
        data=data,
        masks=masks,
        pretrain=pretrain,
        model=model,
        custom=custom or (),
        test=test or (),
    )
    starter = make_launcher(
        launcher,
        address=address,
        gpus=gpus_per_worker,
        per_gpu=per_gpu,
        slurm=slurm or (),
        wait=wait,
        worker_home=worker_home,
    )
    count = check_workers(workers, loaded_spec.search, starter)
    name = check_name(name)
    resolve_storage(storage)
    resolve_patience(patience)
    opened_home = open_home(home)
    if dry_run:
        run_dry(loaded_spec, opened_home, Board(console), count)
        if script := starter.preview(Crew(opened_home, name or loaded_spec.name, count)):
            tell(f"\nWhat would be submitted:\n\n{script}")
        return
    from sweeps.procedure import run_and_show

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cluster's scheduler stops a job like Ctrl-C does
    with _stopping():
        ran = run_and_show(
            loaded_spec,
            opened_home,
            Board(console),
            workers=count,
            name=name,
            retry_failed=retry_failed,
            launcher=starter,
        )
    if ran.submitted:
        tell("\n".join(ran.submitted))
    elif ran.failed:
        complain(f"{len(ran.failed)} trials have no score: {'; '.join(ran.failed[:5])}. See the report.")
        raise typer.Exit(3)


@contextmanager
def _stopping() -> Iterator[None]:
    """Say in words that a sweep was stopped, or that a worker crashed, and end with the exit code of that."""
    from trainer.errors import Preempted, WorkerCrashed

    try:
        yield
    except WorkerCrashed as crash:
        complain(str(crash))
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, Preempted):
        complain("Stopped. What is finished is kept; the same command goes on from there.")
        raise typer.Exit(130) from None


@app.command(epilog="Example:\n\nthaw worker --storage storage.txt my-sweep")
def worker(
    sweep: Annotated[str, typer.Argument(help="Name of the sweep.", autocompletion=_sweeps_here)],
    storage: Storage = None,
    patience: Patience = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Work on a sweep that `thaw run` began, from this machine, until nothing is left to do.

    With --storage and MLFLOW_TRACKING_URI no folder is shared: everything comes from the two servers, and --home is a
    cache. Any number of workers may join late, leave and die. SIGTERM lets one keep what it has trained, give its trial
    back and leave within ten seconds, with exit code 143.
    """
    from sweeps.commands.worker import join_sweep
    from sweeps.environment.terminal import Board
    from sweeps.environment.termination import obey_signals
    from trainer.errors import Preempted

    termination = obey_signals()
    resolve_storage(storage)
    resolve_patience(patience)
    try:
        join_sweep(home, sweep, Board(console), termination.stop)
    except Preempted as stopped:
        complain(str(stopped))
        termination.end()


@app.command()
def champion(
    sweep: Sweep = None,
    mask: Annotated[
        str | None,
        typer.Option(help="Refit this mask instead of the winner. Example: 1-5", autocompletion=completer_of(*MASKS)),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name to register the network under. Default: the name of the data set.")
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Refit a sweep's winner on all images and register it in MLflow as the champion of the data set."""
    from sweeps.commands.finish import keep_winner
    from sweeps.environment.home import open_home

    keep_winner(open_home(home), sweep, mask, name)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A .keras or .h5 file, or a registered network: models:/name@champion.")],
    images: Annotated[Path, typer.Argument(help="An image, or a folder of images.")],
    out: Annotated[Path, typer.Option(help="Folder for the masks and overlays.")],
    set_: OfModel = None,
    custom: Custom = None,
    colour: Annotated[
        bool, typer.Option("--colour", help="Give the network in a file the images' colours, not grey three times.")
    ] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """Segment new images: write a mask (PNG, in the size of the image) and an overlay for each."""
    from sweeps.commands.predict import predict_images
    from sweeps.environment.terminal import Board
    from sweeps.spec.load import model_settings

    settings = model_settings(model, set_ or (), custom or (), colour=colour)
    count = predict_images(model, images, out, home, Board(console), settings)
    noun = "image" if count == 1 else "images"
    console.print(f"{count} {noun}: {out / 'masks'}, {out / 'overlays'}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def masks(
    model: Annotated[
        Path | None, typer.Argument(help="A .keras or .h5 file, or keras:NAME. Default: the U-Net of the paper.")
    ] = None,
    set_: OfModel = None,
    custom: Custom = None,
    size: Annotated[
        int, typer.Option(help="Side of the input in pixels: of the built-in U-Net, and of a network that reads any.")
    ] = 256,
    filters: Annotated[int, typer.Option(help="Number of filters in the built-in U-Net's first block.")] = 64,
    unit: Annotated[
        str,
        typer.Option(
            help="What the numbers in a mask count: block (nine) or conv (18 convolutions).",
            autocompletion=completer_of("block", "conv"),
        ),
    ] = "block",
    head: Annotated[
        str,
        typer.Option(
            help="When the 1x1 head trains: with the last block (last), always, or as a block of its own (own).",
            autocompletion=completer_of("last", "always", "own"),
        ),
    ] = "last",
    blocks: Annotated[
        str | None,
        typer.Option(
            help='Which layers each block has, as lists of patterns; the first match wins. Example: [["stem*"], ["*"]]'
        ),
    ] = None,
) -> None:
    """Print a network's blocks, layers, depths and parameters, and the named masks.

    A block ends where the resolution changes. To cut the network elsewhere, list the layers of each block: with
    --blocks here, with --set model.blocks=... in thaw run.
    """
    from sweeps.environment.keras_backend import prepare_backend
    from sweeps.spec.load import blocks_of, model_settings
    from sweeps.spec.validation import partition_of

    units, table = partition_of(unit, head), blocks_of(blocks)
    prepare_backend()
    from sweeps.commands.masks import model_tables
    from trainer.config import ModelConfig

    config = ModelConfig(size, filters, blocks=table)
    if model is not None:
        config = model_settings(str(model), [f"model.size={size}", *(set_ or ())], custom or (), table).config
    elif set_ or custom:
        raise UserError("--set and --custom say something of a network's file here, but no file is given.")
    for part in model_tables(config, units):
        if isinstance(part, str):
            tell(part)
        else:
            console.print(part)


@app.command()
def visualize(
    network: Annotated[
        str | None,
        typer.Argument(
            help="Name of a sweep, a .keras file, or the .weights.h5 file of a U-Net. Default: the newest sweep.",
            autocompletion=_sweeps_here,
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            help="For a sweep: the mask whose trial to show, such as 1-5. Default: the winner.",
            autocompletion=completer_of(*MASKS),
        ),
    ] = None,
    after: Annotated[
        Path | None,
        typer.Option(help="For a file: other weights of that network, or a checkpoint fold_K.npz, to set beside it."),
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(
            help="Which blocks to draw, such as 1-3,9 or contracting. Default: all.",
            autocompletion=completer_of(*MASKS),
        ),
    ] = None,
    filters: Annotated[
        int | None, typer.Option(min=1, help="How many filters of each block to draw. Default: at most 8.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Draw these filters instead, numbered from 0. Example: 0,3,7")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Images in which to look for the largest activation. Default: the sweep's own; for a file, synthetic "
            "ones."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=8, help="Side of the drawn images in pixels. Default: the network's input side.")
    ] = None,
    custom: Custom = None,
    width: Annotated[
        int, typer.Option(min=1, help="For a .weights.h5 file: number of filters in the U-Net's first block.")
    ] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawing; the same seed draws the same images.")] = 0,
    out: Annotated[Path, typer.Option(help="File to write the contact sheet to.")] = Path("neurons.png"),
    home: Home = DEFAULT_HOME,
) -> None:
    """Draw what excites chosen neurons most (activation maximisation), before and after training, as one figure."""
    from sweeps.commands.visualize import DrawOptions, draw_file, draw_sweep, is_file
    from sweeps.environment.home import find_home
    from sweeps.environment.keras_backend import prepare_backend
    from sweeps.environment.terminal import Board
    from trainer.files import write_atomically

    options = DrawOptions(blocks, filters, only, size, width, seed, tuple(custom or ()))
    if is_file(network):
        if mask is not None:
            raise UserError("--mask chooses a trial of a sweep, but a file was given. Use --after with other weights.")
        prepare_backend()
        sheet = draw_file(Path(str(network)), after, data, home, Board(console), options)
    else:
        if after is not None:
            raise UserError("--after goes with a file; a sweep shows before and after a trial: choose it with --mask.")
        opened_home = find_home(home)
        prepare_backend()
        sheet, title = draw_sweep(network, mask, data, opened_home, Board(console), options)
        tell(title)
    write_atomically(out, lambda file: file.write(sheet))
    tell(f"Contact sheet: {out}")


@data_app.command()
def check(
    data: Annotated[str, typer.Argument(help="Folder of images and masks, a table (CSV), or a pattern.")],
    masks: Masks = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change one setting of the data, as key=value. Repeatable. Example: data.part=train"
        ),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="File to write the pairs to, as a table to edit and to give as --data.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write the contact sheet to.")] = Path("contact-sheet.png"),
) -> None:
    """Say which layout was recognised, name every problem with its file, and write a contact sheet."""
    from sweeps.commands.data_check import check_data
    from sweeps.spec.load import data_config

    if not check_data(data_config(data, masks, set_ or []), write, out):
        raise typer.Exit(2)


@app.command()
def report(
    sweep: Sweep = None,
    others: Annotated[
        list[str] | None,
        typer.Argument(
            help="A second sweep, to set the two side by side, or more. On the same images and folds their best masks "
            "are compared.",
            autocompletion=_sweeps_here,
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="Format of the report: html, json, csv, markdown, or methods (a paragraph for a paper).",
            autocompletion=completer_of("html", "json", "csv", "markdown", "methods"),
        ),
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the report and its figures. Default: html goes into the home, the others are printed."
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Write the report of a sweep, or of two sweeps side by side, from MLflow's record alone."""
    from sweeps.commands.report import make_report

    make_report(home, sweep, others or (), format_, out)


@app.command()
def best(
    sweep: Sweep = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="Format of the answer: text or json.", autocompletion=completer_of("text", "json")
        ),
    ] = "text",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the answer as JSON and its figures, beside what is printed.")
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Say which set of blocks is best, how sure that is, which masks tie with it, and what each block does."""
    from sweeps.commands import best as answer
    from sweeps.environment.home import find_home

    form = answer.check_format(format_)
    answer.run(find_home(home), sweep, form, out, console)


@app.command(epilog="Example:\n\nthaw folds my-sweep --format nnunet --out nnUNet_preprocessed/Dataset007")
def folds(
    sweep: Sweep = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="json, csv (image, fold, case), or nnunet (splits_final.json, and that table).",
            autocompletion=completer_of("json", "csv", "nnunet"),
        ),
    ] = "json",
    out: Annotated[Path | None, typer.Option(help="Folder for the files. Default: print them.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Give a sweep's folds in the form that others train on, so that `thaw referee` can compare what they predict."""
    from sweeps.commands import folds as command
    from sweeps.environment.home import find_home

    command.run(find_home(home), sweep, format_, out)


@app.command(epilog="Example:\n\nthaw referee my-sweep nnU-Net=nnunet-predictions forest=forest-predictions")
def referee(
    sweep: Annotated[str, typer.Argument(help="Name of the sweep.", autocompletion=_sweeps_here)],
    predictions: Annotated[
        list[str],
        typer.Argument(
            help="Out-of-fold predictions of all images as NAME=FOLDER: masks or probabilities (PNG, NPZ, NIfTI)."
        ),
    ],
    home: Home = DEFAULT_HOME,
) -> None:
    """Score somebody else's predictions like a sweep's own trials, record them, and test them against the best mask.

    Folders `fold_0`, `fold_1`, ... or a table folds.csv (image, fold) in the folder say in which fold each was
    predicted; without either they are marked "folds not stated".
    """
    from sweeps.commands import referee as command
    from sweeps.environment.home import find_home

    command.run(find_home(home), sweep, predictions)


@app.command(epilog="Example:\n\nthaw doctor --fix")
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Repair what is safe. Without it nothing is written.")] = False,
    storage: Storage = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Look for what a crash, a full disk or a pulled cable left: dead runs, stale trials and leases, damaged files.

    Also lists half-written files, orphaned artifacts, records not delivered, and what the home takes on disk. Starting
    weights are not looked at. Exit code 3 where something is left to repair.
    """
    from sweeps.commands.doctor import run_doctor
    from sweeps.environment.terminal import Board

    resolve_storage(storage)
    if not run_doctor(home, Board(console), fix=fix):
        raise typer.Exit(3)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 to serve the pages on.")] = 5000,
    home: Home = DEFAULT_HOME,
) -> None:
    """Serve MLflow's pages over all sweeps, on this machine only."""
    from sweeps.commands.serve import serve_mlflow
    from sweeps.environment.home import open_home

    raise typer.Exit(serve_mlflow(open_home(home, make=False), port))


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 to serve the pages on.")] = 8080,
    home: Home = DEFAULT_HOME,
) -> None:
    """Serve Optuna's pages over all searches, on this machine only. Once before: make setup EXTRAS=dashboard."""
    from sweeps.commands.serve import serve_dashboard
    from sweeps.environment.home import open_home

    raise typer.Exit(serve_dashboard(open_home(home, make=False), port))


if __name__ == "__main__":
    program()
