"""The reading of a data set as what can be given again: a command, and a table to edit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from trainer.config import DataConfig
from trainer.data.case_table import write_case_table
from trainer.data.sources import find


def reading(config: DataConfig, table: Path | None) -> Iterator[str]:
    """Lines that say how to give the same pairs again; writes them into the file `table`, if one is asked for."""
    yield f"Command: {command(config)}"
    if table is not None:
        pairs = find(config).pairs
        write_case_table(pairs, table)
        yield f"Table of {len(pairs)} images: {table}; edit it, and give it as --data {shlex.quote(str(table))}"


def command(config: DataConfig) -> str:
    """`thaw run` on these data."""
    words = ["thaw", "run", "ultrasound", "--data", str(config.path)]
    words += ["--masks", config.masks] if config.masks else []
    default = DataConfig()
    for name in ("part", "layout", "skip_unpaired", "image_column", "mask_column", "patient_column", "class_column"):
        value = getattr(config, name)
        if value != getattr(default, name):
            words += ["--set", f"data.{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)
