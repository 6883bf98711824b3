"""Which published layout a folder has: pairs of image and masks out of file names, and everything left without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer.data.folder import count, few, natural_key, pictures, subfolders, unread
from trainer.data.images import SUFFIXES
from trainer.data.published_layouts import RULES, Item, Items, Rule
from trainer.errors import UserError


@dataclass(frozen=True)
class Pair:
    """One case: its unique name (path inside the data set without suffix), its files, its class ("" if unknown)."""

    name: str
    image: Path
    masks: tuple[Path, ...]
    label: str


@dataclass(frozen=True)
class Layout:
    """A recognised folder: the layout's name, its complete pairs in natural order, and what was left out."""

    name: str
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """What a layout found in `folder`, before anything is judged: the survey reports it, `recognise` refuses it.

    `incomplete`: the images that have some of the masks their layout asks for, each with the parts that it lacks.
    """

    name: str
    folder: Path
    pairs: tuple[Pair, ...]
    without_mask: tuple[Path, ...]
    incomplete: tuple[tuple[Path, str], ...]
    without_image: tuple[Path, ...]
    duplicates: tuple[tuple[Path, Path], ...]
    notes: tuple[str, ...]


def recognise(folder: Path, *, skip_unpaired: bool = False) -> Layout:
    """The folder's layout and its pairs.

    Raises `UserError` for a missing, empty or unknown folder, two files that claim one name, and, unless
    `skip_unpaired` leaves them out knowingly (and says so in the notes), images without mask or masks without image.
    """
    found = match(folder)
    if found.duplicates:
        first, second = found.duplicates[0]
        raise UserError(
            f"Every name may stand for one picture, but {first} and {second} share theirs "
            f"({len(found.duplicates)} such in {found.folder}). Rename one or move it out of the folder."
        )
    complaint = unpaired(found)
    if complaint and not skip_unpaired:
        raise UserError(
            f"Every image needs its mask and every mask its image, but in {found.folder} ({found.name} layout) "
            f"{complaint}. Add the missing files, or leave these out knowingly with --set data.skip_unpaired=true."
        )
    if not found.pairs:
        raise UserError(
            f"A data set needs at least one image with its mask, but {found.folder} has none: {complaint}. "
            "Check that the names agree: " + "; ".join(rule.looks for rule in RULES if rule.name == found.name) + "."
        )
    left_out = (f"left out as asked (data.skip_unpaired): {complaint}",) if complaint else ()
    return Layout(found.name, found.pairs, found.notes + left_out)


def match(folder: Path) -> Match:
    """What the first fitting rule finds in `folder`, or in its one recognised sub-folder (an unpacked archive)."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"A data set is a folder of images and masks, but {folder} {what}. Check the path.")
    for candidates in ([folder], subfolders(folder)):
        found = [(place, *first) for place in candidates if (first := first_rule(place))]
        if len(found) > 1:
            names = ", ".join(f"{place.name} ({rule.name})" for place, rule, _ in found)
            raise UserError(f"One data set at a time, but {folder} holds several: {names}. Name one of these folders.")
        if found:
            place, rule, items = found[0]
            return joined(rule, place, *items)
    raise unknown(folder)


def first_rule(folder: Path) -> tuple[Rule, Items] | None:
    """The first rule that sees at least one picture here, and what it sees."""
    found = ((rule, rule.find(folder)) for rule in RULES)
    return next(((rule, items) for rule, items in found if items and any(items)), None)


def joined(rule: Rule, folder: Path, images: list[Item], masks: list[Item]) -> Match:
    """Images and masks brought together by name, with everything that stays alone or comes twice."""
    duplicates = (*doubled(images), *doubled(masks))
    by_name: dict[str, list[Item]] = {}
    for mask in masks:
        by_name.setdefault(mask.name, []).append(mask)
    known = {image.name for image in images}
    masked = [image for image in natural(images) if image.name in by_name]
    lacking = {
        image.path: lacks
        for image in masked
        if (lacks := [part for part in rule.parts if part not in {mask.part for mask in by_name[image.name]}])
    }
    pairs = [
        Pair(image.name, image.path, tuple(mask.path for mask in natural(by_name[image.name])), image.label)
        for image in masked
        if image.path not in lacking
    ]
    return Match(
        rule.name,
        folder,
        tuple(pairs),
        tuple(image.path for image in natural(images) if image.name not in by_name),
        tuple((path, " and ".join(parts)) for path, parts in lacking.items()),
        tuple(mask.path for mask in natural(masks) if mask.name not in known),
        duplicates,
        (*outside(folder, [*images, *masks]), *unread(folder)),
    )


def outside(folder: Path, items: Iterable[Item]) -> tuple[str, ...]:
    """A note on pictures in the folder that the layout does not see, such as the organs that are no lungs."""
    seen = {one.path for one in items}
    others = tuple(path for path in sorted(pictures(folder)) if path not in seen)
    return (f"{count(others, 'picture')} not part of this layout, not read ({few(others)})",) if others else ()


def unpaired(found: Match) -> str:
    """In words: how many images lack a mask and how many masks an image, with the first few of each; "" if none."""
    parts = []
    if found.without_mask:
        parts.append(f"{count(found.without_mask, 'image')} without mask ({few(found.without_mask)})")
    for lack in sorted({lack for _, lack in found.incomplete}):
        lacking = tuple(path for path, part in found.incomplete if part == lack)
        parts.append(f"{count(lacking, 'image')} without {lack} mask ({few(lacking)})")
    if found.without_image:
        parts.append(f"{count(found.without_image, 'mask')} without image ({few(found.without_image)})")
    return " and ".join(parts)


def unknown(folder: Path) -> UserError:
    """Nothing fits: the folder is empty of pictures, or its names follow none of the rules."""
    seen = len(pictures(folder))
    if not seen:
        return UserError(
            f"A data set needs pictures ({', '.join(SUFFIXES)}), but {folder} holds none. Check the path, or unpack it."
        )
    known = "\n".join(f"  {rule.name}: {rule.looks}" for rule in RULES)
    return UserError(
        f"The layout of {folder} ({seen} pictures) is none that thaw knows. Known layouts:\n{known}\n"
        "Rename or move the files to one of these; the last two fit any data set."
    )


def doubled(items: list[Item]) -> tuple[tuple[Path, Path], ...]:
    """The files that claim a (name, part) already taken, each with the first that has it."""
    first: dict[tuple[str, str], Path] = {}
    return tuple(
        (taken, one.path)
        for one in natural(items)
        if (taken := first.setdefault((one.name, one.part), one.path)) != one.path
    )


def natural(items: Iterable[Item]) -> list[Item]:
    """Sorted as people count: `benign (2)` before `benign (10)`."""
    return sorted(items, key=lambda one: (natural_key(one.name), natural_key(one.part), one.path.as_posix()))
