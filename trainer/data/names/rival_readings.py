"""Where names allow two readings of a folder: what tells them apart, and a refusal that names both."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from trainer.data.listing.folder import count, few
from trainer.data.names.attempts import Attempt, kind, recurring_names
from trainer.data.names.keys import Key, Named
from trainer.data.names.mask_look import look_like_masks
from trainer.data.names.name_words import rest
from trainer.data.names.pattern_of import pattern_pair
from trainer.errors import UserError

FORMATS = frozenset(("png", "tif", "tiff", "jpg", "jpeg", "bmp", "gif", "dcm", "dicom", "nii", "nifti"))

Keyed = tuple[Key, Named]
Kinds = dict[tuple[str, ...], tuple[Keyed, ...]]


def one_reading(folder: Path, attempt: Attempt, unknown: Sequence[Named]) -> tuple[Attempt, str]:
    """The attempt if it can be read in one way only, and a word on kinds of masks that show photographs: left out.

    `unknown`: files whose names say nothing. Raises `UserError` where an image has masks of several kinds, a mask
    images of several, or where the files of another folder would do as masks, too.
    """
    files = [file.path for _, file in (*attempt.images, *attempt.masks)] + [file.path for file in unknown]
    check_formats(folder, attempt)
    if images := rivals(attempt.images, counted=True):
        attempts = [replace(attempt, images=without(attempt.images, images, one, counted=True)) for one in images]
        raise two_readings(folder, "images", attempts, files)
    masks, note = rivals(attempt.masks), ""
    photographs = [one for one, keyed in masks.items() if look_like_masks(paths(keyed)) is False]
    if len(masks) - len(photographs) == 1:
        left = tuple(path for one in photographs for path in paths(masks[one]))
        note = f"{count(left, 'file')} that look like images, not like masks, not read ({few(left)})"
        attempt = replace(attempt, masks=without(attempt.masks, masks, *(set(masks) - set(photographs))))
    elif masks:
        attempts = [replace(attempt, masks=without(attempt.masks, masks, one)) for one in masks]
        raise two_readings(folder, "masks", attempts, files)
    if further := also_masks(attempt, unknown):
        raise two_readings(folder, "masks", [attempt, replace(attempt, masks=further)], files)
    return attempt, note


def rivals(keyed: Sequence[Keyed], *, counted: bool = False) -> Kinds:
    """The kinds of files that share a key with another kind, each with its files."""
    by_key: dict[Key, set[tuple[str, ...]]] = defaultdict(set)
    by_kind: dict[tuple[str, ...], list[Keyed]] = defaultdict(list)
    recurring = recurring_names(keyed)
    for key, file in keyed:
        one = kind(key, file, counted=counted, recurring=recurring)
        by_key[key].add(one)
        by_kind[one].append((key, file))
    found = {one for kinds in by_key.values() if len(kinds) > 1 for one in kinds}
    return {one: tuple(by_kind[one]) for one in sorted(found)}


def without(
    keyed: Sequence[Keyed], kinds: Iterable[tuple[str, ...]], *kept: tuple[str, ...], counted: bool = False
) -> tuple[Keyed, ...]:
    """The files without those of the rival `kinds`, except the `kept` ones."""
    dropped, recurring = set(kinds) - set(kept), recurring_names(keyed)
    return tuple(
        (key, file) for key, file in keyed if kind(key, file, counted=counted, recurring=recurring) not in dropped
    )


def also_masks(attempt: Attempt, unknown: Sequence[Named]) -> tuple[Keyed, ...]:
    """The files of another folder that have the images' names and look like masks: `vessels/` beside `mask/`."""
    by_name = {rest(file.stem): key for key, file in attempt.images}
    groups: dict[tuple[str, ...], list[Named]] = defaultdict(list)
    for file in unknown:
        groups[file.folders].append(file)
    for files in groups.values():
        if {rest(file.stem) for file in files} == by_name.keys() and look_like_masks([file.path for file in files]):
            return tuple((by_name[rest(file.stem)], file) for file in files)
    return ()


def check_formats(folder: Path, attempt: Attempt) -> None:
    """Raise `UserError` where a set is there twice, in folders named after two formats of files."""
    first: dict[tuple[str, ...], Named] = {}
    for _, file in attempt.images:
        names = tuple(name for name in file.folders if name.lower() not in FORMATS)
        other = first.setdefault((*names, file.stem), file)
        if other.folders != file.folders:
            one, two = ("/".join(each.folders) for each in (other, file))
            raise UserError(
                f"A data set is read once, but {folder} holds {one} and {two}, with the same names: the same images in "
                "two formats. Give one of them, or move the other out of the folder."
            )


def two_readings(folder: Path, what: str, attempts: Sequence[Attempt], files: Sequence[Path]) -> UserError:
    """The refusal that names all readings and says how to choose."""
    lines = []
    for attempt in attempts:
        pair = patterns(folder, attempt, files)
        example = attempt.images[0][1].path if what == "images" else attempt.masks[0][1].path
        lines.append(
            f"  --data {shlex.quote(str(folder / pair[0]))} --masks {shlex.quote(str(folder / pair[1]))}"
            if pair
            else f"  {what} such as {example.relative_to(folder)}"
        )
    number = "Two" if len(attempts) == 2 else len(attempts)
    return UserError(
        f"{number} readings of {folder} are possible: its {what} may be any of these. Choose one:\n"
        + "\n".join(lines)
        + "\nOr list images and masks in a table, and give that as --data."
    )


def patterns(folder: Path, attempt: Attempt, files: Sequence[Path]) -> tuple[str, str] | None:
    """The patterns that pair as the attempt does."""
    masks_of: dict[Path, list[Path]] = {}
    by_key = {key: file.path for key, file in attempt.images}
    for key, file in attempt.masks:
        if key in by_key:
            masks_of.setdefault(by_key[key], []).append(file.path)
    return pattern_pair(folder, masks_of, files)


def paths(keyed: Sequence[Keyed]) -> list[Path]:
    """The files alone."""
    return [file.path for _, file in keyed]
