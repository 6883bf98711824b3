"""Tables that people save from a spreadsheet: commas, semicolons, tabs or bars, with or without the mark of UTF-8."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from trainer.errors import UserError

SEPARATORS = ",;\t|"
EXCEL_HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # a first line by which Excel is told the separator


@dataclass(frozen=True)
class Table:
    """A table: its file, the names of its columns, and its rows; cells have no blanks around them, none is missing."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def column(self, key: str, name: str) -> str:
        """The column called `name` in any letter case. Raises `UserError`, with the setting `key`, if none is."""
        if name in self.columns:
            return name
        alike = [column for column in self.columns if column.lower() == name.lower()]
        if len(alike) == 1:
            return alike[0]
        near = get_close_matches(name, self.columns, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise UserError(
            f"The table {self.path} must have a column '{name}', but it has: {', '.join(self.columns) or 'none'}{hint} "
            f"Name the right one with --set {key}=NAME."
        )


def read_table_file(path: Path, key: str) -> Table:
    """The table in a file. Raises `UserError`, with the setting `key`, for a file that is none."""
    try:
        data = path.read_bytes()
        # A spreadsheet's "Unicode text" is UTF-16; everything else is saved as UTF-8, with its mark or without.
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"'{key}' must be a CSV file, but {path} cannot be read ({error}). Give its path, saved as UTF-8."
        ) from error
    text = text.lstrip("\r\n")
    hint = EXCEL_HINT.match(text)
    text = text[hint.end() :] if hint else text
    header = text.lstrip(" \r\n").partition("\n")[0]
    separator = hint[1] if hint else max(SEPARATORS, key=header.count)
    try:
        lines = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
    except csv.Error as error:
        raise UserError(f"'{key}' must be a CSV file, but {path} is none ({error}). Save it again as CSV.") from error
    lines = [line for line in lines if any(line)]
    columns = tuple(lines[0]) if lines else ()
    if longer := next((line for line in lines if any(line[len(columns) :])), None):
        raise UserError(
            f"A row of a table has as many cells as the table has columns, {len(columns)}, but {path} has one of "
            f"{len(longer)}: {separator.join(longer)[:120]}. Put text that holds a '{separator}' in quotes."
        )
    twice = {name for name in columns if name and columns.count(name) > 1}
    if twice:
        raise UserError(
            f"The columns of a table need names of their own, but {path} has '{min(twice)}' twice. Rename one."
        )
    return Table(path, columns, tuple(row_of(columns, line) for line in lines[1:]))


def row_of(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """A row by its columns' names; what is missing at its end is empty."""
    return dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))
