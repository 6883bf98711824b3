"""`thaw best`: the answer of a sweep, printed, as JSON, or as files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table

from sweeps.environment.home import Home
from sweeps.environment.streams import write_data
from sweeps.environment.terminal import Board, Output
from tracking import as_json
from tracking.analysis.formatting import SYNTHETIC
from tracking.analysis.seeds import read
from tracking.best_mask import tables
from tracking.best_mask.answer import BestMask, answer_sentences, best_mask, why_no_choice
from tracking.best_mask.measured_effects import MeasuredEffects
from tracking.best_mask.pareto import PRICES
from tracking.best_mask.start_tables import start_tables
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from tracking.record import SweepInfo, SweepRecord

FORMATS = ("text", "json")
SHOWN = 12  # rows of a printed table
FILE_WIDTH = 120  # columns of answer.txt


def run(home: Home, sweep: str | None, form: str, out: Path | None, console: Console) -> None:
    """The command: read MLflow, print, write."""
    board = Board(Output(stderr=True))  # what is printed may be read by a program
    with board.reading("reading the trials") as step:
        record = read_record(home, sweep, step)
    with board.reading("comparing the trials"):
        answer = best(record)
    if form == "json":
        write_data(as_json.to_json(answer))
    else:
        show(answer, console)
    if out is not None:
        paths = write_files(answer, record.info, out)
        if form == "text":
            console.print(f"Written: {', '.join(map(str, paths))}", highlight=False, markup=False, soft_wrap=True)


def check_format(form: str) -> str:
    """One of `FORMATS`."""
    if form not in FORMATS:
        raise UserError(f"--format must be one of {', '.join(FORMATS)}, but got '{form}'.")
    return form


def read_record(home: Home, sweep: str | None, step: Callable[[int], object] = lambda done: None) -> SweepRecord:
    """A sweep, the newest by default, as MLflow has it; `step` is told how many trials have been read."""
    from tracking.store.writer import Tracker

    return Tracker.connect(home.tracking_uri, home.artifact_folder).read_sweep(sweep, step)


def best(record: SweepRecord) -> BestMask:
    """The whole answer. Raises `UserError` for fewer than two finished masks."""
    reading = read(record)
    answer = best_mask(reading)
    if answer is None:
        raise UserError(why_no_choice(reading))
    return answer


def terminal_parts(answer: BestMask) -> Iterator[RenderableType | str]:
    """The answer for a terminal: lines as strings, tables of rich."""
    if answer.synthetic:
        yield SYNTHETIC
    for text in answer_sentences(answer):
        yield f"{text}\n"
    yield _rich_table(tables.tie_table(answer, SHOWN))
    for content in start_tables(answer.starts) if answer.starts else ():
        yield _rich_table(content)
    for price in PRICES:
        yield _rich_table(tables.front_table(answer, price, SHOWN))
    if answer.effects:
        yield from _effects(answer.effects)
    else:
        yield "No block effects: these masks never vary one block without another."
    yield answer.importance.sentence
    yield ""
    yield from answer.notes


def write_files(answer: BestMask, info: SweepInfo, folder: Path) -> list[Path]:
    """`answer.json`, `answer.txt` (what is printed), and the figures as SVG and PNG, into a folder; their paths."""
    from tracking.report.page_best_mask import answer_files
    from trainer.files import write_atomically

    text = io.StringIO()
    show(answer, Console(file=text, width=FILE_WIDTH))
    files = {"answer.json": as_json.to_json(answer).encode(), "answer.txt": text.getvalue().encode()}
    files |= answer_files(answer, info)
    for name, content in files.items():
        write_atomically(folder / name, lambda file, content=content: file.write(content))  # type: ignore[misc]
    return [folder / name for name in files]


def show(answer: BestMask, console: Console) -> None:
    """Print the answer."""
    for part in terminal_parts(answer):
        if isinstance(part, str):
            console.print(part, highlight=False, markup=False, soft_wrap=True)
        else:
            console.print(part, highlight=False)


def _effects(effects: MeasuredEffects) -> Iterator[RenderableType | str]:
    yield _rich_table(tables.effect_table(effects))
    if pairs := tables.pair_table(effects):
        yield _rich_table(pairs)
    yield from effects.sentences
    if sentence := tables.not_told_apart(effects):
        yield sentence


def _rich_table(table: tables.Table) -> Table:
    """A table of rich, which says how many rows were left out."""
    rich_table = Table(*table.heads, title=table.title, title_justify="left")
    for row in table.rows:
        rich_table.add_row(*row)
    if table.left > 0:
        rich_table.caption = f"and {table.left:,} more: --format json"
    return rich_table
