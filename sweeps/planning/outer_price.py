"""What a nested cross-validation takes beside the sweep itself: a search without each outer part, and its choice."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sweeps.planning.disk import sweep_disk
from sweeps.planning.outer_part import part_spec
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.planning.search_size import epoch_steps, search_seconds, search_size
from trainer.training.step_cost import ALL, Cost
from trainer.training.steps.batches import scoring_batch


@dataclass(frozen=True)
class OuterPrice:
    """The searches without each of `parts` outer parts: `left` images for each; folds that all of them train, what
    they choose included; `seconds` of it, and `disk` (bytes) when all is done, of a search that proposes at most.
    """

    parts: int
    left: int
    trainings: int
    seconds: float
    disk: int


def outer_trainings(resolved: ResolvedSweep) -> int:
    """The trainings that `outer` adds to a sweep: the searches' folds, and one more a seed for what each chooses."""
    _, trainings = search_size(_of_a_part(resolved))
    return resolved.spec.outer * (trainings + resolved.repeats)


def outer_price(resolved: ResolvedSweep, cost: Cost, images: int, workers: int) -> OuterPrice:
    """The price for a sweep on so many images, whose step costs that."""
    parts, part = resolved.spec.outer, _of_a_part(resolved)
    left = images - images // parts
    further, _ = search_size(part)
    folds, trials = part.settings.folds, len(part.listed) + further
    batches = ceil((images - left) / scoring_batch(part.settings.model.size**2))
    scoring = trials * folds * batches * cost.scoring
    step, compiling = cost.of_mask(ALL)
    choice = max(part.search.epochs) * epoch_steps(part.spec, left) * folds / (folds - 1) * step + compiling
    seconds = search_seconds(part, cost, left, workers) + scoring + part.repeats * choice
    disk = parts * sweep_disk(part, further, left).after
    return OuterPrice(parts, left, outer_trainings(resolved), parts * seconds, disk)


def outer_lines(resolved: ResolvedSweep) -> list[str]:
    """What `outer` adds to a sweep, said before anything is trained; nothing without it."""
    if not resolved.spec.outer:
        return []
    at_most = "at most " if resolved.search.proposes else ""
    return [
        f"outer = {resolved.spec.outer}: after this sweep the same search is made without each of as many parts of the "
        f"images, and what it chooses is trained: {at_most}{outer_trainings(resolved)} trainings more. --dry-run says "
        "how long that takes."
    ]


def outer_words(price: OuterPrice, images: int) -> str:
    """What it is that costs."""
    return (
        f"{price.parts} more searches on {price.left} of the {images} images each, and a training of what each chooses"
    )


def _of_a_part(resolved: ResolvedSweep) -> ResolvedSweep:
    return resolve(part_spec(resolved.spec, "", 1), resolved.block_params, resolved.always_params, resolved.bare)
