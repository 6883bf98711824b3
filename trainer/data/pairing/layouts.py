"""Which published layout a folder has: pairs of image and masks by file names, and the files without a partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.data.formats.decoded import Slice
from trainer.data.formats.kinds import SUFFIXES
from trainer.data.pairing.by_names import Reading, read_pairs, read_two_folders
from trainer.data.pairing.folder import (
    SHOWN,
    broken_links,
    count,
    few,
    image_files,
    left_alone,
    natural_key,
    one_form,
    subfolders,
    target,
    unread,
)
from trainer.data.pairing.folder_meaning import is_patient, one_set
from trainer.data.pairing.pattern_of import pattern_pair
from trainer.data.pairing.published_layouts import RULES, Item, Items, Rule
from trainer.errors import UserError

PLAIN_NAMES = "plain names"


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


def recognise(folder: Path, *, skip_unpaired: bool = False) -> Layout:
    """The folder's layout and its pairs.

    Raises `UserError` for a missing, empty or unknown folder, for two files that claim one name, and for images without
    mask or masks without image. `skip_unpaired` leaves the latter out instead, and the notes say so.
    """
    return whole(match(folder), skip_unpaired=skip_unpaired)


def whole(layout: Match, *, skip_unpaired: bool = False) -> Layout:
    """What was found, if it has no faults: each of them is a `UserError`, as `recognise` says."""
    if layout.duplicates:
        first, second = layout.duplicates[0]
        raise UserError(
            f"Every image and every mask needs a name of its own, but {first} and {second} share theirs "
            f"({len(layout.duplicates)} such in {layout.folder}). Rename one or move it out of the folder."
        )
    faults = unpaired(layout)
    if faults and not skip_unpaired:
        raise UserError(
            f"Every image needs its mask and every mask its image, but in {layout.folder} ({layout.name} layout) "
            f"{faults}. Add the missing files, or leave these out knowingly with --set data.skip_unpaired=true."
        )
    if not layout.pairs:
        raise UserError(
            f"A data set needs at least one image with its mask, but {layout.folder} has none: {faults}. "
            "Check that the names agree"
            + "".join(f": {rule.looks}" for rule in RULES if rule.name == layout.name)
            + "."
        )
    left_out = (f"left out as asked (data.skip_unpaired): {faults}",) if faults else ()
    return Layout(layout.name, layout.pairs, layout.notes + left_out)


def match(folder: Path, part: str = "") -> Match:
    """What the first fitting rule finds in `folder`, or in its one recognised sub-folder (an unpacked archive).

    Where no rule fits, or only a plain one that leaves files without partner, names are compared as a person would
    (`trainer.data.pairing.by_names`). `part`: only a part of a divided set, such as `train`.
    """
    if not folder.is_dir():
        fault = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"A data set is a folder of images and masks, but {folder} {fault}. Check the path.")
    if not part:
        for candidates in ([folder], subfolders(folder)):
            data_sets = [
                (root, *fitting)
                for root in candidates
                if (fitting := first_rule(root))
                and (root == folder or all(fitting[1]))
                and not (fitting[0].alone and outside(folder, [], below=root))
            ]
            if len(data_sets) > 1 and not one_set([root.name for root, *_ in data_sets]):
                names = ", ".join(f"{root.name} ({rule.name})" for root, rule, _ in data_sets)
                raise UserError(
                    f"One data set at a time, but {folder} holds several: {names}. Name one of these folders, or give "
                    "all of them by --data and --masks with wildcards."
                )
            if len(data_sets) == 1:
                return settled(folder, *data_sets[0])
    by_names = match_names(folder, part)
    if by_names is None:
        raise unknown(folder)
    return by_names


def match_names(folder: Path, part: str = "") -> Match | None:
    """What the names in a folder say, published layouts left out of account; None where they say nothing."""
    return paired_by_names(folder, read_pairs(folder, part))


def match_rule(folder: Path, name: str) -> Match | None:
    """What the published layout called `name` finds in a folder, or in a sub-folder of it; None if nothing."""
    for root in (folder, *subfolders(folder)):
        for rule in RULES:
            if rule.name == name and (items := rule.find(root)) and any(items):
                return joined(rule.name, root, *items, parts=rule.parts)
    return None


def match_folders(images: Path, masks: Path) -> Match:
    """The images of one folder and the masks of another, joined by their names.

    Raises `UserError` for a folder that is missing, and where no names go together.
    """
    for kind, folder in (("images", images), ("masks", masks)):
        if not folder.is_dir():
            fault = "is a file" if folder.exists() else "does not exist"
            raise UserError(
                f"--data and --masks name folders (or patterns), but that of the {kind}, {folder}, {fault}."
            )
    reading = read_two_folders(images, masks)
    if reading is None:
        raise UserError(
            f"The names of images and masks must go together, but no file of {masks} has the name of one in {images}. "
            "Give two patterns whose wildcards pair them, or a table."
        )
    elsewhere = [] if masks.is_relative_to(images) else [masks]
    how = (f"paired by names: {reading.how}", *reading.notes)
    return joined("two folders", images, reading.images, reading.masks, how=how, elsewhere=elsewhere)


def settled(folder: Path, root: Path, rule: Rule, items: Items) -> Match:
    """What a rule found in `root`, which is `folder` or lies in it, or what names say, where these say more.

    Raises `UserError` where the rule is a plain one and another reading is possible, too.
    """
    found = joined(rule.name, root, *items, parts=rule.parts)
    others = outside(folder, [], below=root)
    found = replace(found, notes=(*found.notes, *others))
    found = with_patients(found) if rule.plain else found
    if not rule.plain and (found.pairs or found.incomplete):
        return found
    # The parts of a divided set may be laid out each in its own way.
    divided = others and one_set([child.name for child in subfolders(folder) if image_files(child)])
    for place in (folder, root) if divided or faulty(found) else (root,):
        by_names = paired_by_names(place, read_pairs(place))
        if by_names and len(by_names.pairs) > len(found.pairs) and (faulty(found) or not faulty(by_names)):
            return by_names
    return found


def with_patients(found: Match) -> Match:
    """The match with patients in place of classes, where all folders that would be classes are named like patients."""
    labels = {pair.label for pair in found.pairs}
    if len(labels) < 2 or not all(label and is_patient(label) for label in labels):
        return found
    pairs = tuple(replace(pair, label="", patient=pair.label) for pair in found.pairs)
    return replace(found, pairs=pairs, notes=(*found.notes, f"folders taken for patients: {len(labels)}"))


def paired_by_names(folder: Path, reading: Reading | None) -> Match | None:
    """A reading by names as a match, with a first note that says how it was paired."""
    if reading is None:
        return None
    found = joined(PLAIN_NAMES, folder, reading.images, reading.masks)
    masks_of = {pair.image: pair.masks for pair in found.pairs}
    patterns = pattern_pair(folder, masks_of, image_files(folder))
    places = f" (images {patterns[0]}, masks {patterns[1]})" if patterns else ""
    return replace(
        found, notes=(f"paired by names: {reading.how}{places}", *reading.notes, *found.notes), patterns=patterns
    )


def faulty(found: Match) -> bool:
    """Whether a file has no partner, or two have one name."""
    return bool(found.without_mask or found.incomplete or found.without_image or found.duplicates or found.broken)


def first_rule(folder: Path) -> tuple[Rule, Items] | None:
    """The first rule that finds at least one file here, and the images and masks that it finds."""
    results = ((rule, rule.find(folder)) for rule in RULES)
    return next(((rule, items) for rule, items in results if items and any(items)), None)


def joined(
    name: str,
    folder: Path,
    images: list[Item],
    masks: list[Item],
    *,
    parts: Sequence[str] = (),
    how: Sequence[str] = (),
    elsewhere: Sequence[Path] = (),
) -> Match:
    """Images and masks joined by name, with the files that have no partner and those whose name is taken.

    `parts`: the masks that every image must have. `how`: the first notes. `elsewhere`: further folders that
    the files are from.
    """
    duplicates = (*doubled(images), *doubled(masks))
    by_name: dict[str, list[Item]] = {}
    for mask in masks:
        by_name.setdefault(one_form(mask.name), []).append(mask)
    known = {one_form(image.name) for image in images}
    masked = [image for image in natural(images) if one_form(image.name) in by_name]
    incomplete = {
        image.path: missing
        for image in masked
        if (missing := [part for part in parts if part not in {mask.part for mask in by_name[one_form(image.name)]}])
    }
    pairs = [
        Pair(
            image.title or image.name,
            image.path,
            tuple(mask.path for mask in natural(by_name[one_form(image.name)])),
            image.label,
            image.patient,
        )
        for image in masked
        if image.path not in incomplete
    ]
    roots = (folder, *elsewhere)
    return Match(
        name,
        folder,
        tuple(pairs),
        tuple(image.path for image in natural(images) if one_form(image.name) not in by_name),
        tuple((path, " and ".join(parts)) for path, parts in incomplete.items()),
        tuple(mask.path for mask in natural(masks) if one_form(mask.name) not in known),
        duplicates,
        (*how, *(note for root in roots for note in left_out(root, [*images, *masks]))),
        tuple(link for root in roots for link in broken_links(root)),
    )


def left_out(folder: Path, items: Iterable[Item]) -> tuple[str, ...]:
    """Notes on everything in the folder that is not among `items`."""
    return (*outside(folder, items), *unread(folder), *left_alone(folder))


def outside(folder: Path, items: Iterable[Item], below: Path | None = None) -> tuple[str, ...]:
    """A note on image files in the folder that the layout does not use, such as the organs that are no lungs.

    `below`: a sub-folder that has such a note of its own.
    """
    used = {item.path for item in items}
    paths = [] if below == folder else image_files(folder)
    others = tuple(sorted(path for path in paths if path not in used and not (below and path.is_relative_to(below))))
    return (f"{count(others, 'image file')} not part of this layout, not read ({few(others)})",) if others else ()


def unpaired(layout: Match) -> str:
    """In words: how many images have no mask, masks no image and links no target, with a few of each; "" if none."""
    phrases = []
    if layout.without_mask:
        phrases.append(f"{count(layout.without_mask, 'image')} without mask ({few(layout.without_mask)})")
    for missing in sorted({part for _, part in layout.incomplete}):
        images = tuple(path for path, part in layout.incomplete if part == missing)
        phrases.append(f"{count(images, 'image')} without {missing} mask ({few(images)})")
    if layout.without_image:
        phrases.append(f"{count(layout.without_image, 'mask')} without image ({few(layout.without_image)})")
    if layout.broken:
        targets = tuple(f"{path.name} -> {target(path)}" for path in layout.broken[:SHOWN])
        more = ", ..." if len(layout.broken) > SHOWN else ""
        phrases.append(f"{count(layout.broken, 'broken link')} ({', '.join(targets)}{more})")
    return " and ".join(phrases)


def unknown(folder: Path) -> UserError:
    """The error for a folder that no rule fits: it has no image files, or their names follow none of the rules."""
    files = len(image_files(folder))
    if not files:
        return UserError(
            f"A data set needs image files ({', '.join(SUFFIXES)}), but {folder} holds none. "
            "Check the path, or unpack it."
        )
    known = "\n".join(f"  {rule.name}: {rule.looks}" for rule in RULES)
    return UserError(
        f"The layout of {folder} ({files} image files) is none that thaw knows. Known layouts:\n{known}\n"
        "Rename or move the files to one of these (the last two fit any data set); or say which files belong together: "
        "--data 'set/*/us.png' --masks 'set/*/lesion.png', or --data table.csv with the columns image and mask."
    )


def doubled(items: list[Item]) -> tuple[tuple[Path, Path], ...]:
    """The files whose (name, part) is already taken, each behind the first file that has it."""
    first: dict[tuple[str, str], Path] = {}
    return tuple(
        (taken, item.path)
        for item in natural(items)
        if (taken := first.setdefault((one_form(item.name), item.part), item.path)) != item.path
    )


def natural(items: Iterable[Item]) -> list[Item]:
    """Sorted as people count: `benign (2)` before `benign (10)`."""
    return sorted(
        items, key=lambda item: (natural_key(item.title or item.name), natural_key(item.part), item.path.as_posix())
    )
