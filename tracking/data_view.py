"""The data set and the starting weights of a sweep as a report reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DataView:
    """Which images a sweep used. `synthetic`: generated, so that no score is a claim about real images. `source`: where
    they are from; `layout`: how they were stored. `images`, `groups` (of images that share a fold), `duplicates`
    (near-duplicates, which share a group) and `empty_masks` are counts. `readings`: how the files were read, what is
    the object in a mask, and what is odd about them; `notes`: what was left out; one sentence each.
    `digest`: SHA-256 of images and truths. `classes`: label -> images.
    """

    synthetic: bool
    source: str
    layout: str
    images: int
    groups: int
    duplicates: int
    empty_masks: int
    notes: tuple[str, ...] = ()
    digest: str = ""
    readings: tuple[str, ...] = ()
    classes: Mapping[str, int] = field(default_factory=dict)

    @property
    def counted_classes(self) -> tuple[tuple[str, int], ...]:
        """(label, images) of every class that has a name, by name."""
        return tuple((label, count) for label, count in sorted(self.classes.items()) if label)


def view_data(data: Mapping[str, Any]) -> DataView:
    """The data set of a sweep as it was recorded (`SweepInfo.data`)."""
    known = {name: data[name] for name in DataView.__dataclass_fields__ if name in data}
    sentences = {name: tuple(data.get(name) or ()) for name in ("notes", "readings")}
    return DataView(**{**known, **sentences, "classes": dict(data.get("classes") or {})})


@dataclass(frozen=True)
class WeightsView:
    """The weights that every fine-tuning starts from. `digest`: SHA-256 of them; `source`: what they were trained on;
    `notes`: what was left out of that; `pretraining_run`: MLflow's id of the run that trained them, None where a file
    was given.
    """

    digest: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    pretraining_run: str | None = None


def view_weights(weights: Mapping[str, Any]) -> WeightsView:
    """The starting weights of a sweep as they were recorded (`SweepInfo.weights`)."""
    known = {name: weights[name] for name in WeightsView.__dataclass_fields__ if name in weights}
    return WeightsView(**{**known, "notes": tuple(weights.get("notes") or ())})
