"""Rules by which the names of images and masks are compared, from equal names to names that share a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.data.names.folder_meaning import PART_OF, WORD
from trainer.data.names.name_words import is_mask_word, rest, role, says_role

TOKEN = re.compile(rf"{WORD.pattern}|[\W_]")

Key = tuple[str, ...]
KeptFolders = Literal["what else they say", "others", "differing", "none"]
Keys = tuple[list[Key], list[Key]]


@dataclass(frozen=True)
class Named:
    """A file as its name tells it: the folders on the way, and its name without suffix, composed (Unicode's NFC)."""

    path: Path
    folders: tuple[str, ...]
    stem: str


@dataclass(frozen=True)
class Comparison:
    """One way to compare: what is kept of the folders, how the names must agree, and that in words."""

    folders: KeptFolders
    names: Callable[[Sequence[Key], Sequence[str], Sequence[Key], Sequence[str]], Keys | None]
    spelling: Callable[[str], str]
    words: str


def of_folders(files: Sequence[Named], kept: KeptFolders) -> list[Key]:
    """What the folders of each file say besides "images" or "masks".

    `kept`: all that they say, only those that do not say that, of these only those that not all files share, or none.

    >>> files = [Named(Path(), ("set", "train_masks", name), "x") for name in ("p1", "p2")]
    >>> of_folders(files, "what else they say"), of_folders(files, "others"), of_folders(files, "differing")
    ([('set', 'train', 'p-1'), ('set', 'train', 'p-2')], [('set', 'p-1'), ('set', 'p-2')], [('p-1',), ('p-2',)])
    """
    if kept == "none":
        return [()] * len(files)
    names = [[name for name in file.folders if kept == "what else they say" or not role(name)] for file in files]
    common = set(names[0]).intersection(*names[1:]) if kept == "differing" and names else set()
    return [tuple(left for name in of if name not in common and (left := rest(name))) for of in names]


def equal(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys:
    """Equal names."""
    return with_names(image_folders, images), with_names(mask_folders, masks)


def but_for_words(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys:
    """Names that are equal but for words such as "mask"; a number behind such a word may count masks of one image."""
    image_keys = with_names(image_folders, map(rest, images))
    known = set(image_keys)
    mask_keys = []
    for folder, mask in zip(mask_folders, masks, strict=True):
        counted = (*folder, before_mask_number(mask))
        mask_keys.append(counted if counted[-1] and counted in known else (*folder, rest(mask)))
    return image_keys, mask_keys


def before_mask_number(name: str) -> str:
    """What comes before "mask" and a number at the end of a name: `x` of `x_mask_2`; "" where it does not end so.

    >>> before_mask_number("benign (1)_mask_2"), before_mask_number("mask_7"), before_mask_number("x_seg1")
    ('benign-1', '', 'x')
    """
    found = WORD.findall(name)
    while found and found[-1].isdigit():
        found.pop()
    return rest(" ".join(found[:-1])) if found and is_mask_word(found[-1].lower()) else ""


def but_for_shared_text(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys | None:
    """Names that are equal but for what all images share and all masks share: `Test_Image_7`, `mask_7`.

    Where both share words that say something else (`benign_1`, `malignant_1`), they are no pair.
    """
    short_images, image_words = without_shared(images)
    short_masks, mask_words = without_shared(masks)
    if image_words - mask_words and mask_words - image_words:
        return None
    return with_names(image_folders, short_images), with_names(mask_folders, short_masks)


def without_shared(names: Sequence[str]) -> tuple[list[str], set[str]]:
    """The names without the words that all share at their beginning or end, and those words if they say something.

    Numbers stay, except such as the 1 of `manual1`, which belong to a word.

    >>> without_shared(["21_manual1", "22_manual1"]), without_shared(["p10", "p11"])
    ((['21', '22'], set()), (['10', '11'], {'p'}))
    """
    split = [TOKEN.findall(name) for name in names]
    shortest = min(map(len, split), default=0)
    start = 0
    while start < shortest and shared(split, start) and not split[0][start].isdigit():
        start += 1
    end = 0
    while end < shortest - start and shared(split, -1 - end):
        if split[0][-1 - end].isdigit():
            before = -2 - end
            if -before > shortest - start or not (shared(split, before) and split[0][before].isalpha()):
                break
        end += 1
    removed = {token for tokens in split[:1] for token in (*tokens[:start], *tokens[len(tokens) - end :])}
    words = {token.lower() for token in removed if token.isalpha() and not says_role(token)} - PART_OF.keys()
    return ["".join(tokens[start : len(tokens) - end]) for tokens in split], words


def shared(split: Sequence[Sequence[str]], index: int) -> bool:
    """Whether all have the same token there."""
    return len({tokens[index] for tokens in split}) == 1


def longer_image(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys | None:
    """The name of an image is that of its mask and more: `us_1_0000` and `us_1`."""
    mask_keys = with_names(mask_folders, map(rest, masks))
    image_keys = shortened(with_names(image_folders, map(rest, images)), set(mask_keys))
    return None if image_keys is None else (image_keys, mask_keys)


def longer_mask(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys | None:
    """The name of a mask is that of its image and more: `Image_01L` and `Image_01L_1stHO`."""
    swapped = longer_image(mask_folders, masks, image_folders, images)
    return None if swapped is None else (swapped[1], swapped[0])


def shortened(keys: Sequence[Key], known: set[Key]) -> list[Key] | None:
    """Each key with its name cut at a dash until it is known; as it was, if it never is.

    None where one end was cut off here and another there: then `1_1` may be the first of 1, or not.
    """
    short: list[Key] = []
    for *folders, name in keys:
        cut = name
        while cut and (*folders, cut) not in known:
            cut = cut.rpartition("-")[0]
        short.append((*folders, cut or name))
    ends: dict[Key, set[str]] = {}
    for key, start in zip(keys, short, strict=True):
        if start in known:
            ends.setdefault(start, set()).add(re.sub(r"\d+", "0", key[-1][len(start[-1]) :]))
    return None if len({frozenset(of_one) for of_one in ends.values()}) > 1 else short


def one_per_folder(
    image_folders: Sequence[Key], images: Sequence[str], mask_folders: Sequence[Key], masks: Sequence[str]
) -> Keys | None:
    """A folder has one image, and all masks in it are its own, whatever their names."""
    if not all(image_folders) or len(set(image_folders)) != len(images):
        return None
    return [(*folder, "") for folder in image_folders], [(*folder, "") for folder in mask_folders]


def with_names(folders: Sequence[Key], names: Sequence[str] | map[str]) -> list[Key]:
    """Keys of folders and names."""
    return [(*folder, name) for folder, name in zip(folders, names, strict=True)]


def as_written(name: str) -> str:
    """The spelling as it is."""
    return name


def numbers_alike(name: str) -> str:
    """Letter case and leading zeros left out of account: `IMG_007` and `img_7` are one."""
    return re.sub(r"\d+", lambda number: str(int(number[0])), name.casefold())


NAMES = (
    (equal, "equal names"),
    (but_for_words, "names equal but for words such as mask"),
    (but_for_shared_text, "names equal but for what all images or all masks share"),
    (longer_image, "an image's name begins with its mask's"),
    (longer_mask, "a mask's name begins with its image's"),
    (one_per_folder, "one image per folder, with all masks of that folder"),
)
SPELLINGS = (
    (as_written, ""),
    (str.casefold, "upper and lower case alike"),
    (numbers_alike, "numbers with and without leading zeros alike"),
)
FOLDERS: tuple[tuple[KeptFolders, str], ...] = (
    ("what else they say", ""),
    ("others", ""),
    ("differing", ""),
    ("none", "sub-folders left out of account"),
)
# From strict to lenient: the first that pairs every file decides.
COMPARISONS = tuple(
    Comparison(folders, names, spelling, ", ".join(filter(None, (in_names, in_folders, in_spelling))))
    for spelling, in_spelling in SPELLINGS
    for folders, in_folders in FOLDERS
    for names, in_names in NAMES
)


def keys_of(images: Sequence[Named], masks: Sequence[Named], comparison: Comparison) -> Keys | None:
    """The keys of images and masks, equal for those that belong together; None where the comparison says nothing."""
    folders = [of_folders(files, comparison.folders) for files in (images, masks)]
    spelt = [[tuple(comparison.spelling(name) for name in key) for key in keys] for keys in folders]
    names = [[comparison.spelling(file.stem) for file in files] for files in (images, masks)]
    return comparison.names(spelt[0], names[0], spelt[1], names[1])
