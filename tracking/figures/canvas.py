"""The basis of every figure of a report: one style, one way to save, colours that differ in grey as well."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")  # no display needed, and none is opened

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image

# Inside a page, or a file of its own; `page` is a small PNG for a page, for what holds images.
Form = Literal["inline", "svg", "png", "page"]
DPI = {"inline": 72, "svg": 72, "png": 200, "page": 110}

INK, GREY, RULE = "#1c1b1a", "#6b6862", "#d9d5cc"
SHALLOW, DEEP, OTHER = "#0b5c7d", "#c2571a", "#5d6b2f"
TRUTH, PREDICTION = "#ffd166", "#4cc9f0"
BARS: Any = {"markersize": 6, "linewidth": 1.7, "elinewidth": 1.0, "capsize": 3}  # of every curve with error bars
FILL = 0.35  # how much of its colour a filled mask lays over the image

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
    "text.parse_math": False,  # a dollar in a name is a dollar
}
FEW_DECADES = 100  # an axis of less than two decades would have one number, or none


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
                png = to_bytes(figure, "png", {"Software": None})
                return png if form == "png" else _palette(png)
            svg = to_bytes(figure, "svg", {"Date": None, "Creator": None, "Type": None, "Format": None})
            return _inline(svg, name) if form == "inline" else svg

        yield figure, save


def dice_axis(axes: Axes, columns: int, stamp: str) -> None:
    """What every plot of Dice has: the scale with its lines, the legend above, a stamp such as SYNTHETIC."""
    axes.set_ylabel("Dice, mean over images")
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, handlelength=3.2)
    if stamp:
        axes.set_title(stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10)


def logarithmic(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis with numbers as people write them: decades, and 2 and 5 between where there are few of
    these.
    """
    positive = [value for value in values if value > 0]
    few = bool(positive) and max(positive) < FEW_DECADES * min(positive)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def to_bytes(figure: Figure, kind: str, metadata: dict[str, str | None] | None) -> bytes:
    """The bytes of a figure, which is closed."""
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings()
    ):  # a name in a script that is missing from the font is drawn as boxes, without a warning
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        figure.savefig(buffer, format=kind, metadata=metadata)
    plt.close(figure)
    return buffer.getvalue()


def _palette(png: bytes) -> bytes:
    """A PNG of 256 colours, a third of the size: greys stay grey, and the two mask colours keep their hues."""
    palette = Image.new("P", (1, 1))
    greys = [(value, value, value) for value in np.linspace(0, 255, 152).round().astype(int).tolist()]
    tints = [tint for colour in (TRUTH, PREDICTION) for tint in _tints(colour)]
    palette.putpalette([part for colour in (*greys, *tints, _rgb(DEEP)) for part in colour])
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _tints(colour: str) -> list[tuple[int, ...]]:
    """A mask's colour over 40 greys as it is filled, and 10 steps from its dark rim to its outline."""
    over = [(FILL, 255 * grey / 39) for grey in range(40)] + [(share / 10, 0.0) for share in range(1, 11)]
    return [tuple(round(share * part + (1 - share) * grey) for part in _rgb(colour)) for share, grey in over]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _inline(svg: bytes, name: str) -> bytes:
    """The <svg> element alone, its ids unlike those of any other figure, its width left to the page."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    return text.replace("font-family: 'DejaVu Sans', sans-serif", "font-family: inherit").encode()


STAMP = "SYNTHETIC DATA"


def stamp(synthetic: bool) -> str:
    """The stamp that a figure of synthetic data carries, else an empty text."""
    return STAMP if synthetic else ""
