"""Why a sweep cannot go on under its name: what differs from the sweep that was recorded, in a user's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracking.record import SweepInfo
from tracking.units import own_network
from trainer.config import (
    WEIGHT_FILES,
    AugmentConfig,
    DataConfig,
    PartitionConfig,
    PretrainConfig,
    Settings,
    TrainConfig,
    identity_of_model,
)
from trainer.errors import UserError
from trainer.keys import fields_in_key

# In a resolved spec, but nothing that a score depends on by itself: the images and the weights have digests of their
# own, the space may grow, and leaky trials stand beside the others in one sweep.
_FREE = ("name", "search", "champion", "keep", "data", "pretrain", "test", "outer", "held_out")
_FREE_KEY = ("augmentation", "order")
_SECTIONS = {"augmentation": AugmentConfig, "partition": PartitionConfig, "train": TrainConfig}
_INPUTS = {"data": DataConfig, "pretrain": PretrainConfig}

Table = Mapping[str, Any]


def clash(old: SweepInfo | None, new: SweepInfo) -> UserError:
    """What to say when `new` cannot go on with the sweep of its name, `old`: None when that was never whole."""
    if old is None:
        state = "begun with others, and cut off before they were recorded"
    else:
        changes = differences(old, new) or ["which ones the record does not tell, perhaps by another version of thaw"]
        state = f"recorded with others: {', '.join(changes)}"
    return UserError(
        f"A sweep's name stands for one data set, one set of folds, starting weights and settings, but {new.name!r} "
        f"was {state}. Choose another --name, or give the data and settings of that sweep."
    )


def measured(spec: Table) -> dict[str, Any]:
    """The settings of a resolved spec that a score depends on, besides the images and the starting weights.

    Its digest is a part of the sweep's identity. A setting that came later stays out at its default (`trainer.keys`).
    """
    settings = fields_in_key({key: value for key, value in spec.items() if key not in _FREE}, Settings)
    for section, kind in _SECTIONS.items():
        if section in settings:
            settings[section] = fields_in_key(settings[section], kind)
    if "model" in settings:
        settings["model"] = identity_of_model(settings["model"])
    section, key = _FREE_KEY
    if section in settings:
        settings[section] = {name: value for name, value in settings[section].items() if name != key}
    return settings


def differences(old: SweepInfo, new: SweepInfo) -> list[str]:
    """What keeps `new` from going on with `old`, such as `folds 2 -> 3`; empty when the records show nothing.

    Weights that are not made yet cannot differ, but the settings that make them can, and are named too.
    """
    changes = _changes(measured(old.spec), measured(new.spec))
    if any(line.startswith("model.architecture ") for line in changes):
        before, after = (own_network(spec) or "the U-Net" for spec in (old.spec, new.spec))
        changes.append(f"another network ({before} -> {after})" if before != after else f"another network in {after}")
    other_images = old.data.get("digest") != new.data.get("digest")
    if other_images:
        changes.append(_with_settings("other images", old.spec, new.spec, "data"))
    elif old.folds != new.folds and not {"folds", "seed"} & {line.split()[0] for line in changes}:
        changes.append(_with_settings("the same images in other folds", old.spec, new.spec, "data"))
    if _external(old) != _external(new):
        sets = (", ".join(_external(info)) or "none" for info in (old, new))
        changes.append(f"other external test sets ({' -> '.join(sets)})")
    if old.distances.get("spacing", "") != new.distances.get("spacing", ""):
        changes.append(f"another spacing of the pixels (distances in {_unit(old)} -> {_unit(new)})")
    if old.weights.get("digest") != new.weights.get("digest") or differing_pretraining(old.spec, new.spec):
        own = f", the weights of {own_network(new.spec)}" if _uses_own_weights(new.spec) else ""
        changes.append(_with_settings(f"other starting weights{own}", old.spec, new.spec, "pretrain"))
    return changes


def _external(info: SweepInfo) -> dict[str, Any]:
    """name -> digest of each external test set."""
    return {name: one.get("digest") for name, one in info.external.items()}


def _unit(info: SweepInfo) -> str:
    return str(info.distances.get("unit", "px"))


def differing_pretraining(old: Table, new: Table) -> list[str]:
    """The settings of two resolved specs that give other starting weights: nearly always, but not by necessity."""
    return _section(old, new, "pretrain")


def _uses_own_weights(spec: Table) -> bool:
    """Whether a network of the user's own starts from the weights in its file."""
    return bool(own_network(spec)) and dict(spec.get("pretrain") or {}).get("path") is None


def _with_settings(change: str, old: Table, new: Table, section: str) -> str:
    settings = _section(old, new, section)
    return f"{change} ({', '.join(settings)})" if settings else change


def _section(old: Table, new: Table, name: str) -> list[str]:
    before, after = old.get(name, {}), new.get(name, {})
    path = after.get("path")
    if name == "pretrain" and path == before.get("path") and str(path).endswith(WEIGHT_FILES):
        return []  # nothing is trained, so every other setting is ignored
    if name == "pretrain" and _uses_own_weights(old) and _uses_own_weights(new):
        return []
    if kind := _INPUTS.get(name):  # a setting that came later is not named while it is at its default
        before, after = fields_in_key(before, kind), fields_in_key(after, kind)
    return _changes({name: before}, {name: after})


def _changes(old: Table, new: Table) -> list[str]:
    """`key old -> new` of every dotted key whose values differ, numbers of the whole sweep (folds, seed) first."""
    before, after = dict(_flat(old)), dict(_flat(new))
    changed = [key for key in before | after if key not in before or key not in after or before[key] != after[key]]
    return [
        f"{key} {_as_written(before, key)} -> {_as_written(after, key)}"
        for key in sorted(changed, key=lambda key: ("." in key, key))
    ]


def _flat(table: Table, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, list(value) if isinstance(value, tuple) else value  # as JSON holds it


def _as_written(values: Mapping[str, Any], key: str) -> str:
    """As it is written in a spec: `true`, `none` for what no path was given for, quotes round an empty text."""
    value = values.get(key)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if str(value) else "''"
