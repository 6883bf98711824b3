"""What a data set itself calls the labels of its masks: nnU-Net's `dataset.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainer.data.pairing.pairs import Layout
from trainer.errors import UserError

FILE = "dataset.json"


def label_names(layout: Layout) -> dict[str, tuple[int, ...]]:
    """The names of labels in the `dataset.json` beside the images or one folder above; empty where there is none.

    nnU-Net 2 writes `{"labels": {"background": 0, "tumour": 1, "whole": [1, 2]}}`, version 1 names by number. Raises
    `UserError` for a file that is no JSON.
    """
    path = next((path for path in near(layout) if path.is_file()), None)
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} must be JSON, as nnU-Net writes it, but it cannot be read: {error}") from error
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, dict):
        return {}
    return dict(filter(None, (named_label(key, value) for key, value in labels.items())))


def near(layout: Layout) -> list[Path]:
    """Where the file of a data set may lie."""
    folders = layout.pairs[0].image.parents[:2] if layout.pairs else ()
    return [folder / FILE for folder in folders]


def named_label(key: str, value: Any) -> tuple[str, tuple[int, ...]] | None:
    """A name with its number or numbers, whichever of the two comes first; None for anything else."""
    if isinstance(value, str):
        return (value, (int(key),)) if key.isdecimal() else None
    numbers = value if isinstance(value, list) else [value]
    return (key, tuple(numbers)) if numbers and all(type(number) is int for number in numbers) else None
