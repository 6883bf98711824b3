"""The five figures of the paper out of one sweep's record: what each shows, by which rule, and its caption."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tracking.analysis.comparisons import SIDES
from tracking.figures.canvas import Form, stamp
from tracking.figures.curves import draw_curves
from tracking.figures.figure_data import baselines_of, curves_of
from tracking.figures.image_panels import Case, Example, draw_cases, draw_examples, draw_neurons
from tracking.figures.network import draw_networks, layout
from tracking.image_archive import Pictures
from tracking.record import Predicted, SweepRecord
from tracking.report.shown_images import TUNED
from tracking.spec_view import view_spec
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_main, setting
from tracking.units import numbered, study_network, unit_word

EXAMPLES = 6
COLUMNS = {"zero-shot": "pre-trained", "expanding": "expanding tuned", "contracting": "contracting tuned"}
# The paper's 4th convolution and its deepest (the 18th along the longest path), and the bottleneck beside it.
NEURON_BLOCKS = {2: "convolution 4", 9: "deepest: convolution 18", 5: "bottleneck: convolution 10"}


@dataclass(frozen=True)
class Drawn:
    """One figure: the stem of its `file`, `title`, `caption`, words for who cannot see it (`alt`), what draws it."""

    number: int
    file: str
    title: str
    caption: str
    alt: str
    draw: Callable[[Form], bytes]


def study_figures(summary: SweepSummary, record: SweepRecord) -> list[Drawn]:
    """Figures 1 to 5, in order; those that this record cannot give are left out."""
    mark = stamp(summary.data.synthetic)
    made = [
        _examples(summary, record, mark),
        _network(summary, mark),
        _cases(summary, record, mark),
        _curve(summary, mark),
        _neurons(summary, record, mark),
    ]
    return [one for one in made if one is not None]


def examples(pictures: Pictures, count: int = EXAMPLES) -> list[int]:
    """Positions of the examples: class by class in turn, inside a class by the hash of the name, so no score decides.

    As many of each class as evenly as can be, those of a class side by side.
    """
    queues: dict[str, list[int]] = {}
    for index in sorted(range(len(pictures.names)), key=lambda i: _hash(pictures.names[i])):
        queues.setdefault(pictures.labels[index], []).append(index)
    turns = sorted((turn, label) for label, queue in queues.items() for turn in range(len(queue)))
    return [queues[label][turn] for label, turn in sorted((label, turn) for turn, label in turns[:count])]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _example(pictures: Pictures, index: int) -> Example:
    return Example(pictures.names[index], pictures.labels[index], pictures.images[index], pictures.truths[index])


def _examples(summary: SweepSummary, record: SweepRecord, mark: str) -> Drawn | None:
    pictures = record.seen.pictures
    if pictures is None or not pictures.names:
        return None
    shown = [_example(pictures, index) for index in examples(pictures)]
    before = record.seen.pretraining
    groups = {"fine-tuned on": shown}
    side = pictures.images.shape[1]
    caption = (
        f"{len(shown)} of {len(pictures.names)} images at working size ({side} x {side} pixels), and below them their "
        "truth, outlined. Chosen by the hash of their names, class by class in turn: no score has a say."
    )
    if before is not None:
        groups = {"pre-trained on": [_example(before, index) for index in range(len(before.names))]} | groups
        caption = f"Above, images of the pre-training: {summary.weights.source or 'unknown'}. Below, {caption}"
    alt = "Images, and below them the same with the truth outlined"
    return Drawn(1, "figure-1-examples", "Examples", caption, alt, partial(draw_examples, groups, mark))


def drawn_masks(summary: SweepSummary) -> dict[str, str]:
    """Written mask -> title of those that the comparison, the winner and the cheap choice are about."""
    titles: dict[str, str] = {}
    trials = {one.mask for one in summary.trials if one.role == "trial" and is_main(one, summary)}
    for name in SIDES:
        mask = summary.model.named_masks.get(name)
        if mask in trials:
            titles[mask] = f"{name} tuned: {_numbered(mask, summary)}"
    for label, mask in _chosen(summary):
        if mask in trials:
            titles[mask] = f"{titles.get(mask, f'tuned: {_numbered(mask, summary)}')} ({label})"
    return titles


def _chosen(summary: SweepSummary) -> list[tuple[str, str]]:
    """(label, mask) of the winner and of the cheap choice."""
    answer = summary.best_mask
    if not answer:
        return []
    return [("the best", answer.best.mask), ("one standard error", answer.one_standard_error.mask)]


def _numbered(mask: str, summary: SweepSummary) -> str:
    return numbered(mask, summary.settings, summary.model.blocks)


def _network(summary: SweepSummary, mark: str) -> Drawn | None:
    titles = drawn_masks(summary)
    if not titles:
        return None
    model, row = summary.model, not study_network(summary.settings)
    of = layout(model.block_params, model.unit, model.head, row=row)
    thawed = {one.mask: one.blocks for one in summary.trials}
    drawn = [(title, thawed[mask]) for mask, title in titles.items()]
    caption = (
        f"Its {unit_word(summary.settings)}s, numbered from the input. Filled: thawed (tuned); empty: frozen. Under "
        f"each its parameters{'' if row else '; dashed: the skips'}. {model.head_sentence}"
    )
    alt = "; ".join(titles.values())
    return Drawn(2, "figure-2-network", "The network", caption, alt, partial(draw_networks, drawn, of, mark))


def _cases(summary: SweepSummary, record: SweepRecord, mark: str) -> Drawn | None:
    pictures, predictions = record.seen.pictures, record.seen.predictions
    columns = {name: head for name, head in COLUMNS.items() if name in predictions}
    if pictures is None or not columns or not summary.cases:
        return None
    caption = (
        f"Image, truth, and the prediction before and after tuning ({setting(summary)}), each by the fold that did not "
        "train on the image. Solid: predicted; dashed: the truth. Rows by rule, never by eye: best, median and worst "
        "of the mean Dice of both masks, and where one of them is most ahead."
    )
    if len(view_spec(summary.settings).seeds) > 1:
        caption += " Masks and their Dice are those of the first seed."
    rows, heads = _case_rows(summary, pictures, predictions), list(columns.values())
    alt = f"Image, truth, {', '.join(heads)}"
    return Drawn(3, "figure-3-side-by-side", "Side by side", caption, alt, partial(draw_cases, rows, heads, mark))


def _case_rows(
    summary: SweepSummary, pictures: Pictures, predictions: Mapping[str, Mapping[str, Predicted]]
) -> list[Case]:
    """The images to look at that were recorded, each with what every column predicted of it."""
    index = {name: position for position, name in enumerate(pictures.names)}
    columns = {head: predictions[name] for name, head in COLUMNS.items() if name in predictions}
    return [
        Case(
            case.rule,
            _example(pictures, index[case.image]),
            {head: images[case.image] for head, images in columns.items() if case.image in images},
        )
        for case in summary.cases
        if case.image in index
    ]


def _curve(summary: SweepSummary, mark: str) -> Drawn | None:
    curves = curves_of(summary)
    if not curves:
        return None
    word = unit_word(summary.settings)
    caption = f"Mean Dice against the number of tuned {word}s ({setting(summary)}). Bars: ± 1 SD over folds."
    alt = f"Dice against the number of tuned {word}s, in both directions"

    def draw(form: Form) -> bytes:
        return draw_curves(curves, baselines_of(summary), stamp=mark, form=form, unit=word)

    return Drawn(4, "figure-4-curve", "The two directions", caption, alt, draw)


def _neurons(summary: SweepSummary, record: SweepRecord, mark: str) -> Drawn | None:
    """The paper's two convolutions and the bottleneck where they were drawn, else whichever blocks were."""
    sheets = {name: record.seen.neurons.get(name, {}) for name in reversed(TUNED)}
    there = sorted({block for sheet in sheets.values() for block in sheet})
    known = NEURON_BLOCKS if study_network(summary.settings) else {}  # of another network no convolution is known
    blocks: Sequence[int] = [block for block in known if block in there] or there
    if not blocks:
        return None
    words = {block: f"\n({known.get(block, f'convolution {2 * block}')})" if known else "" for block in blocks}
    rows = [(f"block {block}{words[block]}", [sheet.get(block) for sheet in sheets.values()]) for block in blocks]
    missing = ", ".join(str(block) for block in known if block not in blocks)
    caption = _neuron_caption(summary.sweep, bool(known), missing)
    columns = [f"{name} tuned" for name in sheets]
    alt = "The same neurons before and after tuning"
    draw = partial(draw_neurons, rows, columns, mark)
    return Drawn(5, "figure-5-neurons", "What neurons look for", caption, alt, draw)


def _neuron_caption(sweep: str, known: bool, missing: str) -> str:
    counted = (
        "Convolutions are counted along the longest path: block 2 ends in the 4th, block 9 in the 18th, the deepest, "
        "and the bottleneck in the 10th. "
    )
    caption = (
        "What excites one neuron of a block's last convolution most, drawn before and after tuning from the same seed, "
        f"with the activation that the drawing achieves and the largest in the data. {counted if known else ''}"
        "Where a mask thaws nothing up to a block, its picture cannot change. The whole sheet: "
        f"thaw visualize {sweep}."
    )
    return f"{caption} Not drawn in this sweep (search.neurons): block {missing}." if missing else caption
