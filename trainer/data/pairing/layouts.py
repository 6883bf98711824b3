"""Which layout a folder has: a published one, or what a person would read off its names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trainer.data.formats.kinds import SUFFIXES
from trainer.data.listing.folder import image_files, subfolders
from trainer.data.listing.items import Items
from trainer.data.names.by_names import Reading, read_pairs, read_two_folders
from trainer.data.names.folder_meaning import is_patient, one_set
from trainer.data.names.pattern_of import pattern_pair
from trainer.data.pairing.joining import joined, outside
from trainer.data.pairing.pairs import Layout, Match, faulty, unpaired
from trainer.data.pairing.published_layouts import RULES, Rule
from trainer.errors import UserError

PLAIN_NAMES = "plain names"


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
    (`trainer.data.names.by_names`). `part`: only a part of a divided set, such as `train`.
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


def first_rule(folder: Path) -> tuple[Rule, Items] | None:
    """The first rule that finds at least one file here, and the images and masks that it finds."""
    results = ((rule, rule.find(folder)) for rule in RULES)
    return next(((rule, items) for rule, items in results if items and any(items)), None)


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
