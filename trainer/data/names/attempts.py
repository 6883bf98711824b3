"""Images and masks of a folder, told apart and with the keys by which one comparison joins them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.data.names.folder_meaning import WORD
from trainer.data.names.keys import Key, Named

# Words for people who draw the same masks: a number behind one of them tells two people, not two masks of one image.
OBSERVERS = frozenset(
    (
        "annotator",
        "annot",
        "observer",
        "obs",
        "rater",
        "reader",
        "reviewer",
        "grader",
        "labeler",
        "labeller",
        "expert",
        "manual",
        "ho",
        "doctor",
        "physician",
        "clinician",
        "radiologist",
    )
)

SHORTEST_WORD = 3  # letters: shorter ones are parts of a number, such as a hash


@dataclass(frozen=True)
class Split:
    """Files told apart: images, masks, and those whose names say neither."""

    images: tuple[Named, ...]
    masks: tuple[Named, ...]
    unknown: tuple[Named, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """Images and masks with their keys by one comparison."""

    images: tuple[tuple[Key, Named], ...]
    masks: tuple[tuple[Key, Named], ...]
    words: str

    @property
    def paired(self) -> int:
        """How many keys of images are keys of masks: a key that many images share counts once."""
        return len({key for key, _ in self.images} & {key for key, _ in self.masks})

    @property
    def mask_paths(self) -> list[Path]:
        """The files of the masks."""
        return [file.path for _, file in self.masks]

    @property
    def complete(self) -> bool:
        """Whether every image has a mask, every mask an image, and no two images of one kind share their name.

        Keys that are the same for all images compare nothing: they would join each mask to every image.
        """
        keys = {key for key, _ in self.images}
        if keys != {key for key, _ in self.masks} or len(keys) == 1 < len(self.images):
            return False
        kinds = Counter((key, kind(key, file, counted=True)) for key, file in self.images)
        return max(kinds.values()) == 1


def recurring_names(keyed: Sequence[tuple[Key, Named]]) -> frozenset[tuple[str, ...]]:
    """The words of file names that come back in most folders whose files are joined by their folder alone.

    `reader1.png` and `reader2.png`, or `liver.png` and `kidney.png`, beside each patient's one image tell kinds apart;
    names that are others in each folder do not.
    """
    folders: dict[Key, set[tuple[str, ...]]] = defaultdict(set)
    for key, file in keyed:
        if not key[-1]:
            folders[key].add(letters(file))
    numbers = Counter(name for names in folders.values() for name in names)
    return frozenset(
        name
        for name, number in numbers.items()
        if number > 1 and 2 * number >= len(folders) and max(map(len, name), default=0) >= SHORTEST_WORD
    )


def letters(file: Named) -> tuple[str, ...]:
    """The words of a file's name, numbers apart."""
    return tuple(word.casefold() for word in WORD.findall(file.stem) if not word.isdigit())


def kind(
    key: Key, file: Named, *, counted: bool = False, recurring: frozenset[tuple[str, ...]] = frozenset()
) -> tuple[str, ...]:
    """What distinguishes a file from others of its key: the words of its folders and its name that are not the key's.

    Two files of one key and several kinds are two readings (`Image_01L_1stHO`, `_2ndHO`). Of one kind they are several
    masks of one image: numbers in names only count them, unless `counted` says that they tell kinds apart, too.
    Where the key holds no name, `recurring` are the names that tell kinds apart (`recurring_names`).
    """
    in_key = Counter(word.casefold() for text in key for word in WORD.findall(text))
    folders = [word.casefold() for folder in file.folders for word in WORD.findall(folder)]
    named = bool(key[-1]) or letters(file) in recurring
    names = [word.casefold() for word in WORD.findall(file.stem)] if named else []
    numbered = counted or bool(OBSERVERS & set(names))
    words = Counter([*folders, *(word for word in names if numbered or not word.isdigit())])
    return tuple(sorted((words - in_key).elements()))
