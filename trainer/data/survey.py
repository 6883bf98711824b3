"""What a folder holds, before anything is trained on it: counts, sizes, duplicates, and problems file by file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.config import DataConfig
from trainer.data.formats.decode import header
from trainer.data.hidden_names import HIDE, numbered
from trainer.data.images import read_image
from trainer.data.intensity import IntensityRule, extremes_of, rule_from
from trainer.data.listing.folder import target
from trainer.data.masks.label_names import label_names
from trainer.data.masks.reading import MergedMask, ScannedMasks, all_files, merge, scan
from trainer.data.masks.rule import MaskRule, decide_masks
from trainer.data.masks.suspicions import suspicions
from trainer.data.near_duplicates import large_group_note, near_duplicate_groups
from trainer.data.notes import ignored_note
from trainer.data.pairing.pairs import Layout, Match, Pair
from trainer.data.pairing.sources import find
from trainer.data.pairing.volumes import sliced
from trainer.errors import UserError
from trainer.results import OBJECT

SIZE = 128
EXAMPLES = 3


@dataclass(frozen=True)
class Problem:
    """A fault that keeps a file from being used, or (`fatal=False`) an oddity to look at.

    `alone`: the file lacks its partner, and `data.skip_unpaired` leaves it out.
    """

    file: Path
    message: str
    fatal: bool = True
    alone: bool = False


@dataclass(frozen=True, eq=False)
class Survey:
    """Everything `thaw data check` says. Sides in pixels, areas as fractions of the image, 0 to 1.

    `images` float32 and `masks` uint8 (n, 128, 128) are the n readable cases, named and labelled by `names` and
    `labels`; `image_count` counts all images of the folder, readable or not. `smallest`, `median` and `largest` are
    (width, height), each side by itself. `areas` are the 0, 25, 50, 75 and 100 % quantiles over the cases with
    something marked; empty when there is none. `found` are all pairs of files with their faults, `pairs` the first
    three in words; `readings` say how the files were read, and what is odd about them, one sentence each.
    """

    layout: str
    folder: Path
    image_count: int
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
    found: Match
    pairs: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether `thaw run` would take the folder as it is: nothing fatal, and something marked somewhere."""
        return bool(self.areas) and not any(problem.fatal for problem in self.problems)


def survey(data: Path | DataConfig, size: int = SIZE) -> Survey:
    """Look at every file of a data set, given as a folder or as a configuration, and go on after each problem.

    Raises `UserError` only when there is nothing to look at: a missing, empty or unknown folder.
    """
    config = data if isinstance(data, DataConfig) else DataConfig(str(data))
    layout = find(config)
    problems = unpaired_problems(layout, fatal=not config.skip_unpaired)
    cases, slicing_notes = slices(layout.pairs, config, problems)
    intensity = intensity_rule(cases, layout.folder, config, problems)
    scanned, images = readable_cases(cases, size, intensity, problems)
    rule = mask_rule(scanned, config, layout, problems)
    masks = [merge(one, rule) for one in scanned] if rule else []
    for one, mask in zip(scanned, masks, strict=False):
        problems.extend(oddities(one.pair, mask))
    names = tuple(numbered(len(scanned)) if config.names == HIDE else (one.pair.name for one in scanned))
    pixels = np.array(images, np.float32).reshape(-1, size, size)
    merged = np.array([mask.pixels for mask in masks] if rule else np.zeros(pixels.shape), np.uint8)
    merged = merged.reshape(-1, size, size)
    odd = suspicions(scanned, rule, merged, float(pixels.max(initial=0))) if rule else ()
    groups = near_duplicate_groups(pixels)
    sides = np.array([(one.image.width, one.image.height) for one in scanned] or [(0, 0)])
    return Survey(
        layout=layout.name,
        folder=layout.folder,
        image_count=len(cases) + len(layout.without_mask) + len(layout.incomplete),
        names=names,
        labels=tuple(one.pair.label for one in scanned),
        images=pixels,
        masks=merged,
        smallest=width_height(sides.min(axis=0)),
        median=width_height(np.median(sides, axis=0)),
        largest=width_height(sides.max(axis=0)),
        image_modes=Counter(one.image.mode for one in scanned),
        mask_modes=Counter(header(path, one.pair.slice).mode for one in scanned for path in one.pair.masks),
        classes=Counter(one.pair.label for one in scanned),
        several_masks=sum(len(one.pair.masks) > 1 for one in scanned),
        empty=tuple(one.pair.name for one, mask in zip(scanned, masks, strict=False) if mask.empty),
        duplicates=named_groups(groups, names),
        areas=area_quantiles(masks),
        problems=tuple(problems),
        notes=(*layout.notes, *slicing_notes, *filter(None, [large_group_note(groups)])),
        pairs=tuple(paired(pair, layout.folder) for pair in layout.pairs[:EXAMPLES]),
        found=layout,
        readings=(
            *((rule.sentence, *ignored_note(merged)) if rule else ()),
            *(f"Images: {note}." for note in intensity.notes),
            *odd,
        ),
    )


