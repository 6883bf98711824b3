"""Contact sheets of drawn neurons: what each one sees of its picture, what it achieved, the data's largest below."""

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
MARGIN = 4  # pixels of the picture shown around the receptive field: jitter draws there too
CROP = f"Each tile enlarges the middle of its picture that the neuron sees, and {MARGIN} pixels around it."


def sheet(found: Maximised, title: str, data: str = "data") -> bytes:
    """A PNG of all neurons, `COLUMNS` in a row, every block beginning a row of its own.

    Each tile shows the middle of its picture that the neuron sees, enlarged; `data` names the pictures behind "max".
    """
    blocks = list(dict.fromkeys(neuron.block for neuron in found.neurons))
    rows = []
    for block in blocks:
        places = [i for i, neuron in enumerate(found.neurons) if neuron.block == block]
        rows += [places[first : first + COLUMNS] for first in range(0, len(places), COLUMNS)]
    tiles = [[(tile(found, place), _caption(found, place, data)) for place in row] for row in rows]
    return _paste(tiles, f"{title}\n{CROP}")


def before_after_sheet(before: Maximised, after: Maximised, title: str, data: str = "data") -> bytes:
    """A PNG of the same neurons under two sets of weights: a row of "before", the row of "after" right below it."""
    if before.neurons != after.neurons:
        raise UserError("A before/after sheet compares the same neurons, but two different lists were given.")
    tiles = []
    for first in range(0, len(before.neurons), COLUMNS):
        places = range(first, min(first + COLUMNS, len(before.neurons)))
        for when, found in (("before", before), ("after", after)):
            tiles.append([(tile(found, place), [when, *_caption(found, place, data)]) for place in places])
    return _paste(tiles, f"{title}\n{CROP}")


def pair(before: Maximised, after: Maximised, data: str = "data") -> bytes:
    """A PNG of one neuron, before on the left and after on the right: the first of each."""
    rows = [[(tile(found, 0), [when, *_caption(found, 0, data)[1:]]) for when, found in
             (("before", before), ("after", after))]]  # fmt: skip
    return _paste(rows, _caption(before, 0, data)[0])


def tile(found: Maximised, place: int, side: int = TILE) -> Image.Image:
    """The seen middle of one picture at `side` x `side`, 8-bit grey; 0 is black and 1 white, never stretched.

    Interpolated, as pictures of 12 px are shown everywhere: hard squares would draw edges that are in no picture.
    """
    return Image.fromarray(seen(found, place)).resize((side, side), Image.Resampling.BICUBIC)


def seen(found: Maximised, place: int) -> NDArray[np.uint8]:
    """The middle of one picture that its neuron sees, with a margin: uint8, 0 is black and 255 white."""
    image = found.images[place]
    n = len(image)
    half = min(n // 2, found.fields[place] // 2 + MARGIN)
    middle = image[n // 2 - half : n // 2 + half, n // 2 - half : n // 2 + half]
    return np.asarray(np.round(middle * 255), np.uint8)


def _caption(found: Maximised, place: int, data: str) -> list[str]:
    neuron = found.neurons[place]
    lines = [f"block {neuron.block} filter {neuron.filter}, {len(seen(found, place))} px"]
    lines.append(f"drawn {found.achieved[place]:.2f}")
    if not np.isnan(found.in_data[place]):
        lines.append(f"{data} max {found.in_data[place]:.2f}")
    return lines


def _paste(rows: Sequence[Sequence[tuple[Image.Image, list[str]]]], title: str) -> bytes:
    columns = max(len(row) for row in rows)
    height = TILE + LINE * max(len(words) for row in rows for _, words in row) + GAP
    font = ImageFont.load_default(11)
    header = LINE * len(title.splitlines()) + 2 * GAP
    written = max(math.ceil(font.getlength(line)) for line in title.splitlines()) + 2 * GAP
    page = Image.new("L", (max(columns * (TILE + GAP) + GAP, written), header + len(rows) * height), 255)
    draw = ImageDraw.Draw(page)
    draw.multiline_text((GAP, GAP / 2), title, fill=0, font=font, spacing=1)
    for down, row in enumerate(rows):
        for across, (picture, words) in enumerate(row):
            left, top = GAP + across * (TILE + GAP), header + down * height
            page.paste(picture, (left, top))
            draw.multiline_text((left, top + TILE + 1), "\n".join(words), fill=0, font=font, spacing=1)
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()
