"""Contact sheets of drawn neurons: the part of its image that each sees, its activation, the largest in the data."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trainer.errors import UserError
from trainer.neurons.maximise import Maximised

TILE = 128
GAP = 8
LINE = 13
COLUMNS = 8
MARGIN = 4  # pixels of the image shown around the receptive field: jitter draws there too
CROP = f"Each tile enlarges the part of its image that the neuron sees, and {MARGIN} pixels around it."


def sheet(drawn: Maximised, title: str, data: str = "data") -> bytes:
    """A PNG of all neurons, `COLUMNS` in a row, every block beginning a row of its own.

    Each tile shows the middle of its image that the neuron sees, enlarged; `data` names the images behind "max".
    """
    blocks = list(dict.fromkeys(neuron.block for neuron in drawn.neurons))
    rows = []
    for block in blocks:
        indices = [index for index, neuron in enumerate(drawn.neurons) if neuron.block == block]
        rows += [indices[first : first + COLUMNS] for first in range(0, len(indices), COLUMNS)]
    tiles = [[(tile(drawn, index), _caption(drawn, index, data)) for index in row] for row in rows]
    return _paste(tiles, f"{title}\n{CROP}")


def before_after_sheet(before: Maximised, after: Maximised, title: str, data: str = "data") -> bytes:
    """A PNG of the same neurons under two sets of weights: a row of "before", the row of "after" right below it."""
    if before.neurons != after.neurons:
        raise UserError("A before/after sheet compares the same neurons, but two different lists were given.")
    tiles = []
    for first in range(0, len(before.neurons), COLUMNS):
        indices = range(first, min(first + COLUMNS, len(before.neurons)))
        for when, drawn in (("before", before), ("after", after)):
            tiles.append([(tile(drawn, index), [when, *_caption(drawn, index, data)]) for index in indices])
    return _paste(tiles, f"{title}\n{CROP}")


def pair(before: Maximised, after: Maximised, data: str = "data") -> bytes:
    """A PNG of one neuron, the first of each: before on the left and after on the right."""
    row = [
        (tile(drawn, 0), [when, *_caption(drawn, 0, data)[1:]])
        for when, drawn in (("before", before), ("after", after))
    ]
    return _paste([row], _caption(before, 0, data)[0])


def tile(drawn: Maximised, index: int, side: int = TILE) -> Image.Image:
    """The receptive crop of one image at `side` x `side`, 8-bit grey; 0 is black and 1 white, never stretched.

    Interpolated, as images of 12 px are shown everywhere: hard squares would draw edges that are in no image.
    """
    return Image.fromarray(receptive_crop(drawn, index)).resize((side, side), Image.Resampling.BICUBIC)


def receptive_crop(drawn: Maximised, index: int) -> NDArray[np.uint8]:
    """The middle of one image that its neuron sees, with a margin: uint8, 0 is black and 255 white."""
    image = drawn.images[index]
    n = len(image)
    half = min(n // 2, drawn.fields[index] // 2 + MARGIN)
    middle = image[n // 2 - half : n // 2 + half, n // 2 - half : n // 2 + half]
    return np.asarray(np.round(middle * 255), np.uint8)


def _caption(drawn: Maximised, index: int, data: str) -> list[str]:
    neuron = drawn.neurons[index]
    lines = [f"block {neuron.block} filter {neuron.filter}, {len(receptive_crop(drawn, index))} px"]
    lines.append(f"drawn {drawn.achieved[index]:.2f}")
    if not np.isnan(drawn.in_data[index]):
        lines.append(f"{data} max {drawn.in_data[index]:.2f}")
    return lines


def _paste(rows: Sequence[Sequence[tuple[Image.Image, list[str]]]], title: str) -> bytes:
    columns = max(len(row) for row in rows)
    height = TILE + LINE * max(len(caption) for row in rows for _, caption in row) + GAP
    font = ImageFont.load_default(11)
    header = LINE * len(title.splitlines()) + 2 * GAP
    title_width = max(math.ceil(font.getlength(line)) for line in title.splitlines()) + 2 * GAP
    page = Image.new("L", (max(columns * (TILE + GAP) + GAP, title_width), header + len(rows) * height), 255)
    draw = ImageDraw.Draw(page)
    draw.multiline_text((GAP, GAP / 2), title, fill=0, font=font, spacing=1)
    for down, row in enumerate(rows):
        for across, (image, caption) in enumerate(row):
            left, top = GAP + across * (TILE + GAP), header + down * height
            page.paste(image, (left, top))
            draw.multiline_text((left, top + TILE + 1), "\n".join(caption), fill=0, font=font, spacing=1)
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()
