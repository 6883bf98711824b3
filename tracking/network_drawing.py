"""The network as a drawing, its frozen and its thawed blocks: told apart by fill, border and weight, not by hue."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

STEP, TOP, WIDTH, HEIGHT = 46, 26, 30, 96
INK, GREY, THAWED = "#1c1b1a", "#8a867e", "#0b5c7d"


def network_svg(block_params: Sequence[int], thawed: Sequence[int], title: str, u_shaped: bool = True) -> str:
    """Blocks 1..n from the input to the output; those in `thawed` are filled. A U puts half-way at the bottom.

    Under each block stands the number of its parameters.
    """
    count = len(block_params)
    parts = []
    places = []
    for block in range(1, count + 1):
        level = min(block, count + 1 - block) - 1 if u_shaped else 0
        height = HEIGHT - 16 * min(level, 4)
        places.append((8 + (block - 1) * STEP, TOP + 22 * level, height))
    if u_shaped:
        for block in range(count // 2):  # the concatenated skips
            (x, y, height), (right, *_) = places[block], places[count - 1 - block]
            parts.append(f'<path d="M{x + WIDTH} {y + height / 2:g}H{right}" stroke="{GREY}" stroke-dasharray="3 3"/>')
    for (x, y, height), (_, below, other) in itertools.pairwise(places):
        end = below + other / 2
        parts.append(f'<path d="M{x + WIDTH} {y + height / 2:g}L{x + STEP} {end:g}" stroke="{INK}" fill="none"/>')
    for block, ((x, y, height), held) in enumerate(zip(places, block_params, strict=True), 1):
        free = block in thawed
        look = f'fill="{THAWED}" stroke="{INK}" stroke-width="1.6"' if free else f'fill="#fff" stroke="{GREY}"'
        ink = "#fff" if free else GREY
        parts.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{height}" rx="2" {look}/>'
            f'<text x="{x + WIDTH / 2:g}" y="{y + height / 2 + 5:g}" fill="{ink}" font-weight="{700 if free else 400}">'
            f'{block}</text><text x="{x + WIDTH / 2:g}" y="{y + height + 13}" fill="{GREY}" font-size="9">'
            f"{_short(held)}</text>"
        )
    width = 16 + (count - 1) * STEP + WIDTH
    bottom = max(y + height for _, y, height in places) + 20
    return (
        f'<svg viewBox="0 0 {width} {bottom}" role="img" aria-label="{escape(title)}" text-anchor="middle" '
        f'font-size="14"><title>{escape(title)}</title><text x="8" y="16" text-anchor="start" fill="{INK}">'
        f"{escape(title)}</text>{''.join(parts)}</svg>"
    )


def _short(count: int) -> str:
    """`664`, `13.9 k`, `4.72 M`."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e3:.3g} k" if count < 1e6 else f"{count / 1e6:.3g} M"
