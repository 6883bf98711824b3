"""Which settings stand in a key or an identity. A setting that came later stays out of it while it is at its default.

Three digests are made of settings: the ledger's key of a training, the identity of a sweep (which makes its name and
finds its record in MLflow) and the key of a candidate inside its sweep. Were every field in them, each new setting
would throw away everybody's trainings and refuse everybody's names. So one rule holds for all three (docs/keys.md):

- The fields of `FOUNDING` always stand in. They stood in when the records that people hold were made, so leaving one
  out at its default would give every recorded sweep and candidate another identity. No field is ever added here.
- Any other field stands in only while its value is not its default: a training of before there was a choice is what
  the default gives today.

The second rule holds only as long as a default stays what it is. Whoever changes the default of a field that is not in
`FOUNDING` has to write the former default into `FORMER_DEFAULTS`: that value still stays out, the new one stands in,
and every key keeps its meaning. Without it, a record made with the former default would pass for one made with the new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

FOUNDING: Mapping[str, Collection[str]] = {
    "Settings": ("model", "data", "augmentation", "partition", "train", "pretrain", "folds", "seed"),
    "ModelConfig": ("size", "filters", "dropout"),
    "DataConfig": (
        "path",
        "modality",
        "images",
        "seed",
        "keep_empty",
        "skip_unpaired",
        "patient",
        "patients",
        "image_column",
        "patient_column",
    ),
    "AugmentConfig": ("total", "rotation", "shear", "shift", "zoom", "flip"),
    "PartitionConfig": ("unit", "head"),
    "TrainConfig": ("loss", "batch", "deterministic"),
    "PretrainConfig": ("images", "epochs", "batch", "learning_rate", "loss", "validation", "seed"),
    "Candidate": ("mask", "epochs", "learning_rate", "start", "seed", "split"),
}

# "TrainConfig.batch_norm": "frozen" would be such an entry, had its default been changed since.
FORMER_DEFAULTS: Mapping[str, Any] = {}


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value, independent of the order of dictionary keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def fields_in_key(table: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """The part of `table`, a dataclass `kind` as a table, that stands in keys; names that `kind` does not know stay.

    Raises `KeyError` for a dataclass without an entry in `FOUNDING`.
    """
    founding, left_out = FOUNDING[kind.__name__], values_left_out(kind)
    return {
        name: value
        for name, value in table.items()
        if name in founding or name not in left_out or _plain(value) != left_out[name]
    }


def values_left_out(kind: type) -> dict[str, Any]:
    """The value at which each later field of the dataclass `kind` stays out of keys, as JSON holds it."""
    founding = FOUNDING[kind.__name__]
    defaults = {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(kind)
        if field.name not in founding
    }
    defaults = {name: value for name, value in defaults.items() if value is not MISSING}
    return {name: _plain(FORMER_DEFAULTS.get(f"{kind.__name__}.{name}", value)) for name, value in defaults.items()}


def _plain(value: Any) -> Any:
    """As JSON holds it: tables and lists, no dataclasses and tuples."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
