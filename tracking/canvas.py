"""What every drawing of a report stands on: one style, one way to save, colours that differ in grey as well."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")  # no display needed, and none is opened

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

# Inside a page, or a file of its own; `page` is a small PNG for a page, for what holds pictures.
Form = Literal["inline", "svg", "png", "page"]
DPI = {"inline": 72, "svg": 72, "png": 200, "page": 110}

INK, GREY, RULE = "#1c1b1a", "#6b6862", "#d9d5cc"
SHALLOW, DEEP, OTHER = "#0b5c7d", "#c2571a", "#5d6b2f"

STYLE: Any = {  # matplotlib types the keys as one long Literal
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: searchable, and in the page's own face
    "figure.facecolor": "white",
}


@contextmanager
def canvas(name: str, width: float, height: float, form: Form) -> Iterator[tuple[Figure, Callable[[], bytes]]]:
    """A figure of `width` x `height` inches and what saves it: the same drawing gives the same bytes.

    Inline has no background and no size of its own; a file has both.
    """
    plain: Any = {"figure.facecolor": "none", "axes.facecolor": "none"} if form == "inline" else {}
    with plt.rc_context({**STYLE, "svg.hashsalt": name, **plain}):
        figure = plt.figure(figsize=(width, height), layout="constrained", dpi=DPI[form])

        def save() -> bytes:
            if form in ("png", "page"):
                return written(figure, "png", {"Software": None})
            svg = written(figure, "svg", {"Date": None, "Creator": None, "Type": None, "Format": None})
            return _inline(svg, name) if form == "inline" else svg

        yield figure, save


def written(figure: Figure, kind: str, metadata: dict[str, str | None] | None) -> bytes:
    """The bytes of a figure, which is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=metadata)
    plt.close(figure)
    return buffer.getvalue()


def _inline(svg: bytes, name: str) -> bytes:
    """The <svg> element alone, its ids unlike those of any other figure, its width left to the page."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    return text.replace("font-family: 'DejaVu Sans', sans-serif", "font-family: inherit").encode()
