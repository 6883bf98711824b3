"""Where the images of a configuration are: a folder, a table, or two patterns. Everything that reads data asks here."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from trainer.config import DataConfig
from trainer.data.listing.patterns import is_pattern, pattern
from trainer.data.pairing.case_table import is_table, match_table
from trainer.data.pairing.glob_pairs import match_patterns
from trainer.data.pairing.layout_plugins import plugins, read_plugin
from trainer.data.pairing.layouts import PLAIN_NAMES, match, match_folders, match_names, match_rule, whole
from trainer.data.pairing.linked_cases import without_repeats
from trainer.data.pairing.pairs import Layout, Match
from trainer.data.pairing.published_layouts import RULES
from trainer.errors import UserError
from trainer.files import given_path


def find(config: DataConfig) -> Match:
    """The images and masks that `config` asks for, faults included. Raises `UserError` where there is nothing."""
    return without_repeats(found_in(config))


def found_in(config: DataConfig) -> Match:
    """What the one source that `config` names holds, before links are looked at."""
    given = str(config.path)
    path = given_path(given)
    patterns = is_pattern(given) or is_pattern(config.masks)
    for key, value in (("data.part", config.part), ("data.layout", config.layout)):
        if value and (patterns or config.masks or is_table(path)):
            raise UserError(
                f"'{key}' goes with a folder that thaw looks through, but the data are given as a table, or with "
                f"--masks. Leave '{key}' out, and give the files that you want."
            )
    if config.part and config.layout:
        raise UserError("'data.part' is found by the names of folders, so 'data.layout' cannot be given, too.")
    if patterns:
        if not (is_pattern(given) and is_pattern(config.masks)):
            raise UserError(
                "Two patterns pair images with masks by their wildcards, but only one has any: "
                f"'{given}' and '{config.masks}'. Give both, such as --data 'set/*/us.png' --masks 'set/*/lesion.png'."
            )
        return match_patterns(given, config.masks)
    if is_table(path):
        return match_table(config, path)
    if config.masks:
        return match_folders(path.resolve(), given_path(config.masks).resolve())
    return named(path.resolve(), config.layout) if config.layout else recognised(path.resolve(), config.part)


def recognised(folder: Path, part: str) -> Match:
    """The layout that fits a folder: one of another package, where it says so, else what thaw itself finds.

    Raises `UserError` where two packages, or a package and a published layout, claim the folder.
    """
    claims = [found for plugin in plugins() if (found := read_plugin(plugin, folder))] if folder.is_dir() else []
    if not claims:
        return match(folder, part)
    names = [found.name for found in claims]
    try:
        ours = match(folder)
        names += [ours.name] if ours.name in {rule.name for rule in RULES if not rule.plain} else []
    except UserError:
        pass
    if len(names) > 1:
        choices = " or ".join(f"--set data.layout='{name}'" for name in names)
        raise UserError(
            f"A folder has one layout, but {folder} is claimed by {' and '.join(names)}. Choose: {choices}."
        )
    return claims[0]


def named(folder: Path, layout: str) -> Match:
    """What the layout called so finds in a folder. Raises `UserError` for an unknown one, or where it finds nothing."""
    offered = {plugin.name: plugin for plugin in plugins()}
    known = [*(rule.name for rule in RULES), PLAIN_NAMES, *offered]
    name = next((one for one in known if one.lower() == layout.lower()), None)
    if name is None:
        near = get_close_matches(layout, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise UserError(f"'data.layout' must name a layout, but got '{layout}'{hint} Known: {', '.join(known)}.")
    if name in offered:
        found = read_plugin(offered[name], folder)
    else:
        found = match_names(folder) if name == PLAIN_NAMES else match_rule(folder, name)
    if found is None:
        raise UserError(f"The layout '{name}' finds no images in {folder}. Leave data.layout out, or check the path.")
    return found


def find_whole(config: DataConfig) -> Layout:
    """The same, if it has no faults; `data.skip_unpaired` leaves files without a partner out instead."""
    return whole(find(config), skip_unpaired=config.skip_unpaired)


def place(config: DataConfig) -> Path:
    """What the data are called by: their folder, their table, or the folder that a pattern begins with."""
    given = str(config.path)
    return pattern(given).root if is_pattern(given) else given_path(given).resolve()
