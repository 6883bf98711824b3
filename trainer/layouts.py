"""Which published layout a folder has: pairs of image and masks out of file names, and everything left without."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.config import UserError
from trainer.pictures import SUFFIXES

MASK_SUFFIX = re.compile(r"_mask((?:_\d+)*)$", re.IGNORECASE)
BUSI_CLASSES = ("benign", "malignant", "normal")
SHOWN = 3


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
class Item:
    """One file as a layout reads it: `name` joins image and mask, `part` tells several masks of one image apart."""

    name: str
    path: Path
    label: str = ""
    part: str = ""


@dataclass(frozen=True)
class Match:
    """What a layout found in `folder`, before anything is judged: the survey reports it, `recognise` refuses it."""

    name: str
    folder: Path
    pairs: tuple[Pair, ...]
    without_mask: tuple[Path, ...]
    without_image: tuple[Path, ...]
    duplicates: tuple[tuple[Path, Path], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A layout: what it is called, how it looks (for people), and the images and masks it sees, or None."""

    name: str
    looks: str
    find: Callable[[Path], tuple[list[Item], list[Item]] | None]


def busi(folder: Path) -> tuple[list[Item], list[Item]] | None:
    """BUSI: class folders whose masks lie beside their images."""
    classes = [folder / label for label in BUSI_CLASSES if (folder / label).is_dir()]
    return suffixed(folder, classes) if classes else None


def flat(folder: Path) -> tuple[list[Item], list[Item]] | None:
    """Masks beside their images, told apart by the suffix, in the folder itself or in class folders."""
    images, masks = suffixed(folder, [folder, *subfolders(folder)])
    return (images, masks) if masks else None


def two_folders(image_folder: str, mask_folder: str) -> Callable[[Path], tuple[list[Item], list[Item]] | None]:
    """A layout with images in one folder and masks in another under the same name (or name_mask)."""

    def find(folder: Path) -> tuple[list[Item], list[Item]] | None:
        image_root, mask_root = folder / image_folder, folder / mask_folder
        if not (image_root.is_dir() and mask_root.is_dir()):
            return None
        images = [item(image_root, path) for path in pictures(image_root, "**/*")]
        names = {image.name for image in images}
        masks = [item(mask_root, path) for path in pictures(mask_root, "**/*")]
        return images, [mask if mask.name in names else without_suffix(mask) for mask in masks]

    return find


# The order matters: the first rule that sees its folders wins, and `flat` would also see BUSI's.
RULES = (
    Rule("BUSI", "benign/, malignant/, normal/ with x.png, x_mask.png, x_mask_1.png", busi),
    Rule("DUTS-TR", "DUTS-TR-Image/x.jpg, DUTS-TR-Mask/x.png", two_folders("DUTS-TR-Image", "DUTS-TR-Mask")),
    Rule("DUTS-TE", "DUTS-TE-Image/x.jpg, DUTS-TE-Mask/x.png", two_folders("DUTS-TE-Image", "DUTS-TE-Mask")),
    Rule("Montgomery", "CXR_png/x.png, masks/x.png", two_folders("CXR_png", "masks")),
    Rule("Dataset B", "original/000001.png, GT/000001.png", two_folders("original", "GT")),
    Rule("images and masks", "images/x.png, masks/x.png (class folders inside both)", two_folders("images", "masks")),
    Rule("suffix _mask", "x.png, x_mask.png side by side (or so in class folders)", flat),
)


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
            return joined(rule.name, place, *items)
    raise unknown(folder)


def first_rule(folder: Path) -> tuple[Rule, tuple[list[Item], list[Item]]] | None:
    """The first rule that sees at least one picture here, and what it sees."""
    found = ((rule, rule.find(folder)) for rule in RULES)
    return next(((rule, items) for rule, items in found if items and any(items)), None)


