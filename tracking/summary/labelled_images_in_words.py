"""How Dice against the number of labelled images reads in every report: heads, rows, and what the numbers count."""

from __future__ import annotations

from collections.abc import Iterator

from tracking.analysis.extrapolation import Gain
from tracking.analysis.formatting import COMPARISON_HEADS, comparison_cells, number
from tracking.analysis.labelled_images import Crossing, CurvePair, LabelledImages, MaskCurve
from tracking.summary.sweep import SweepSummary

LABELLED = "How many labelled images"
PAIR_HEADS = ["masks", "images", *COMPARISON_HEADS]
GAIN_NOTE = (
    "What more images would bring follows from learning curves through the scores of each fold, inverse power laws and "
    "exponentials; the interval spans the corrected 95 % intervals over folds of both. In simulated sweeps it held the "
    "truth in 91 to 100 %."
)
PAIR_NOTE = (
    "Difference in Dice, first mask minus second, paired by fold, corrected interval. Holm is over the numbers of "
    "images of two masks; over the pairs for the changes."
)


def labelled_note(summary: SweepSummary) -> str:
    """What the number counts, and what is held equal; `docs/protocol.md` says it in full."""
    augmentation = dict(summary.settings.get("augmentation") or {})
    filled = "more augmented copies of them" if augmentation.get("total") else "the same images again"
    folds = len(summary.folds)
    return (
        f"The number counts labelled images in all: of n a fold trains on about n x {folds - 1}/{folds}, in whole "
        "groups, the smaller sets within the larger ones, and all are scored on the same images. "
        f"{filled.capitalize()} fill an epoch up, so that it has as many steps at every number."
    )


def size_heads(labelled: LabelledImages) -> list[str]:
    """The heads of `size_rows`."""
    return ["mask", *(f"{size} images" for size in (*labelled.sizes, labelled.images))]


def size_rows(labelled: LabelledImages) -> Iterator[list[str]]:
    """One row per mask: Dice ± SD with each number of images; below, how many a fold trains on of them: of the first
    mask, for the others draw the same.
    """
    sizes = (*labelled.sizes, labelled.images)
    for curve in labelled.curves:
        dice = {point.images: f"{number(point.dice.mean)} ± {number(point.dice.sd)}" for point in curve.points}
        yield [curve.name, *(dice.get(size, "–") for size in sizes)]
    trained = {point.images: _range_of(point.trained) for curve in labelled.curves for point in curve.points}
    yield ["images that a fold trains on", *(trained.get(size, "–") for size in sizes)]


def gain_heads(labelled: LabelledImages) -> list[str]:
    """The heads of `gain_rows`."""
    return ["mask", *(f"{one.more} more images" for one in labelled.curves[0].gains)]


def gain_rows(labelled: LabelledImages) -> Iterator[list[str]]:
    """One row per mask: what more images would bring."""
    for curve in labelled.curves:
        yield [curve.name, *map(_gain_cell, curve.gains)]


def pair_rows(labelled: LabelledImages) -> Iterator[list[str]]:
    """One row per two masks and number of images, and one for what changes between the fewest and all."""
    for pair in labelled.pairs:
        masks = f"{pair.first} − {pair.second}"
        for one in pair.differences:
            yield [masks, str(one.images), *comparison_cells(one)]
        yield [
            masks,
            f"{pair.differences[-1].images} minus {pair.differences[0].images}",
            *comparison_cells(pair.change),
        ]


def crossing_sentences(labelled: LabelledImages) -> list[str]:
    """Where curves cross, and whether that is more than noise."""
    return [_crossing(pair, one) for pair in labelled.pairs for one in pair.crossings]


def refusals(labelled: LabelledImages) -> list[str]:
    """Why it cannot be said of some masks what more images would bring, each reason once."""
    reasons: dict[str, list[str]] = {}
    for curve in labelled.curves:
        for one in curve.gains:
            if one.refusal:
                reasons.setdefault(one.refusal, []).append(f"{curve.name}, {one.more} more")
    return [f"It cannot be said of {'; '.join(gains)}: {reason}." for reason, gains in reasons.items()]


def last_gain(curve: MaskCurve) -> Gain | None:
    """The nearest gain that can be said, for a figure."""
    return next((one for one in curve.gains if not one.refusal), None)


def _gain_cell(found: Gain) -> str:
    return "cannot be said" if found.refusal else f"{found.mean:+.3f} [{found.low:+.3f} to {found.high:+.3f}]"


def _range_of(trained: tuple[float, ...]) -> str:
    low, high = round(min(trained)), round(max(trained))
    return str(low) if low == high else f"{low} to {high}"


def _crossing(pair: CurvePair, one: Crossing) -> str:
    sure = (
        "each is significantly better on its side"
        if one.shown
        else "not shown: on at least one side the difference is within the noise"
    )
    return f"{pair.first} and {pair.second} cross between {one.low} and {one.high} images, near {one.near:.0f}; {sure}."
