"""Which files of a folder a person would pair: images and masks told apart and joined by the words in their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from trainer.data.listing.folder import bare, case_names, count, few, image_files, one_form
from trainer.data.listing.items import Item
from trainer.data.names.attempts import Attempt, Split
from trainer.data.names.folder_meaning import in_words, meanings, part_of
from trainer.data.names.keys import COMPARISONS, Comparison, Named, keys_of
from trainer.data.names.mask_look import look_like_masks
from trainer.data.names.name_words import Role, role
from trainer.data.names.rival_readings import one_reading, two_readings
from trainer.data.names.slots import by_looks
from trainer.errors import UserError

# What tells images from masks: words in names and folders, in folders alone, in names alone; and last, in folders,
# words that may also say what an image shows.
TELLING = ("names and folders", "folders", "names", "folders, perhaps")


@dataclass(frozen=True)
class Reading:
    """How a folder was read: images and masks whose names join them, how names were compared, and further notes.

    `complete`: nothing is left.
    """

    images: list[Item]
    masks: list[Item]
    how: str
    notes: tuple[str, ...]
    complete: bool


def read_pairs(folder: Path, part: str = "", paths: Sequence[Path] | None = None) -> Reading | None:
    """The images and masks of a folder, paired by their names; None where nothing pairs.

    `part`: only files of this part, such as `train`. Raises `UserError` where two readings are possible, or where the
    part is not there.
    """
    files = in_part(folder, [named(folder, path) for path in (image_files(folder) if paths is None else paths)], part)
    check_groups(folder, files)
    best: tuple[Attempt, str] | None = None
    for split in chain(splits(files), by_looks(files)):
        split, without = without_empty_tests(split)
        for comparison in COMPARISONS:
            attempt = compared(split, comparison)
            if attempt is None:
                continue
            if attempt.complete:
                attempt, note = one_reading(folder, attempt, split.unknown)
                return reading(attempt, without, note)
            if best is None or attempt.paired > best[0].paired:
                best = attempt, without
    if best is None or 2 * best[0].paired < min(len(best[0].images), len(best[0].masks)):
        return None
    return reading(*best)


def read_two_folders(images: Path, masks: Path) -> Reading | None:
    """The images of one folder paired with the masks of another, by names; None where nothing pairs."""
    of_masks = set(image_files(masks))  # may lie inside the folder of the images
    split = Split(
        tuple(named(images, path) for path in image_files(images) if path not in of_masks),
        tuple(named(masks, path) for path in sorted(of_masks)),
    )
    attempts = [attempt for comparison in COMPARISONS if (attempt := compared(split, comparison))]
    best = next((one for one in attempts if one.complete), max(attempts, key=lambda one: one.paired, default=None))
    return reading(best) if best and best.paired else None


def named(folder: Path, path: Path) -> Named:
    """A file of the folder, as its name tells it."""
    *folders, stem = (one_form(part) for part in bare(path.relative_to(folder)).parts)
    return Named(path, tuple(folders), stem)


def in_part(folder: Path, files: Sequence[Named], part: str) -> list[Named]:
    """The files of one part of a divided set, all of them where none is asked for."""
    if not part:
        return list(files)
    parts = {file.path: part_of(file.folders) for file in files}
    wanted = part_of([part]) or part
    if wanted not in parts.values():
        known = ", ".join(sorted(set(parts.values()) - {""})) or "none"
        raise UserError(f"'data.part' must name a part of {folder}, but got '{part}'. Parts by its folders: {known}.")
    return [file for file in files if parts[file.path] == wanted]


def splits(files: Sequence[Named]) -> Iterator[Split]:
    """The ways in which names tell images from masks, the clearest first."""
    seen = set()
    for telling in TELLING:
        by_role: dict[Role, list[Named]] = defaultdict(list)
        for file in files:
            by_role[role_of(file, telling)].append(file)
        images, masks, unknown = (tuple(by_role[one]) for one in ("image", "mask", ""))
        for split in (
            Split(images, masks, unknown) if images else Split(unknown, masks),
            Split((*images, *unknown), masks),
            Split(images, unknown) if not masks else Split((), ()),
        ):
            if split.images and split.masks and split not in seen:
                seen.add(split)
                yield split


def role_of(file: Named, telling: str) -> Role:
    """What a file holds by its name and its folders, the innermost that says it."""
    of_name: Role = role(file.stem)
    of_folders: list[Role] = [role(folder) for folder in reversed(file.folders)]
    folder: Role = next((one for one in of_folders if one and one != "perhaps mask"), "")
    if telling == "folders":
        return folder
    if telling == "folders, perhaps":
        last: Role = next((one for one in of_folders if one), "")
        return "mask" if last == "perhaps mask" else last
    if of_name in ("mask", "other") or telling == "names":
        return "mask" if of_name == "perhaps mask" else of_name
    return folder or ("mask" if of_name == "perhaps mask" else of_name)


def check_groups(folder: Path, files: Sequence[Named]) -> None:
    """Raise `UserError` where several folders of masks have one for every image, such as `manual/` and `mask/`."""
    groups: dict[tuple[str, ...], list[Named]] = defaultdict(list)
    split = next(splits(files), Split((), ()))
    for mask in split.masks:
        groups[tuple(name for name in mask.folders if role(name) == "mask")].append(mask)
    if len(groups) > 1:
        found = (first_complete(Split(split.images, tuple(masks))) for masks in groups.values())
        whole = [attempt for attempt in found if attempt and look_like_masks(attempt.mask_paths) is not False]
        if len(whole) > 1:
            raise two_readings(folder, "masks", whole, [file.path for file in files])


def first_complete(split: Split) -> Attempt | None:
    """The strictest comparison by which every file has its partner."""
    attempts = (compared(split, comparison) for comparison in COMPARISONS)
    return next((attempt for attempt in attempts if attempt and attempt.complete), None)


def without_empty_tests(split: Split) -> tuple[Split, str]:
    """A split without the images of a test part that has no mask at all, as challenges publish it, and a note."""
    masked = {part_of(mask.folders) for mask in split.masks}
    tests = [image for image in split.images if part_of(image.folders) == "test"]
    if "test" in masked or not tests or len(tests) == len(split.images):
        return split, ""
    kept = tuple(image for image in split.images if image not in set(tests))
    paths = tuple(image.path for image in tests)
    return replace(split, images=kept), f"{count(paths, 'test image')} without any mask, not read ({few(paths)})"


def compared(split: Split, comparison: Comparison) -> Attempt | None:
    """The files with their keys by one comparison."""
    keys = keys_of(split.images, split.masks, comparison)
    if keys is None:
        return None
    images, masks = keys
    return Attempt(
        tuple(zip(images, split.images, strict=True)), tuple(zip(masks, split.masks, strict=True)), comparison.words
    )


def reading(attempt: Attempt, *notes: str) -> Reading:
    """The attempt as items that `trainer.data.pairing.joining.joined` joins, and how it was paired in a sentence."""
    images = [file for _, file in attempt.images]
    known = meanings([[name for name in file.folders if not role(name)] for file in images])
    titles = case_names([file.path for file in images])
    return Reading(
        [
            Item("/".join(key), file.path, one.label, title=title, patient=one.patient)
            for (key, file), title, one in zip(attempt.images, titles, known, strict=True)
        ],
        [Item("/".join(key), file.path, part="/".join((*file.folders, file.stem))) for key, file in attempt.masks],
        attempt.words,
        (*in_words(known), *filter(None, notes)),
        attempt.complete,
    )
