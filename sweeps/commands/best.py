"""`thaw best`: the answer of a sweep, printed, as JSON, or as files."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table

from sweeps.environment.home import Home
from tracking.analysis.formatting import SYNTHETIC, mask_name, number, p_value
from tracking.best_mask.answer import answer_object
from tracking.best_mask.sentences import percent, setting_words, signed, span
from tracking.record import Json
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from tracking.record import SweepInfo, SweepRecord

FORMATS = ("text", "json")
SHOWN = 12  # rows of a printed table


def run(home: Home, sweep: str | None, form: str, out: Path | None, console: Console) -> None:
    """The command: read MLflow, print, write."""
    record = read_record(home, sweep)
    found = best(record)
    if form == "json":
        from tracking.as_json import to_json

        sys.stdout.write(to_json(found))
    else:
        show(found, console)
    if out is not None:
        written = write_files(found, record.info, out)
        if form == "text":
            console.print(f"Written: {', '.join(map(str, written))}", highlight=False, markup=False, soft_wrap=True)


def check_format(form: str) -> str:
    """One of `FORMATS`."""
    if form not in FORMATS:
        raise UserError(f"--format must be one of {', '.join(FORMATS)}, but got '{form}'.")
    return form


def read_record(home: Home, sweep: str | None) -> SweepRecord:
    """A sweep, the newest by default, as MLflow has it."""
    from tracking.store.writer import Tracker

    return Tracker.connect(home.tracking_uri, home.artifact_folder).read_sweep(sweep)


def best(record: SweepRecord) -> Json:
    """The whole answer (`tracking.best_mask.answer`), with fANOVA and the scores smoothed."""
    found = answer_object(record)
    from tracking.best_mask.fanova import importance_object
    from tracking.best_mask.smoothed import smoothed_object

    importance = importance_object(found, record.info.n_blocks)
    return found | {"importance": importance, "smoothed": smoothed_object(found, record.info)}


def sentence_of(record: SweepRecord) -> str:
    """The answer in one sentence, to end a search with; why there is none where fewer than two masks are finished."""
    try:
        return str(answer_object(record)["sentence"])
    except UserError as error:
        return str(error)


def printed(found: Json) -> Iterator[RenderableType | str]:
    """The answer for a terminal: lines as strings, tables of rich."""
    if found["synthetic"]:
        yield SYNTHETIC
    yield f"{found['sentence']}\n"
    if found["smoothed"]:
        yield f"{found['smoothed']['sentence']}\n"
    yield _tied(found)
    yield _front(found, "parameters")
    yield _front(found, "seconds")
    if found["effects"]:
        yield from _effects(found["effects"])
    else:
        yield "No block effects: these masks never vary one block without another."
    if found["importance"]:
        yield found["importance"]["sentence"]
    yield ""
    yield from found["notes"]


def write_files(found: Json, info: SweepInfo, folder: Path) -> list[Path]:
    """`answer.json`, and the pictures as SVG and PNG, into a folder; returns their paths."""
    from tracking.as_json import to_json
    from tracking.report.page_best_mask import answer_files
    from trainer.files import write_atomically

    files = {"answer.json": to_json(found).encode(), **answer_files(found, info)}
    for name, content in files.items():
        write_atomically(folder / name, lambda file, content=content: file.write(content))  # type: ignore[misc]
    return [folder / name for name in files]


def show(found: Json, console: Console) -> None:
    """Print the answer."""
    for part in printed(found):
        if isinstance(part, str):
            console.print(part, highlight=False, markup=False, soft_wrap=True)
        else:
            console.print(part, highlight=False)


def _tied(found: Json) -> Table:
    tied = [one for one in found["compared"] if one["tied"]]
    best = next(one for one in tied if not one["behind"])
    if tied.index(best) >= SHOWN:  # it is never among the rows that are left out
        tied = [*tied[: SHOWN - 1], best, *(one for one in tied[SHOWN - 1 :] if one is not best)]
    return _table(
        "The best and what ties with it, cheapest first",
        found,
        ["behind", "95 %, choice allowed for", "chosen"],
        [[*_cells(one, found), number(one["behind"]), span(one), _share(one["chosen"])]
         for one in tied],
    )  # fmt: skip


def _front(found: Json, price: str) -> Table:
    rows = [[*_cells(one, found), number(one["seconds"], 0)] for one in found["pareto"][price]]
    return _table(f"Nothing as cheap in {price} scores higher (Pareto front, scores not corrected)", found,
                  ["seconds"], rows)  # fmt: skip


def _effects(effects: Json) -> Iterator[RenderableType | str]:
    shown = Table("block", "effect on Dice [95 %]", "Holm p", title="What each block does", title_justify="left")
    for one in effects["blocks"]:
        shown.add_row(str(one["block"]), signed(one), p_value(one["p_holm"]))
    yield shown
    if effects["pairs"]:
        pairs = Table("blocks", "interaction [95 %]", "Holm p", title="The largest interactions", title_justify="left")
        for one in sorted(effects["pairs"], key=lambda one: -abs(one["mean"]))[: SHOWN // 2]:
            pairs.add_row("×".join(map(str, one["blocks"])), signed(one), p_value(one["p_holm"]))
        yield pairs
    yield from effects["sentences"]
    if effects["confounded"]:
        left = len(effects["confounded"]) - SHOWN
        more = f"; and {left} more" if left > 0 else ""
        yield f"Not told apart: {'; '.join(effects['confounded'][:SHOWN])}{more}."


def _table(title: str, found: Json, more: list[str], rows: list[list[str]]) -> Table:
    """Candidates, capped, with columns of their own behind."""
    heads = ["mask", *(["setting"] if len(found["settings"]) > 1 else []), "parameters", "share", "Dice", *more]
    left = len(rows) - SHOWN
    table = Table(*heads, title=title, title_justify="left")
    for row in rows[:SHOWN]:
        table.add_row(*row)
    if left > 0:
        table.caption = f"and {left:,} more: --format json"
    return table


def _cells(one: Json, found: Json) -> list[str]:
    setting = [setting_words(one)] if len(found["settings"]) > 1 else []
    return [mask_name(one), *setting, f"{one['trainable_params']:,}", percent(one["share"]), number(one["dice"])]


def _share(chosen: float) -> str:
    return "" if math.isnan(chosen) else f"{100 * chosen:.0f} %"
