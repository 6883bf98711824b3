"""A data set looked at, and its reading as what can be given again: a command, and a table to edit."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from sweeps.environment.terminal import console, tell
from trainer.config import DataConfig
from trainer.data.contact_sheet import contact_sheet
from trainer.data.pairing.case_table import write_case_table
from trainer.data.pairing.pairs import Match
from trainer.data.survey import survey
from trainer.data.survey_text import text
from trainer.files import write_atomically


def check_data(config: DataConfig, table: Path | None, sheet: Path) -> bool:
    """Print what was read and every problem, write the pairs into `table`, if one is asked for, and the contact sheet.

    Returns whether the data can be used. Raises `UserError` where no images and masks are found.
    """
    with console.status("reading every image") if console.is_terminal else nullcontext():
        data_survey = survey(config)
    tell(text(data_survey))
    for line in reading(config, data_survey.found, table):
        tell(line)
    if data_survey.names:
        drawn = contact_sheet(data_survey)
        write_atomically(sheet, lambda file: file.write(drawn))
        tell(f"Contact sheet: {sheet}")
    return data_survey.usable


def reading(config: DataConfig, found: Match, table: Path | None) -> Iterator[str]:
    """Lines that say how to give the same pairs again; writes them into the file `table`, if one is asked for."""
    yield f"command    {command(config)}"
    if found.patterns:
        images, masks = (str(found.folder / pattern) for pattern in found.patterns)
        yield f"the same   {shlex.join(['thaw', 'run', 'ultrasound', '--data', images, '--masks', masks])}"
    if table is None:
        yield "as a table thaw data check ... --write table.csv; edit it, and give it as --data table.csv"
    else:
        write_case_table(found.pairs, table)
        yield f"Table of {len(found.pairs)} images: {table}; edit it, and give it as --data {shlex.quote(str(table))}"


def command(config: DataConfig) -> str:
    """`thaw run` on these data, with every setting of theirs that is not its default."""
    settings, defaults = asdict(config), asdict(DataConfig())
    words = ["thaw", "run", "ultrasound", "--data", str(config.path)]
    words += ["--masks", config.masks] if config.masks else []
    for name, value in settings.items():
        if name not in ("path", "masks") and value != defaults[name]:
            words += ["--set", f"data.{name}={toml(value)}"]
    return shlex.join(words)


BARE = re.compile(r"(?!(true|false|inf|nan)$)[A-Za-z_][\w -]*")  # what `--set` takes for text without quotes


def toml(value: object) -> str:
    """A value as `--set` takes it.

    >>> toml(True), toml((0.0, 1.0)), toml("train"), toml("2"), toml(("liver", "2"))
    ('true', '[0.0, 1.0]', 'train', '"2"', '["liver", "2"]')
    """
    return value if isinstance(value, str) and BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
