"""The HTML report: one self-contained page, verdict first, nothing loaded from a network, printable."""

from __future__ import annotations

import json

from markupsafe import Markup, escape

from tracking.figures.canvas import stamp
from tracking.figures.cost import draw_cost
from tracking.figures.curves import draw_curves
from tracking.figures.figure_data import baselines_of, cost_points, curves_of
from tracking.record import SweepRecord
from tracking.report.html import NOTHING, document, figure, fill
from tracking.report.page_best_mask import best_mask_section, leads
from tracking.report.page_comparisons import comparisons_section, convergence_section
from tracking.report.page_distances import distances_section
from tracking.report.page_external import external_section
from tracking.report.page_figures import figures_section
from tracking.report.page_images import per_image_section
from tracking.report.page_labelled_images import labelled_images_section
from tracking.report.page_nested import nested_section
from tracking.report.page_processors import processors_section
from tracking.report.page_seeds import leakage_section, noise_section
from tracking.report.page_starts import starts_section
from tracking.report.page_trials import by_class_section, trials_section
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import setting
from tracking.units import unit_word


def html(summary: SweepSummary, record: SweepRecord) -> str:
    """The page of a sweep; `record` has its images. The page of a search begins with the answer, that of any other
    sweep with the verdict (`page_best_mask.leads`).
    """
    word = unit_word(summary.settings)
    parts = [
        _head(summary),
        _data(summary),
        _curves(summary),
        comparisons_section(summary),
        noise_section(summary),
        processors_section(summary),
        best_mask_section(summary),
        starts_section(summary),
        nested_section(summary),
        figures_section(summary, record),
        NOTHING if leads(summary) else _cost(summary),  # the answer has its own figure of it
        trials_section(summary),
        by_class_section(summary),
        per_image_section(summary),
        labelled_images_section(summary),
        external_section(summary),
        distances_section(summary),
        convergence_section(summary),
        leakage_section(summary),
        _gaps(summary),
        _repeat(summary),
    ]
    return document(f"{summary.sweep}: which {word}s to fine-tune", parts, summary.data.synthetic)


def _head(summary: SweepSummary) -> Markup:
    answer = summary.best_mask if leads(summary) else None
    conclusion = answer.sentence if answer else summary.verdict.sentence
    headline, _, sentence = conclusion.partition(": ")
    state = "" if summary.finished else " · not finished"
    kicker = f"Sweep “{summary.sweep}” · {setting(summary)} · {len(summary.folds)} folds{state}"
    return fill("head.html", kicker=kicker, headline=headline, sentence=sentence[:1].upper() + sentence[1:])


def _data(summary: SweepSummary) -> Markup:
    data, mark = summary.data, "SYNTHETIC data"
    counts = (
        ("images", data.images),
        ("groups", data.groups),
        ("near-duplicates", data.duplicates),
        ("empty masks", data.empty_masks),
    )
    statement = escape(data.statement).replace(mark, Markup("<strong>{}</strong>").format(mark), 1)
    return fill("data.html", statement=statement, facts=[*counts, *data.counted_classes])


def _curves(summary: SweepSummary) -> Markup:
    curves = curves_of(summary)
    if not curves:
        return NOTHING
    word, synthetic, scratch = unit_word(summary.settings), summary.data.synthetic, summary.baselines.scratch
    aside = ""
    if scratch and scratch.epochs != summary.main.epochs:
        aside = f" The from-scratch line was trained for {scratch.epochs} epochs."
    caption = (
        f"Figure 4: Dice against the number of tuned {word}s ({setting(summary)}). Filled marks: mean over "
        f"{len(summary.folds)} folds. Bars: ± 1 SD over folds (n − 1). Open marks: single folds. Horizontal lines: the "
        f"baselines.{aside}"
    )
    drawing = draw_curves(curves, baselines_of(summary), stamp=stamp(synthetic), unit=word)
    return figure("The two directions", drawing, caption, synthetic, "directions")


def _cost(summary: SweepSummary) -> Markup:
    points, synthetic = cost_points(summary), summary.data.synthetic
    if not points:
        return NOTHING
    caption = (
        f"Mean Dice against the number of trained parameters ({setting(summary)}); the labels name the tuned "
        f"{unit_word(summary.settings)}s where there is room."
    )
    return figure("What it costs", draw_cost(points, stamp=stamp(synthetic)), caption, synthetic)


def _gaps(summary: SweepSummary) -> Markup:
    folds = len(summary.folds)
    gaps = (
        ("How the images were read", summary.data.readings),
        ("Left out of the data", summary.data.notes),
        ("Failed trials", [f"{trial.name}: {trial.reason}" for trial in summary.failed]),
        (
            "Unfinished trials",
            [f"{trial.name}: {trial.folds_done} of {folds} folds done" for trial in summary.unfinished],
        ),
        ("Dropped early", [summary.dropped.sentence] if summary.dropped else []),
        ("Not begun", summary.missing),
    )
    shown = [(title, items) for title, items in gaps if items]
    return fill("gaps.html", gaps=shown) if shown else NOTHING


def _repeat(summary: SweepSummary) -> Markup:
    provenance, weights = summary.provenance, summary.weights
    facts = (
        ("commit", provenance.commit),
        ("seed", summary.seed),
        ("digest", summary.digest[:16]),
        ("data digest", summary.data.digest[:16]),
        ("starting weights", f"{weights.source} ({weights.digest[:12]})"),
        ("begun", provenance.started),
        ("MLflow run", provenance.run_id),
        *sorted({**provenance.versions, **provenance.arithmetic}.items()),
        *(("processor", kind.name) for kind in (summary.processors.kinds if summary.processors else ())),
    )
    spec = json.dumps(dict(summary.settings), indent=2, sort_keys=True)
    return fill("repeat.html", command=provenance.command, facts=facts, spec=spec)
