"""Images and masks joined by the names that a layout gives them, and notes on everything that it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from trainer.data.listing.folder import (
    broken_links,
    count,
    few,
    image_files,
    left_alone,
    natural_key,
    one_form,
    unread,
)
from trainer.data.listing.items import Item
from trainer.data.pairing.pairs import Match, Pair


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
