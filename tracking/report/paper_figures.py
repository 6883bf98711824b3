"""The five figures of the study out of one sweep's record: what each shows, by which rule, and its caption."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tracking.analysis.formatting import is_main, setting
from tracking.figures.canvas import Form, stamp
from tracking.figures.curves import draw_curves
from tracking.figures.figure_data import baselines_of, curves_of
from tracking.figures.image_panels import Case, Example, draw_cases, draw_examples, draw_neurons
from tracking.figures.network import draw_networks, layout
from tracking.image_archive import Pictures
from tracking.record import Json, SweepInfo, SweepRecord
from tracking.report.shown_images import TUNED
from tracking.units import head_of, head_sentence, numbered, study_network, unit_of, unit_word

EXAMPLES = 6
COLUMNS = {"zero-shot": "pre-trained", "expanding": "expanding tuned", "contracting": "contracting tuned"}
# The study's 4th convolution and its deepest (the 18th along the longest path), and the bottleneck beside it.
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


def study_figures(record: SweepRecord, found: Json) -> list[Drawn]:
    """Figures 1 to 5, in order; those that this record cannot give are left out."""
    mark = stamp(bool(found["data"]["synthetic"]))
    made = [
        _examples(record, mark),
        _network(record.info, found, mark),
        _cases(record, found, mark),
        _curve(found, mark),
        _neurons(record, found, mark),
    ]
    return [one for one in made if one is not None]


def examples(pictures: Pictures, count: int = EXAMPLES) -> list[int]:
    """Positions of the examples: class by class in turn, inside a class by the hash of the name, so no score has a say.

    As many of each class as evenly as can be, those of a class side by side.
    """
    queues: dict[str, list[int]] = {}
    for place in sorted(range(len(pictures.names)), key=lambda i: _hash(pictures.names[i])):
        queues.setdefault(pictures.labels[place], []).append(place)
    turns = sorted((turn, label) for label, queue in queues.items() for turn in range(len(queue)))
    return [queues[label][turn] for label, turn in sorted((label, turn) for turn, label in turns[:count])]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _example(pictures: Pictures, place: int) -> Example:
    return Example(pictures.names[place], pictures.labels[place], pictures.images[place], pictures.truths[place])


def _examples(record: SweepRecord, mark: str) -> Drawn | None:
    pictures = record.seen.pictures
    if pictures is None or not pictures.names:
        return None
    shown = [_example(pictures, place) for place in examples(pictures)]
    before = record.seen.pretraining
    groups = {"fine-tuned on": shown}
    side = pictures.images.shape[1]
    caption = (
        f"{len(shown)} of {len(pictures.names)} images at working size ({side} x {side} pixels), and below them their "
        "truth, outlined. Chosen by the hash of their names, class by class in turn: no score has a say."
    )
    if before is not None:
        groups = {"pre-trained on": [_example(before, place) for place in range(len(before.names))]} | groups
        caption = f"Above, images of the pre-training: {record.info.weights.get('source', 'unknown')}. Below, {caption}"
    alt = "Images, and below them the same with the truth outlined"
    return Drawn(1, "figure-1-examples", "Examples", caption, alt, partial(draw_examples, groups, mark))


def drawn_masks(found: Json) -> dict[str, str]:
    """Written mask -> title of those that the comparison, the winner and the cheap choice are about."""
    wanted: dict[str, str] = {}
    trials = {one["mask"] for one in found["trials"] if one["role"] == "trial" and is_main(one, found)}
    for name in ("contracting", "expanding"):
        mask = found["model"]["named_masks"].get(name)
        if mask in trials:
            wanted[mask] = f"{name} tuned: {numbered(mask, found['settings'])}"
    for label, key in (("the best", "best"), ("one standard error", "one_standard_error")):
        if found["choice"] and (mask := found["choice"][key]["mask"]) in trials:
            title = wanted.get(mask, f"tuned: {numbered(mask, found['settings'])}")
            wanted[mask] = f"{title} ({label})"
    return wanted


def _network(info: SweepInfo, found: Json, mark: str) -> Drawn | None:
    wanted = drawn_masks(found)
    if not wanted:
        return None
    row = not study_network(info.spec)
    of = layout(info.block_params, unit_of(info.spec), head_of(info.spec), row=row)
    thawed = {one["mask"]: one["blocks"] for one in found["trials"]}
    drawn = [(title, thawed[mask]) for mask, title in wanted.items()]
    caption = (
        f"Its {unit_word(found)}s, numbered from the input. Filled: thawed (tuned); empty: frozen. Under each its "
        f"parameters{'' if row else '; dashed: the skips'}. {head_sentence(info)}"
    )
    alt = "; ".join(wanted.values())
    return Drawn(2, "figure-2-network", "The network", caption, alt, partial(draw_networks, drawn, of, mark))


def _cases(record: SweepRecord, found: Json, mark: str) -> Drawn | None:
    seen = record.seen
    columns = {name: head for name, head in COLUMNS.items() if name in seen.predictions}
    if seen.pictures is None or not columns or not found["cases"]:
        return None
    places = {name: place for place, name in enumerate(seen.pictures.names)}
    rows = []
    for case in found["cases"]:
        image = case["image"]
        if image in places:
            shown = {head: one for name, head in columns.items() if (one := seen.predictions[name].get(image))}
            rows.append(Case(case["rule"], _example(seen.pictures, places[image]), shown))
    caption = (
        f"Image, truth, and the prediction before and after tuning ({setting(found)}), each by the fold that did not "
        "train on the image. Solid: predicted; dashed: the truth. Rows by rule, never by eye: best, median and worst "
        "of the mean Dice of both masks, and where one of them is most ahead."
    )
    if len(dict(found["settings"].get("search") or {}).get("seeds", ())) > 1:
        caption += " Masks and their Dice are those of the first seed."
    heads = list(columns.values())
    alt = f"Image, truth, {', '.join(heads)}"
    return Drawn(3, "figure-3-side-by-side", "Side by side", caption, alt, partial(draw_cases, rows, heads, mark))


def _curve(found: Json, mark: str) -> Drawn | None:
    curves = curves_of(found)
    if not curves:
        return None
    caption = f"Mean Dice against the number of tuned {unit_word(found)}s ({setting(found)}). Bars: ± 1 SD over folds."
    alt = f"Dice against the number of tuned {unit_word(found)}s, in both directions"

    def draw(form: Form) -> bytes:
        return draw_curves(curves, baselines_of(found), stamp=mark, form=form, unit=unit_word(found))

    return Drawn(4, "figure-4-curve", "The two directions", caption, alt, draw)


def _neurons(record: SweepRecord, found: Json, mark: str) -> Drawn | None:
    """The study's two convolutions and the bottleneck where they were drawn, else whichever blocks were."""
    given = {name: record.seen.neurons.get(name, {}) for name in reversed(TUNED)}
    there = sorted({block for pictures in given.values() for block in pictures})
    known = NEURON_BLOCKS if study_network(record.info.spec) else {}  # of another network no convolution is known
    blocks: Sequence[int] = [block for block in known if block in there] or there
    if not blocks:
        return None
    words = {block: f"\n({known.get(block, f'convolution {2 * block}')})" if known else "" for block in blocks}
    rows = [(f"block {block}{words[block]}", [one.get(block) for one in given.values()]) for block in blocks]
    lacking = ", ".join(str(block) for block in known if block not in blocks)
    counted = (
        "Convolutions are counted along the longest path: block 2 ends in the 4th, block 9 in the 18th, the deepest, "
        "and the bottleneck in the 10th. "
    )
    caption = (
        "What excites one neuron of a block's last convolution most, drawn before and after tuning from the same seed, "
        f"with the activation that the drawing achieves and the largest in the data. {counted if known else ''}"
        "Where a mask thaws nothing up to a block, its picture cannot change. The whole sheet: "
        f"thaw visualize {found['sweep']}."
    )
    caption += f" Not drawn in this sweep (search.neurons): block {lacking}." if lacking else ""
    columns = [f"{name} tuned" for name in given]
    alt = "The same neurons before and after tuning"
    draw = partial(draw_neurons, rows, columns, mark)
    return Drawn(5, "figure-5-neurons", "What neurons look for", caption, alt, draw)
