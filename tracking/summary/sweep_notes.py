"""What else differs between two sweeps that are set side by side, in notes."""

from __future__ import annotations

from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import setting
from tracking.units import WORDS

Sweeps = tuple[SweepSummary, SweepSummary]


def notes_on(sweeps: Sweeps) -> list[str]:
    """What else differs between the two, or ties them together."""
    first, second = sweeps
    notes = []
    if first.data.digest == second.data.digest:
        notes.append(
            "Both sweeps measure the same images, so they are not independent samples: read this as two settings on "
            "one data set, and the interval as approximate."
        )
    if setting(first) != setting(second):
        notes.append(f"The settings differ: {setting(first)} against {setting(second)}.")
    notes += [*_unit_notes(sweeps), *_head_notes(sweeps), *_seed_notes(sweeps), *_fold_notes(sweeps)]
    if len(units_of(sweeps)) == 1 and first.model.block_params != second.model.block_params:
        notes.append("The networks differ in size.")
    if first.weights.digest != second.weights.digest:
        notes.append("The starting weights differ.")
    synthetic = [sweep.sweep for sweep in sweeps if sweep.data.synthetic]
    if synthetic:
        notes.append(f"Synthetic data ({', '.join(synthetic)}): no claim about real images.")
    return [*notes, *(f"{sweep.sweep} is not finished." for sweep in sweeps if not sweep.finished)]


def _unit_notes(sweeps: Sweeps) -> list[str]:
    """What the names of the two masks mean where the sweeps count different units."""
    if len(units_of(sweeps)) == 1:
        return []
    meanings = [
        f"in {sweep.sweep} contracting is {WORDS[sweep.model.unit]}s {sweep.model.named_masks.get('contracting')}, "
        f"expanding {sweep.model.named_masks.get('expanding')}"
        for sweep in sweeps
    ]
    return [
        f"The names are the same, the layers are not: {'; '.join(meanings)}. Single steps of the curves differ too, "
        "so only contracting − expanding is compared."
    ]


def _head_notes(sweeps: Sweeps) -> list[str]:
    if sweeps[0].model.head == sweeps[1].model.head:
        return []
    return [f"{sweep.sweep}: {sweep.model.head_sentence}" for sweep in sweeps]


def _seed_notes(sweeps: Sweeps) -> list[str]:
    if sweeps[0].noise.words == sweeps[1].noise.words:
        return []
    parts = [f"{sweep.sweep} with {sweep.noise.words}" for sweep in sweeps]
    return [f"The training seeds differ: {'; '.join(parts)}."]


def _fold_notes(sweeps: Sweeps) -> list[str]:
    folds = [{frozenset(fold.cases) for fold in sweep.folds} for sweep in sweeps]
    if sweeps[0].data.digest == sweeps[1].data.digest and folds[0] != folds[1]:
        return ["The same images are cut into other folds."]
    return []


def units_of(sweeps: Sweeps) -> set[str]:
    """What masks count in the two: one unit, or both."""
    return {sweep.model.unit for sweep in sweeps}
