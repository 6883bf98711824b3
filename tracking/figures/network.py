"""The network with its frozen and thawed blocks: told apart by fill, border and weight, not by hue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tracking.figures.canvas import DEEP, GREY, INK, Form, canvas

THAWED = "#0b5c7d"
WIDTH, TALLEST, DROP, SHRINK = 0.66, 2.2, 0.5, 0.36  # of a unit's box, in units of the distance between two


@dataclass(frozen=True)
class Layout:
    """The units 1..n of the U-Net as they are drawn: `levels[i]` counts the poolings above unit i + 1; `skips` are
    pairs of positions; `head` says where the 1x1 head trains (`PartitionConfig`). A `row` is drawn of a network whose
    joints are not known: no levels, no skips, and no head but one that is a unit or always trains.
    """

    params: Sequence[int]
    levels: tuple[int, ...]
    skips: tuple[tuple[int, int], ...]
    head: str = "last"
    row: bool = False

    @property
    def own_head(self) -> bool:
        """Whether the last unit is the 1x1 head alone."""
        return self.head == "own"


def layout(params: Sequence[int], unit: str = "block", head: str = "last", *, row: bool = False) -> Layout:
    """Where the units of a U-Net stand: an odd number of blocks, half-way at the bottom; two convolutions to a block.
    With `row`, those of any network, side by side.

    >>> layout([1] * 10, head="own").levels
    (0, 1, 2, 3, 4, 3, 2, 1, 0, 0)
    """
    if row:
        return Layout(params, (0,) * len(params), (), head, row=True)
    count = len(params) - (head == "own")
    each = 2 if unit == "conv" and count % 2 == 0 else 1
    blocks = count // each
    levels = [min(block, blocks - 1 - block) for block in range(blocks) for _ in range(each)]
    skips = tuple((each * block + each - 1, each * (blocks - 1 - block)) for block in range(blocks // 2))
    return Layout(params, (*levels, *[0] * (len(params) - count)), skips, head)


def draw_networks(
    drawn: Sequence[tuple[str, Sequence[int]]], of: Layout, stamp: str = "", form: Form = "inline"
) -> bytes:
    """Figure 2: the network once for every (title, thawed units). Filled boxes are thawed, empty ones frozen."""
    columns = 2 if len(of.levels) <= 10 and len(drawn) > 1 else 1  # eighteen convolutions want the whole width
    rows = -(-len(drawn) // columns)
    with canvas("network", 9.4, 2.5 * rows + 0.3, form) as (figure, save):
        for number, (title, thawed) in enumerate(drawn, 1):
            axes = figure.add_subplot(rows, columns, number)
            axes.set_title(title, loc="left", fontsize=9.5)
            _draw(axes, of, set(thawed))
        if stamp:
            figure.suptitle(stamp, x=0.995, ha="right", color=DEEP, fontweight="bold", fontsize=9)
        return save()


Box = tuple[float, float, float]  # the middle of a unit along the network, its upper edge, its height


def _draw(axes: Axes, of: Layout, thawed: set[int]) -> None:
    boxes, middle = _boxes(of)
    for left, right in of.skips:
        y = boxes[left][1] - 0.25
        axes.plot([left + WIDTH / 2, right - WIDTH / 2], [y, y], color=GREY, linewidth=0.9, linestyle=(0, (3, 3)))
    axes.plot([x for x, _ in middle], [y for _, y in middle], color=INK, linewidth=1.0, zorder=1)
    last = len(of.params)
    for number, box in enumerate(boxes, 1):
        free = number in thawed if number <= last else of.head == "always" or last in thawed
        _draw_box(axes, box, free)
        _name_box(axes, box, number, of, free)
    axes.set_xlim(-0.6, len(boxes) - 0.4)
    axes.set_ylim(min(top - height for _, top, height in boxes) - 0.5, 0.15)
    axes.axis("off")


def _boxes(of: Layout) -> tuple[list[Box], list[tuple[float, float]]]:
    """The box of every unit and of a head behind the last, and the points of the line that joins them."""
    boxes = [(float(i), -DROP * level, TALLEST - SHRINK * level) for i, level in enumerate(of.levels)]
    middle = [(x, top - height / 2) for x, top, height in boxes]
    if of.own_head:
        boxes[-1] = (boxes[-1][0], middle[-1][1] + WIDTH / 2, WIDTH)
    elif not of.row or of.head == "always":  # no unit of its own: a small box behind the last one
        boxes.append((float(len(boxes)), middle[-1][1] + WIDTH / 2, WIDTH))
        middle.append((boxes[-1][0], middle[-1][1]))
    return boxes, middle


def _draw_box(axes: Axes, box: Box, free: bool) -> None:
    x, top, height = box
    axes.add_patch(
        Rectangle(
            (x - WIDTH / 2, top - height),
            WIDTH,
            height,
            zorder=2,
            facecolor=THAWED if free else "white",
            edgecolor=INK if free else GREY,
            linewidth=1.4 if free else 0.8,
        )
    )


def _name_box(axes: Axes, box: Box, number: int, of: Layout, free: bool) -> None:
    """The number of a unit inside its box and its parameters below; the head by name."""
    (x, top, height), last = box, len(of.params)
    small = "head" if of.row else "1×1"
    name = str(number) if number < last or (number == last and not of.own_head) else small
    axes.text(
        x,
        top - height / 2,
        name,
        ha="center",
        va="center",
        zorder=3,
        color="white" if free else GREY,
        fontsize=9 if name != small else 6.5,
        fontweight="bold" if free else "normal",
    )
    if number <= last:
        words = short(of.params[number - 1])
        axes.text(x, top - height - 0.12, words, ha="center", va="top", color=GREY, fontsize=6)


def short(count: int) -> str:
    """`664`, `13.9 k`, `4.72 M`."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e3:.3g} k" if count < 1e6 else f"{count / 1e6:.3g} M"