def readable_cases(
    pairs: Sequence[Pair], size: int, rule: IntensityRule, problems: list[Problem]
) -> tuple[list[ScannedMasks], list[NDArray[np.float32]]]:
    """The masks and images that can be read; a problem for each of the others."""
    scanned, images = [], []
    for pair in pairs:
        try:
            masks, image = scan(pair, size), read_image(pair.image, size, pair.slice, rule)
        except UserError as error:
            problems.append(Problem(pair.image, str(error)))
            continue
        scanned.append(masks)
        images.append(image)
    return scanned, images


def mask_rule(
    scanned: Sequence[ScannedMasks], config: DataConfig, layout: Match, problems: list[Problem]
) -> MaskRule | None:
    """What the masks mean; where that cannot be known, None and a problem."""
    if not scanned:
        return None
    try:
        return decide_masks(all_files(scanned), config, label_names(Layout(layout.name, layout.pairs, ())))
    except UserError as error:
        problems.append(Problem(layout.folder, str(error)))
        return None


def slices(
    pairs: Sequence[Pair], config: DataConfig, problems: list[Problem]
) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """The cases in these files and notes on them; a volume that its label does not agree with is a problem."""
    whole = []
    for pair in pairs:
        try:
            sliced([pair], config.axis)
        except UserError as error:
            problems.append(Problem(pair.image, str(error)))
        else:
            whole.append(pair)
    return sliced(whole, config.axis)


def intensity_rule(cases: Sequence[Pair], folder: Path, config: DataConfig, problems: list[Problem]) -> IntensityRule:
    """The rule by which `thaw run` would read the images; where there is none, a problem, and each is stretched.

    Images that cannot be read are left out here: they become problems when they are read.
    """
    extremes = []
    for pair in cases:
        with suppress(UserError):
            extremes.append(extremes_of(pair.image, pair.slice))
    try:
        return rule_from([one for one in extremes if one is not None], config)
    except UserError as error:
        problems.append(Problem(folder, str(error)))
        return IntensityRule("image")


def unpaired_problems(layout: Match, *, fatal: bool = True) -> list[Problem]:
    """One problem per file that has no partner or whose name is taken; the former may be left out knowingly."""
    return [
        *(Problem(path, "image without mask", fatal, alone=True) for path in layout.without_mask),
        *(Problem(path, f"image without {part} mask", fatal, alone=True) for path, part in layout.incomplete),
        *(Problem(path, "mask without image", fatal, alone=True) for path in layout.without_image),
        *(Problem(path, f"link that leads nowhere (to {target(path)})", fatal, alone=True) for path in layout.broken),
        *(Problem(second, f"has the same name as {first}") for first, second in layout.duplicates),
    ]


def paired(pair: Pair, folder: Path) -> str:
    """An image, its masks, and what is known of it: `images/1.png with masks/1.png (patient p0)`."""
    start = folder if folder.is_dir() else folder.parent  # of a table
    image, *masks = (Path(os.path.relpath(path, start)).as_posix() for path in (pair.image, *pair.masks))
    known = [f"{what} {name}" for what, name in (("patient", pair.patient), ("class", pair.label)) if name]
    return f"{image} with {' + '.join(masks)}{' (' + ', '.join(known) + ')' if known else ''}"


def oddities(pair: Pair, mask: MergedMask) -> list[Problem]:
    """The oddities of a mask that can be used, but should be looked at."""
    messages = (
        (mask.faint, "mask is not black, yet nowhere the object: read as empty"),
        (mask.vanished, "object too small to be seen at this size"),
        (mask.resized, "mask has another size than its image: resized by nearest neighbour"),
    )
    return [Problem(pair.image, message, fatal=False) for applies, message in messages if applies]


def area_quantiles(masks: Sequence[MergedMask]) -> tuple[float, ...]:
    """Quantiles 0, 25, 50, 75, 100 % of the marked fraction of the image, over the masks with something marked."""
    marked = [mask.pixels == OBJECT for mask in masks]
    areas = [float(mask.mean()) for mask in marked if mask.any()]
    return tuple(float(area) for area in np.quantile(areas, (0, 0.25, 0.5, 0.75, 1))) if areas else ()


def named_groups(groups: NDArray[np.int64], names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The names in each group of more than one case."""
    members: dict[int, list[str]] = {}
    for group, name in zip(groups.tolist(), names, strict=True):
        members.setdefault(group, []).append(name)
    return tuple(tuple(group) for group in members.values() if len(group) > 1)


def width_height(sides: NDArray[np.generic]) -> tuple[int, int]:
    """Two sides as plain integers."""
    return int(sides[0]), int(sides[1])
