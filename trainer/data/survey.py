"""What a folder holds, before anything is trained on it: counts, sizes, duplicates and every problem with its file."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation, binary_erosion

from trainer.data.folder import count
from trainer.data.images import Header, MergedMask, header, read_image, read_masks
from trainer.data.layouts import Match, Pair, match
from trainer.data.near_duplicates import large_group_note, near_duplicate_groups
from trainer.errors import UserError

SIZE = 128
TILES = 40
COLUMNS = 8
CAPTION = 14
LISTED = 20


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a file from being used, or (`fatal=False`) that should be looked at."""

    file: Path
    message: str
    fatal: bool = True


@dataclass(frozen=True, eq=False)
class Survey:
    """Everything `thaw data check` says. Sides in pixels, areas as fractions of the image, 0 to 1.

    `images` float32 and `masks` uint8 (n, 128, 128) are the n readable cases, named and labelled by `names` and
    `labels`; `found` counts all images of the folder, readable or not. `smallest`, `median` and `largest` are
    (width, height), each side by itself. `areas` are the 0, 25, 50, 75 and 100 % quantiles over the cases with
    something marked; empty when there is none.
    """

    layout: str
    folder: Path
    found: int
    names: tuple[str, ...]
    labels: tuple[str, ...]
    images: NDArray[np.float32]
    masks: NDArray[np.uint8]
    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    image_modes: Mapping[str, int]
    mask_modes: Mapping[str, int]
    classes: Mapping[str, int]
    several_masks: int
    empty: tuple[str, ...]
    duplicates: tuple[tuple[str, ...], ...]
    areas: tuple[float, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether `thaw run` would take the folder as it is: nothing fatal, and something marked somewhere."""
        return bool(self.areas) and not any(problem.fatal for problem in self.problems)


class Pictures(Protocol):
    """What a contact sheet is made of; `Cases` and `Survey` both are."""

    @property
    def images(self) -> NDArray[np.float32]: ...
    @property
    def masks(self) -> NDArray[np.uint8]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


def survey(path: Path, size: int = SIZE) -> Survey:
    """Look at every file of the data set in `path`, going on after each problem.

    Raises `UserError` only when there is nothing to look at: a missing, empty or unknown folder.
    """
    found = match(path)
    problems = unpaired_problems(found)
    pairs, images, masks = [], [], []
    headers: list[Header] = []
    mask_modes: Counter[str] = Counter()
    for pair in found.pairs:
        try:
            read = header(pair.image)
            modes = [header(mask).mode for mask in pair.masks]
            mask, image = read_masks(pair.masks, pair.image, size), read_image(pair.image, size)
        except UserError as error:
            problems.append(Problem(pair.image, str(error)))
            continue
        problems.extend(oddities(pair, mask))
        pairs.append(pair)
        headers.append(read)
        mask_modes.update(modes)
        images.append(image)
        masks.append(mask)
    names = tuple(pair.name for pair in pairs)
    stack = np.array(images, np.float32).reshape(-1, size, size)
    groups = near_duplicate_groups(stack)
    sides = np.array([(one.width, one.height) for one in headers] or [(0, 0)])
    return Survey(
        layout=found.name,
        folder=found.folder,
        found=len(found.pairs) + len(found.without_mask) + len(found.incomplete),
        names=names,
        labels=tuple(pair.label for pair in pairs),
        images=stack,
        masks=np.array([mask.pixels for mask in masks], np.uint8).reshape(-1, size, size),
        smallest=width_height(sides.min(axis=0)),
        median=width_height(np.median(sides, axis=0)),
        largest=width_height(sides.max(axis=0)),
        image_modes=Counter(one.mode for one in headers),
        mask_modes=mask_modes,
        classes=Counter(pair.label for pair in pairs),
        several_masks=sum(len(pair.masks) > 1 for pair in pairs),
        empty=tuple(pair.name for pair, mask in zip(pairs, masks, strict=True) if mask.empty),
        duplicates=named_groups(groups, names),
        areas=area_quantiles(masks),
        problems=tuple(problems),
        notes=(*found.notes, *filter(None, [large_group_note(groups)])),
    )


def unpaired_problems(found: Match) -> list[Problem]:
    """One problem per file that has no partner or whose name is taken."""
    return [
        *(Problem(path, "image without mask") for path in found.without_mask),
        *(Problem(path, f"image without {part} mask") for path, part in found.incomplete),
        *(Problem(path, "mask without image") for path in found.without_image),
        *(Problem(second, f"has the same name as {first}") for first, second in found.duplicates),
    ]


def oddities(pair: Pair, mask: MergedMask) -> list[Problem]:
    """What can be used, but should be looked at."""
    odd = (
        (mask.faint, "mask is not black, yet never above 127 of 255: read as empty"),
        (mask.vanished, "object too small to be seen at this size"),
        (mask.resized, "mask has another size than its image: resized by nearest neighbour"),
    )
    return [Problem(pair.image, message, fatal=False) for applies, message in odd if applies]


def area_quantiles(masks: Sequence[MergedMask]) -> tuple[float, ...]:
    """Quantiles 0, 25, 50, 75, 100 % of the marked fraction of the image, over the masks that have any."""
    areas = [float(mask.pixels.mean()) for mask in masks if mask.pixels.any()]
    return tuple(float(area) for area in np.quantile(areas, (0, 0.25, 0.5, 0.75, 1))) if areas else ()


def named_groups(groups: NDArray[np.int64], names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The names of each group of more than one."""
    members: dict[int, list[str]] = {}
    for group, name in zip(groups.tolist(), names, strict=True):
        members.setdefault(group, []).append(name)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)


