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
    units_per_block = 2 if unit == "conv" and count % 2 == 0 else 1
    blocks = count // units_per_block
    levels = [min(block, blocks - 1 - block) for block in range(blocks) for _ in range(units_per_block)]
    skips = tuple(
        (units_per_block * block + units_per_block - 1, units_per_block * (blocks - 1 - block))
        for block in range(blocks // 2)
    )
    return Layout(params, (*levels, *[0] * (len(params) - count)), skips, head)


def draw_networks(
    networks: Sequence[tuple[str, Sequence[int]]], positions: Layout, stamp: str = "", form: Form = "inline"
) -> bytes:
    """Figure 2: the network once for every (title, thawed units). Filled boxes are thawed, empty ones frozen."""
    columns = (
        2 if len(positions.levels) <= 10 and len(networks) > 1 else 1
    )  # eighteen convolutions want the whole width
    rows = -(-len(networks) // columns)
    with canvas("network", 9.4, 2.5 * rows + 0.3, form) as (figure, save):
        for number, (title, thawed) in enumerate(networks, 1):
            axes = figure.add_subplot(rows, columns, number)
            axes.set_title(title, loc="left", fontsize=9.5)
            _draw(axes, positions, set(thawed))
        if stamp:
            figure.suptitle(stamp, x=0.995, ha="right", color=DEEP, fontweight="bold", fontsize=9)
        return save()


Box = tuple[float, float, float]  # the middle of a unit along the network, its upper edge, its height


def _draw(axes: Axes, positions: Layout, thawed: set[int]) -> None:
    boxes, middle = _boxes(positions)
    for left, right in positions.skips:
        y = boxes[left][1] - 0.25
        axes.plot([left + WIDTH / 2, right - WIDTH / 2], [y, y], color=GREY, linewidth=0.9, linestyle=(0, (3, 3)))
    axes.plot([x for x, _ in middle], [y for _, y in middle], color=INK, linewidth=1.0, zorder=1)
    last = len(positions.params)
    for number, box in enumerate(boxes, 1):
        is_thawed = number in thawed if number <= last else positions.head == "always" or last in thawed
        _draw_box(axes, box, is_thawed)
        _name_box(axes, box, number, positions, is_thawed)
    axes.set_xlim(-0.6, len(boxes) - 0.4)
    axes.set_ylim(min(top - height for _, top, height in boxes) - 0.5, 0.15)
    axes.axis("off")


def _boxes(positions: Layout) -> tuple[list[Box], list[tuple[float, float]]]:
    """The box of every unit and of a head behind the last, and the points of the line that joins them."""
    boxes = [(float(i), -DROP * level, TALLEST - SHRINK * level) for i, level in enumerate(positions.levels)]
    middle = [(x, top - height / 2) for x, top, height in boxes]
    if positions.own_head:
        boxes[-1] = (boxes[-1][0], middle[-1][1] + WIDTH / 2, WIDTH)
    elif not positions.row or positions.head == "always":  # no unit of its own: a small box behind the last one
        boxes.append((float(len(boxes)), middle[-1][1] + WIDTH / 2, WIDTH))
        middle.append((boxes[-1][0], middle[-1][1]))
    return boxes, middle


def _draw_box(axes: Axes, box: Box, is_thawed: bool) -> None:
    x, top, height = box
    axes.add_patch(
        Rectangle(
            (x - WIDTH / 2, top - height),
            WIDTH,
            height,
            zorder=2,
            facecolor=THAWED if is_thawed else "white",
            edgecolor=INK if is_thawed else GREY,
            linewidth=1.4 if is_thawed else 0.8,
        )
    )


def _name_box(axes: Axes, box: Box, number: int, positions: Layout, is_thawed: bool) -> None:
    """The number of a unit inside its box and its parameters below; the head by name."""
    (x, top, height), last = box, len(positions.params)
    small = "head" if positions.row else "1×1"
    name = str(number) if number < last or (number == last and not positions.own_head) else small
    axes.text(
        x,
        top - height / 2,
        name,
        ha="center",
        va="center",
        zorder=3,
        color="white" if is_thawed else GREY,
        fontsize=9 if name != small else 6.5,
        fontweight="bold" if is_thawed else "normal",
    )
    if number <= last:
        count = short(positions.params[number - 1])
        axes.text(x, top - height - 0.12, count, ha="center", va="top", color=GREY, fontsize=6)


def short(count: int) -> str:
    """`664`, `13.9 k`, `4.72 M`."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e3:.3g} k" if count < 1e6 else f"{count / 1e6:.3g} M"
