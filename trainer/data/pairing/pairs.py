"""What is found in a data set: its pairs of image and masks, and the files that are left without a partner."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from trainer.data.formats.decoded import Slice
from trainer.data.listing.folder import SHOWN, count, few, target


@dataclass(frozen=True)
class Pair:
    """One case: its unique name (path inside the data set without suffix), its files, its class ("" if unknown).

    `patient`: whose it is, where the files say so, else "". `slice`: which one of a file with several, from 0; None for
    a file that is one image.
    """

    name: str
    image: Path
    masks: tuple[Path, ...]
    label: str
    patient: str = ""
    slice: Slice | None = None


@dataclass(frozen=True)
class Layout:
    """A recognised folder: the layout's name, its complete pairs in natural order, and what was left out."""

    name: str
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """What a layout found in `folder`, faults included: the survey reports them, `recognise` refuses them.

    `incomplete`: the images for which the layout asks for several masks and some are missing, each with the missing
    parts. `duplicates`: pairs of files that claim the same name. `broken`: links that lead nowhere.
    `patterns`: two patterns below `folder` that pair the same files, where there are such and they are needed.
    """

    name: str
    folder: Path
    pairs: tuple[Pair, ...]
    without_mask: tuple[Path, ...]
    incomplete: tuple[tuple[Path, str], ...]
    without_image: tuple[Path, ...]
    duplicates: tuple[tuple[Path, Path], ...]
    notes: tuple[str, ...]
    broken: tuple[Path, ...] = ()
    patterns: tuple[str, str] | None = None


def faulty(found: Match) -> bool:
    """Whether a file has no partner, or two have one name."""
    return bool(found.without_mask or found.incomplete or found.without_image or found.duplicates or found.broken)


def unpaired(layout: Match) -> str:
    """In words: how many images have no mask, masks no image and links no target, with a few of each; "" if none."""
    phrases = []
    if layout.without_mask:
        phrases.append(f"{count(layout.without_mask, 'image')} without mask ({few_of(layout.without_mask, layout)})")
    for missing in sorted({part for _, part in layout.incomplete}):
        images = tuple(path for path, part in layout.incomplete if part == missing)
        phrases.append(f"{count(images, 'image')} without {missing} mask ({few(images)})")
    if layout.without_image:
        phrases.append(f"{count(layout.without_image, 'mask')} without image ({few_of(layout.without_image, layout)})")
    if layout.broken:
        targets = tuple(f"{path.name} -> {target(path)}" for path in layout.broken[:SHOWN])
        more = ", ..." if len(layout.broken) > SHOWN else ""
        phrases.append(f"{count(layout.broken, 'broken link')} ({', '.join(targets)}{more})")
    return " and ".join(phrases)


def few_of(paths: tuple[Path, ...], layout: Match) -> str:
    """The first files by name, or by their place in the folder where others are called the same (`p3/us.png`)."""
    called = Counter(path.name for pair in layout.pairs for path in (pair.image, *pair.masks))
    if not any(called[path.name] for path in paths) or not layout.folder.is_dir():
        return few(paths)
    listed = ", ".join(Path(os.path.relpath(path, layout.folder)).as_posix() for path in paths[:SHOWN])
    return listed + (", ..." if len(paths) > SHOWN else "")
