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
from tracking.image_archive import Images
from tracking.record import Predicted, SweepRecord
from tracking.report.shown_images import TUNED
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_main, setting
from tracking.units import is_paper_network, numbered, unit_word

EXAMPLES = 6
COLUMNS = {"zero-shot": "pre-trained", "expanding": "expanding tuned", "contracting": "contracting tuned"}
# The paper's 4th convolution and its deepest (the 18th along the longest path), and the bottleneck beside it.
NEURON_BLOCKS = {2: "convolution 4", 9: "deepest: convolution 18", 5: "bottleneck: convolution 10"}


@dataclass(frozen=True)
class PaperFigure:
    """One figure: the stem of its `file`, `title`, `caption`, the `alt` text for screen readers; `draw` makes it."""

    number: int
    file: str
    title: str
    caption: str
    alt: str
    draw: Callable[[Form], bytes]


def figures_of_paper(summary: SweepSummary, record: SweepRecord) -> list[PaperFigure]:
    """Figures 1 to 5, in order; a figure whose data this record is missing is left out."""
    mark = stamp(summary.data.synthetic)
    figures = [
        _examples(summary, record, mark),
        _network(summary, mark),
        _cases(summary, record, mark),
        _curve(summary, mark),
        _neurons(summary, record, mark),
    ]
    return [figure for figure in figures if figure is not None]


def examples(archive: Images, count: int = EXAMPLES) -> list[int]:
    """Positions of the examples: class by class in turn, inside a class by the hash of the name, so no score decides.

    As many of each class as evenly as can be, those of a class side by side.
    """
    queues: dict[str, list[int]] = {}
    for index in sorted(range(len(archive.names)), key=lambda index: _hash(archive.names[index])):
        queues.setdefault(archive.labels[index], []).append(index)
    turns = sorted((turn, label) for label, queue in queues.items() for turn in range(len(queue)))
    return [queues[label][turn] for label, turn in sorted((label, turn) for turn, label in turns[:count])]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _example(archive: Images, index: int) -> Example:
    return Example(archive.names[index], archive.labels[index], archive.images[index], archive.truths[index])


def _examples(summary: SweepSummary, record: SweepRecord, mark: str) -> PaperFigure | None:
    archive = record.shown_images.images
    if archive is None or not archive.names:
        return None
    targets = [_example(archive, index) for index in examples(archive)]
    pretraining = record.shown_images.pretraining
    groups = {"fine-tuned on": targets}
    side = archive.images.shape[1]
    caption = (
        f"{len(targets)} of {len(archive.names)} images at working size ({side} x {side} pixels), and below them their "
        "truth, outlined. They are chosen by the hash of their names, class by class in turn: scores are ignored."
    )
    if pretraining is not None:
        groups = {"pre-trained on": [_example(pretraining, index) for index in range(len(pretraining.names))]} | groups
        caption = f"Above, images of the pre-training: {summary.weights.source or 'unknown'}. Below, {caption}"
    alt = "Images, and below them the same with the truth outlined"
    return PaperFigure(1, "figure-1-examples", "Examples", caption, alt, partial(draw_examples, groups, mark))


def masks_in_figure(summary: SweepSummary) -> dict[str, str]:
    """Written mask -> title of the masks of the comparison, the winner and the cheapest choice."""
    titles: dict[str, str] = {}
    trials = {trial.mask for trial in summary.trials if trial.role == "trial" and is_main(trial, summary)}
    for name in SIDES:
        mask = summary.model.named_masks.get(name)
        if mask in trials:
            titles[mask] = f"{name} tuned: {_numbered(mask, summary)}"
    for label, mask in _chosen_masks(summary):
        if mask in trials:
            titles[mask] = f"{titles.get(mask, f'tuned: {_numbered(mask, summary)}')} ({label})"
    return titles


def _chosen_masks(summary: SweepSummary) -> list[tuple[str, str]]:
    """(label, mask) of the winner and of the cheapest choice."""
    answer = summary.best_mask
    if not answer:
        return []
    return [("the best", answer.best.mask), ("one standard error", answer.one_standard_error.mask)]


def _numbered(mask: str, summary: SweepSummary) -> str:
    return numbered(mask, summary.settings, summary.model.blocks)


