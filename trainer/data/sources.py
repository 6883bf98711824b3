"""Where the images of a configuration are: a folder, a table, or two patterns. Everything that reads data asks here."""

from __future__ import annotations

from pathlib import Path

from trainer.config import DataConfig
from trainer.data.case_table import is_table, match_table
from trainer.data.glob_pairs import match_patterns
from trainer.data.layouts import Layout, Match, match, whole
from trainer.data.patterns import is_pattern, pattern
from trainer.errors import UserError


def find(config: DataConfig) -> Match:
    """The images and masks that `config` asks for, faults included. Raises `UserError` where there is nothing."""
    given = str(config.path)
    path = Path(given).expanduser()
    if is_pattern(given) or (config.masks and is_pattern(config.masks)):
        if not (is_pattern(given) and is_pattern(config.masks)):
            raise UserError(
                "Two patterns pair images with masks by their wildcards, but only one has any: "
                f"'{given}' and '{config.masks}'. Give both, such as --data 'set/*/us.png' --masks 'set/*/lesion.png'."
            )
        return match_patterns(given, config.masks)
    if is_table(path):
        return match_table(config, path)
    return match(path.resolve(), config.part)


def find_whole(config: DataConfig) -> Layout:
    """The same, if it has no faults; `data.skip_unpaired` leaves files without a partner out instead."""
    return whole(find(config), skip_unpaired=config.skip_unpaired)


def place(config: DataConfig) -> Path:
    """What the data are called by: their folder, their table, or the folder that a pattern begins with."""
    given = str(config.path)
    return pattern(given).root if is_pattern(given) else Path(given).expanduser().resolve()
