"""Images and masks told apart by their pixels, where names only say which files belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from trainer.data.names.attempts import Split
from trainer.data.names.keys import Named
from trainer.data.names.mask_look import look_like_masks

MOST = 6  # slots: more folders with equal names are patients or classes

Slots = dict[str, dict[tuple[str, ...], Named]]


def by_looks(files: Sequence[Named]) -> Iterator[Split]:
    """Splits in which one of several equal sets of names looks like images and the other like masks.

    Two folders of any names, `x.jpg` beside `x.png`, `x` beside `x_foo`, or the same two names in every folder. Last
    come two sets in which files are missing: which ones can then be said.
    """
    for slots in chain(filter(whole, grids(files)), filter(nearly_whole, grids(files))):
        looks = {slot: look_like_masks([file.path for file in of.values()]) for slot, of in slots.items()}
        images, masks = ([slot for slot, look in looks.items() if look is wanted] for wanted in (False, True))
        if len(images) == len(masks) == 1 and len(looks) == 2:
            yield Split(tuple(slots[images[0]].values()), tuple(slots[masks[0]].values()))


def grids(files: Sequence[Named]) -> Iterator[Slots]:
    """The ways to see the files as a few sets of names."""
    deepest = max((len(file.folders) for file in files), default=0)
    for depth in range(deepest):
        if all(len(file.folders) > depth for file in files):
            yield from filled(
                (file.folders[depth], (*file.folders[:depth], *file.folders[depth + 1 :], file.stem), file)
                for file in files
            )
    yield from filled((file.path.suffix.lower(), (*file.folders, file.stem), file) for file in files)
    yield from filled((file.stem, file.folders, file) for file in files)
    yield from affixed(files)


def affixed(files: Sequence[Named]) -> Iterator[Slots]:
    """`x` beside `x_foo` or `foo_x`, foo being the same for all."""
    folders: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for file in files:
        folders[file.folders].add(file.stem)
    found = []
    for file in files:
        longest = max(
            (
                stem
                for cut in range(1, len(file.stem))
                for stem in (file.stem[:cut], file.stem[cut:])
                if stem in folders[file.folders] and any(letter.isalpha() for letter in file.stem.replace(stem, "", 1))
            ),
            key=len,
            default=file.stem,
        )
        found.append((file.stem.replace(longest, "*", 1), (*file.folders, longest), file))
    yield from filled(found)


def filled(found: Iterable[tuple[str, tuple[str, ...], Named]]) -> Iterator[Slots]:
    """The slots, if there are two to a few and no two files are in the same place."""
    slots: Slots = defaultdict(dict)
    number = 0
    for slot, name, file in found:
        slots[slot][name] = file
        number += 1
    if 2 <= len(slots) <= MOST and number == sum(map(len, slots.values())):
        yield slots


def whole(slots: Slots) -> bool:
    """Whether all slots have the same names."""
    return len({frozenset(of) for of in slots.values()}) == 1


def nearly_whole(slots: Slots) -> bool:
    """Whether there are two slots, and at least half of all names are in both."""
    names = [set(of) for of in slots.values()]
    return len(names) == 2 and names[0] != names[1] and 2 * len(names[0] & names[1]) >= len(names[0] | names[1])