def _network(summary: SweepSummary, mark: str) -> PaperFigure | None:
    titles = masks_in_figure(summary)
    if not titles:
        return None
    model, row = summary.model, not is_paper_network(summary.settings)
    positions = layout(model.block_params, model.unit, model.head, row=row)
    thawed = {trial.mask: trial.blocks for trial in summary.trials}
    networks = [(title, thawed[mask]) for mask, title in titles.items()]
    caption = (
        f"The {unit_word(summary.settings)}s are numbered from the input. Filled: thawed (tuned). Empty: frozen. The "
        f"number of parameters stands below each.{'' if row else ' Dashed: the skip connections.'} "
        f"{model.head_sentence}"
    )
    alt = "; ".join(titles.values())
    return PaperFigure(
        2, "figure-2-network", "The network", caption, alt, partial(draw_networks, networks, positions, mark)
    )


def _cases(summary: SweepSummary, record: SweepRecord, mark: str) -> PaperFigure | None:
    archive, predictions = record.shown_images.images, record.shown_images.predictions
    columns = {name: head for name, head in COLUMNS.items() if name in predictions}
    if archive is None or not columns or not summary.cases:
        return None
    caption = (
        f"Image, truth, and the prediction before and after tuning ({setting(summary)}). Each prediction is by the "
        "network of the fold that did not train on the image. Solid: the prediction. Dashed: the truth. The images are "
        "chosen by rule, never by eye: best, median and worst of the mean Dice of both masks, and those on which one "
        "mask is furthest ahead of the other."
    )
    if len(summary.noise.seeds) > 1:
        caption += " Masks and their Dice are those of the first seed."
    rows, heads = _case_rows(summary, archive, predictions), list(columns.values())
    alt = f"Image, truth, {', '.join(heads)}"
    return PaperFigure(3, "figure-3-side-by-side", "Side by side", caption, alt, partial(draw_cases, rows, heads, mark))


def _case_rows(
    summary: SweepSummary, archive: Images, predictions: Mapping[str, Mapping[str, Predicted]]
) -> list[Case]:
    """The images to look at that were recorded, each with what every column predicted of it."""
    index_of = {name: index for index, name in enumerate(archive.names)}
    columns = {head: predictions[name] for name, head in COLUMNS.items() if name in predictions}
    return [
        Case(
            case.rule,
            _example(archive, index_of[case.image]),
            {head: images[case.image] for head, images in columns.items() if case.image in images},
        )
        for case in summary.cases
        if case.image in index_of
    ]


def _curve(summary: SweepSummary, mark: str) -> PaperFigure | None:
    curves = curves_of(summary)
    if not curves:
        return None
    word = unit_word(summary.settings)
    caption = f"Mean Dice against the number of tuned {word}s ({setting(summary)}). Bars: ± 1 SD over folds."
    alt = f"Dice against the number of tuned {word}s, in both directions"

    def draw(form: Form) -> bytes:
        return draw_curves(curves, baselines_of(summary), stamp=mark, form=form, unit=word)

    return PaperFigure(4, "figure-4-curve", "The two directions", caption, alt, draw)


def _neurons(summary: SweepSummary, record: SweepRecord, mark: str) -> PaperFigure | None:
    """The paper's two convolutions and the bottleneck where they were drawn, else whichever blocks were."""
    sheets = {name: record.shown_images.neurons.get(name, {}) for name in reversed(TUNED)}
    drawn_blocks = sorted({block for sheet in sheets.values() for block in sheet})
    names = NEURON_BLOCKS if is_paper_network(summary.settings) else {}  # of another network no convolution is known
    blocks: Sequence[int] = [block for block in names if block in drawn_blocks] or drawn_blocks
    if not blocks:
        return None
    suffixes = {block: f"\n({names.get(block, f'convolution {2 * block}')})" if names else "" for block in blocks}
    rows = [(f"block {block}{suffixes[block]}", [sheet.get(block) for sheet in sheets.values()]) for block in blocks]
    missing = ", ".join(str(block) for block in names if block not in blocks)
    caption = _neuron_caption(summary.sweep, bool(names), missing)
    columns = [f"{name} tuned" for name in sheets]
    alt = "The same neurons before and after tuning"
    draw = partial(draw_neurons, rows, columns, mark)
    return PaperFigure(5, "figure-5-neurons", "What neurons look for", caption, alt, draw)


def _neuron_caption(sweep: str, numbered_blocks: bool, missing: str) -> str:
    numbering = (
        "Convolutions are counted along the longest path: block 2 ends in the 4th, block 9 in the 18th (the deepest), "
        "the bottleneck in the 10th. "
    )
    caption = (
        "Activation maximisation: the image that activates one neuron of a block's last convolution most, before and "
        "after tuning, from the same seed. The numbers are the activation of this image and the largest in the data. "
        f"{numbering if numbered_blocks else ''}Where a mask freezes all blocks up to this one, the image cannot "
        f"change. All neurons: thaw visualize {sweep}."
    )
    return f"{caption} Not drawn in this sweep (search.neurons): block {missing}." if missing else caption
