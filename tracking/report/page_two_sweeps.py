"""Two sweeps on one page, and in Markdown: does the direction depend on the data?"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tracking.analysis.formatting import COMPARISONS, comparison_cells, noise_words, setting, winner_sentences
from tracking.figures.canvas import STAMP, Form, stamp
from tracking.figures.curves import Panel, draw_comparisons, draw_curves, draw_panels
from tracking.figures.figure_data import baselines_of, curves_of, rebuilt, score_limits
from tracking.record import Json
from tracking.report.html import document, figure, table
from tracking.statistics import Comparison
from tracking.units import unit_word

HEADS = ["difference in Dice", "mean", "95 % interval", "p", "Holm p", "P(> 0.01)", "P(± 0.01)", "P(< −0.01)"]
READING = (
    "The last row of each pair subtracts the second sweep's difference from the first's. The two data sets are taken "
    "as independent, so their corrected standard errors add in squares (degrees of freedom after Welch and "
    "Satterthwaite). That one sweep is significant and the other is not shows nothing by itself: only the interval of "
    "the last row does. Two data sets differ in more than one way, so a dependence on the data is not yet one on the "
    "modality."
)


def versus_html(found: Json) -> str:
    """The page for `versus`."""
    sweeps = found["sweeps"]
    synthetic = any(one["data"]["synthetic"] for one in sweeps)
    names = [one["sweep"] for one in sweeps]
    word = (found["finding"] or "no verdict yet").capitalize()
    sentence = found["sentence"].removeprefix(f"{word}: ")
    sentence = sentence[:1].upper() + sentence[1:]
    notes = "".join(f"<li>{escape(note)}</li>" for note in found["notes"])
    parts = [
        f'<header>\n<p class="kicker">{escape(" against ".join(names))}</p>\n<h1>{escape(word)}</h1>\n'
        f'<p class="verdict">{escape(sentence)}</p>\n</header>',
        f'<section class="data"><ul>{notes}</ul></section>' if notes else "",
        _curves(sweeps),
        _comparisons(found, synthetic),
        f'<section>\n<h2>Each by itself</h2>\n<div class="two">{"".join(map(_own, sweeps))}</div>\n</section>',
    ]
    return document(f"{' against '.join(names)}: which blocks to fine-tune", parts, synthetic, broad=True)


def _curves(sweeps: Sequence[Json]) -> str:
    """Both curves on one scale, each marked by itself when its data are synthetic."""
    limits = score_limits(sweeps)
    drawn = []
    for place, one in enumerate(sweeps):
        curves = curves_of(one)
        if not curves:
            continue
        synthetic = bool(one["data"]["synthetic"])
        svg = draw_curves(curves, baselines_of(one), stamp=stamp(synthetic), name=f"curves{place}", limits=limits,
                          unit=unit_word(one))  # fmt: skip
        caption = f"Figure 4: {one['sweep']} ({setting(one)}, {one['data']['images']} images). Bars: ± 1 SD over folds."
        drawn.append(figure("", svg, caption, synthetic))
    return (
        f'<section>\n<h2>The two directions</h2>\n<div class="two">{"".join(drawn)}</div>\n</section>' if drawn else ""
    )


def versus_files(found: Json) -> dict[str, bytes]:
    """file name -> bytes of figure 4 with both sweeps on one scale, and of the comparisons, as SVG and PNG."""
    sweeps = found["sweeps"]
    panels = [
        Panel(
            curves_of(one),
            baselines_of(one),
            stamp(bool(one["data"]["synthetic"])),
            _short(one["sweep"]),
            unit_word(one),
        )
        for one in sweeps
        if curves_of(one)
    ]
    rows = [(_folded(name), one) for name, one, _ in _named_rows(found)]
    mark = stamp(any(one["data"]["synthetic"] for one in sweeps))
    forms: tuple[Form, ...] = ("svg", "png")
    files = {f"figure-4-curve.{form}": draw_panels(panels, score_limits(sweeps), form) for form in forms if panels}
    return files | {f"comparisons.{form}": draw_comparisons(rows, mark, form) for form in forms if rows}


def _named_rows(found: Json) -> list[tuple[str, Comparison, Json | None]]:
    """Per co-primary comparison: in the first sweep, in the second, and the first minus the second; each with its
    noise over seeds.
    """
    rows = []
    names = [one["sweep"] for one in found["sweeps"]]
    for key, title in COMPARISONS.items():
        short = title.partition(" (")[0]
        for name, one in zip(names, found["sweeps"], strict=True):
            if one["comparison"][key] is not None:
                rows.append((f"{short}, {name}", rebuilt(one["comparison"][key]), one["comparison"][key]["noise"]))
        if found["difference"][key] is not None:
            apart = found["difference"][key]
            rows.append((f"{short}: first − second", rebuilt(apart), apart["noise"]))
    return rows


def _table(found: Json) -> tuple[list[str], list[list[str]]]:
    """Heads and rows; the noise has a column when any of them was measured."""
    named = _named_rows(found)
    noisy = any(noise for *_, noise in named)
    rows = [
        [name, *comparison_cells(vars(one))] + ([noise_words(noise) if noise else "not measured"] if noisy else [])
        for name, one, noise in named
    ]
    return [*HEADS, *(["seed SD (SE)"] if noisy else [])], rows


def _comparisons(found: Json, synthetic: bool) -> str:
    rows = _named_rows(found)
    if not rows:
        return ""
    drawn = draw_comparisons([(_folded(name), one) for name, one, _ in rows], stamp=stamp(synthetic))
    caption = "Diamond: mean; line: corrected 95 % interval; ticks: the folds; grey: ± 0.01 Dice, of no practical use."
    heads, cells = _table(found)
    return (
        "<section>\n<h2>How sure is it?</h2>\n"
        + figure("", drawn, caption, synthetic)
        + table(heads, cells, "The co-primary comparisons of both sweeps, and how they differ.", synthetic)
        + f"<p>{escape(READING)}</p>\n</section>"
    )


def _folded(name: str, longest: int = 30) -> str:
    """A name on two lines, its end elided, so that the drawing keeps its width."""
    short, comma, sweep = name.partition(", ")
    return f"{short},\n{_short(sweep, longest)}" if comma else name


def _short(sweep: str, longest: int = 40) -> str:
    return sweep if len(sweep) <= longest else sweep[: longest - 1] + "…"


def _own(one: Json) -> str:
    sentences = [one["data"]["statement"], one["verdict"]["sentence"], *winner_sentences(one)]
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"<div><h3>{escape(one['sweep'])}</h3>{words}<pre>{escape(one['provenance']['command'])}</pre></div>"


def versus_markdown(found: Json) -> str:
    """The same numbers for an issue or a supplement."""
    names = [one["sweep"] for one in found["sweeps"]]
    stamped = [f"{STAMP}: {one['sweep']}" for one in found["sweeps"] if one["data"]["synthetic"]]
    lines = [f"# {' against '.join(names)}", "", *stamped, "", f"**{found['sentence']}**", ""]
    lines += [f"- {note}" for note in found["notes"]]
    heads, rows = _table(found)
    lines += ["", "| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    lines += ["| " + " | ".join([row[0].replace("|", "\\|"), *row[1:]]) + " |" for row in rows]
    lines += ["", READING, ""]
    for one in found["sweeps"]:
        lines += [f"## {one['sweep']}", "", one["data"]["statement"], "", one["verdict"]["sentence"], ""]
    return "\n".join(lines)
