"""The reading of a data set as what can be given again: a command, and a table to edit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from trainer.config import DataConfig
from trainer.data.pairing.case_table import write_case_table
from trainer.data.pairing.pairs import Match


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


def toml(value: object) -> str:
    """A value as `--set` takes it.

    >>> toml(True), toml((0.0, 1.0)), toml("train"), toml(("liver", "2"))
    ('true', '[0.0, 1.0]', 'train', "['liver', '2']")
    """
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, (tuple, list)) else str(value)