def text(seen: Survey) -> str:
    """The survey as plain lines for a terminal."""
    lines = [
        f"{seen.folder}: {seen.layout} layout, {seen.found} images, {len(seen.names)} readable with their masks",
        f"sizes      {size_of(seen.smallest)} smallest, {size_of(seen.median)} median, {size_of(seen.largest)} largest",
        f"modes      images {counts(seen.image_modes)}; masks {counts(seen.mask_modes)}",
        f"classes    {counts(seen.classes)}",
        f"masks      {seen.several_masks} images with several masks (merged), {len(seen.empty)} with an empty mask",
        f"area       {areas_in_words(seen.areas)}",
        f"duplicates {sum(map(len, seen.duplicates))} images in {count(seen.duplicates, 'group')} of near-duplicates",
        *listed([" = ".join(group) for group in seen.duplicates]),
        *seen.notes,
    ]
    fatal = [problem for problem in seen.problems if problem.fatal]
    odd = [problem for problem in seen.problems if not problem.fatal]
    lines += [f"to look at {len(odd)}", *listed([f"{one.file}: {one.message}" for one in odd])] if odd else []
    # Every fatal one is listed: mending a folder one error message at a time is what this command spares people.
    lines += [f"problems   {len(fatal)}", *(f"  {one.file}: {one.message}" for one in fatal)] if fatal else []
    return "\n".join([*lines, verdict(seen)])


def verdict(seen: Survey) -> str:
    """The last line: whether `thaw run` would take the folder."""
    if seen.usable:
        return "ready to use"
    if not seen.areas:
        return "not usable: no mask has anything marked (above 127 of 255)"
    return (
        "not usable as it is: mend the problems above (--set data.skip_unpaired=true leaves out files without partner)"
    )


def contact_sheet(cases: Pictures, tiles: int = TILES, side: int = SIZE) -> bytes:
    """A PNG with up to `tiles` cases spread evenly over the set, each `side` pixels wide, named, its mask outlined.

    The outline is white between black, so that it shows on any grey and in a black-and-white print.
    """
    n = len(cases.names)
    shown = sorted({round(place) for place in np.linspace(0, n - 1, min(tiles, n))}) if n else []
    columns = max(1, min(COLUMNS, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    sheet = Image.new("L", (columns * (side + 2), rows * (side + CAPTION + 2)), 255)
    draw = ImageDraw.Draw(sheet)
    for place, case in enumerate(shown):
        left, top = place % columns * (side + 2), place // columns * (side + CAPTION + 2)
        sheet.paste(tile(cases.images[case], cases.masks[case], side), (left, top))
        caption = cases.names[case].rsplit("/", 1)[-1].encode("ascii", "replace").decode()
        draw.text((left + 1, top + side + 1), caption[: side // 6], fill=0)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def tile(image: NDArray[np.float32], mask: NDArray[np.uint8], side: int) -> Image.Image:
    """One case at `side` x `side`, 8-bit grey, with the outline drawn just outside the marked area."""
    grey = Image.fromarray((np.clip(image, 0, 1) * 255).round().astype(np.uint8))
    pixels = np.array(grey.resize((side, side), Image.Resampling.BILINEAR))
    marked = np.asarray(Image.fromarray(np.asarray(mask)).resize((side, side), Image.Resampling.NEAREST)) > 0
    line = binary_dilation(marked) & ~marked
    pixels[(binary_dilation(marked, iterations=2) & ~marked & ~line) | (marked & ~binary_erosion(marked))] = 0
    pixels[line] = 255
    return Image.fromarray(pixels)


def areas_in_words(areas: tuple[float, ...]) -> str:
    """`0.3 % smallest, 2.6 / 5.3 / 12.1 % quartiles, 55.0 % largest`."""
    if not areas:
        return "nothing marked in any mask"
    low, first, median, third, high = (100 * area for area in areas)
    return (
        f"{low:.1f} % of the image smallest, {first:.1f} / {median:.1f} / {third:.1f} % quartiles, {high:.1f} % largest"
    )


def listed(lines: Sequence[str]) -> list[str]:
    """The first lines, indented, and how many more there are."""
    more = [f"  ... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return [*(f"  {line}" for line in lines[:LISTED]), *more]


def counts(of: Mapping[str, int]) -> str:
    """`benign 437, malignant 210`."""
    return ", ".join(f"{name or 'unknown'} {number}" for name, number in sorted(of.items())) or "none"


def size_of(sides: tuple[int, int]) -> str:
    """`500x471`: width x height."""
    return f"{sides[0]}x{sides[1]}"


def width_height(sides: NDArray[np.generic]) -> tuple[int, int]:
    """Two sides as plain integers."""
    return int(sides[0]), int(sides[1])