def joined(name: str, folder: Path, images: list[Item], masks: list[Item]) -> Match:
    """Images and masks brought together by name, with everything that stays alone or comes twice."""
    duplicates = (*doubled(images), *doubled(masks))
    by_name: dict[str, list[Item]] = {}
    for mask in masks:
        by_name.setdefault(mask.name, []).append(mask)
    known = {image.name for image in images}
    pairs = [
        Pair(image.name, image.path, tuple(mask.path for mask in natural(by_name[image.name])), image.label)
        for image in natural(images)
        if image.name in by_name
    ]
    return Match(
        name,
        folder,
        tuple(pairs),
        tuple(image.path for image in natural(images) if image.name not in by_name),
        tuple(mask.path for mask in natural(masks) if mask.name not in known),
        duplicates,
        unread(folder),
    )


def unpaired(found: Match) -> str:
    """In words: how many images have no mask and how many masks no image, with the first few of each; "" if none."""
    parts = []
    if found.without_mask:
        parts.append(f"{count(found.without_mask, 'image')} without mask ({few(found.without_mask)})")
    if found.without_image:
        parts.append(f"{count(found.without_image, 'mask')} without image ({few(found.without_image)})")
    return " and ".join(parts)


def unknown(folder: Path) -> UserError:
    """Nothing fits: the folder is empty of pictures, or its names follow none of the rules."""
    seen = len(pictures(folder, "**/*"))
    if not seen:
        return UserError(
            f"A data set needs pictures ({', '.join(SUFFIXES)}), but {folder} holds none. Check the path, or unpack it."
        )
    known = "\n".join(f"  {rule.name}: {rule.looks}" for rule in RULES)
    return UserError(
        f"The layout of {folder} ({seen} pictures) is none that thaw knows. Known layouts:\n{known}\n"
        "Rename or move the files to one of these; the last two fit any data set."
    )


def suffixed(root: Path, folders: Iterable[Path]) -> tuple[list[Item], list[Item]]:
    """Images and masks that lie side by side in `folders`, the masks told apart by `_mask`, `_mask_1`, ..."""
    images: list[Item] = []
    masks: list[Item] = []
    for folder in folders:
        for one in (item(root, path) for path in pictures(folder, "*")):
            if MASK_SUFFIX.search(one.name):
                masks.append(without_suffix(one))
            else:
                images.append(one)
    return images, masks


def item(root: Path, path: Path) -> Item:
    """A file named by its path below `root` without suffix; a class folder directly below `root` is its label."""
    inside = path.relative_to(root)
    return Item(inside.with_suffix("").as_posix(), path, inside.parts[0] if len(inside.parts) == 2 else "")


def without_suffix(mask: Item) -> Item:
    """The mask `benign (1)_mask_1` as part `_1` of the image `benign (1)`."""
    suffix = MASK_SUFFIX.search(mask.name)
    return replace(mask, name=mask.name[: suffix.start()], part=suffix[1]) if suffix else mask


def pictures(folder: Path, pattern: str) -> list[Path]:
    """The picture files below `folder`, by suffix."""
    return [path for path in files(folder, pattern) if path.suffix.lower() in SUFFIXES]


def files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files below `folder`, leaving out hidden ones and what archivers and file managers add."""
    for path in folder.glob(pattern):
        inside = path.relative_to(folder).parts
        if not any(part.startswith((".", "__MACOSX")) or part == "Thumbs.db" for part in inside) and path.is_file():
            yield path


def subfolders(folder: Path) -> list[Path]:
    """The visible folders directly inside, in order."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith((".", "__")))


def unread(folder: Path) -> tuple[str, ...]:
    """A note on files that are no pictures by their suffix, so that a format thaw cannot read is not lost silently."""
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in files(folder, "**/*"))
    others = {suffix: number for suffix, number in suffixes.items() if suffix not in SUFFIXES}
    listed = ", ".join(f"{number} {suffix}" for suffix, number in sorted(others.items()))
    return (f"files that are no pictures by their names, not read: {listed}",) if others else ()


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


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """A sort key in which runs of digits are numbers."""
    runs = (run for run in re.split("([0-9]+)", text) if run)
    return [(0, int(run), "") if run[0] in "0123456789" else (1, 0, run) for run in runs]


def few(paths: tuple[Path, ...]) -> str:
    """The first names, and an ellipsis for the rest."""
    names = ", ".join(path.name for path in paths[:SHOWN])
    return names + (", ..." if len(paths) > SHOWN else "")


def count(things: tuple[object, ...], word: str) -> str:
    """`1 image`, `2 images`."""
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
