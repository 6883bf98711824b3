"""Templates filled with what a report shows, and the parts that every page is made of: document, figure, image, table.

The template engine escapes whatever it is given; only `Markup`, which the parts here are, goes in unchanged.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tracking.figures.canvas import STAMP, stamp

NOTHING = Markup()


@cache
def _environment() -> Environment:
    """The one set of templates: everything is escaped, and a name that a template is missing is an error."""
    loader = PackageLoader("tracking.report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def fill(template: str, **values: object) -> Markup:
    """A template of `templates/` filled with values, each escaped unless it is `Markup` already."""
    return Markup(_environment().get_template(template).render(**values).strip("\n"))


def document(title: str, parts: Iterable[Markup], synthetic: bool, broad: bool = False) -> str:
    """A whole page: style and script inside, nothing loaded; `broad` for two columns."""
    return (
        fill(
            "document.html",
            title=f"{title} ({STAMP})" if synthetic else title,
            parts=[part for part in parts if part],
            synthetic=synthetic,
            broad=broad,
            style=_asset("report.css"),
            script=_asset("report.js"),
        )
        + "\n"
    )


def figure(title: str, svg: bytes, caption: str, synthetic: bool, anchor: str = "") -> Markup:
    """A drawing with its caption; with a title, a section of its own, to which `anchor` links."""
    drawing = Markup(svg.decode())
    return fill("figure.html", title=title, drawing=drawing, caption=caption, stamp=stamp(synthetic), anchor=anchor)


def image(png: bytes, alt: str, caption: str, synthetic: bool) -> Markup:
    """A PNG inside the page, with its caption."""
    encoded = base64.b64encode(png).decode()
    return fill("image.html", png=encoded, alt=alt, caption=caption, stamp=stamp(synthetic))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str, synthetic: bool, kind: str = "") -> Markup:
    """A table of text; `kind` "sortable" sorts by a click on a head, "filterable" offers the values of column order."""
    return fill("table.html", heads=heads, rows=list(rows), caption=caption, stamp=stamp(synthetic), kind=kind)


def section(title: str, parts: Iterable[Markup]) -> Markup:
    """A section of parts under a heading; nothing where there are none."""
    shown = [part for part in parts if part]
    return fill("section.html", title=title, parts=shown) if shown else NOTHING


def paragraph(sentence: str) -> Markup:
    """One paragraph of text."""
    return Markup("<p>{}</p>").format(sentence)


def _asset(name: str) -> Markup:
    """A file beside the templates that goes into the page unchanged."""
    return Markup(files("tracking.report").joinpath("templates", name).read_text(encoding="utf-8"))
