"""Images and masks by two patterns whose wildcards pair them: `scans/*/us.png` with `scans/*/lesion.png`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trainer.data.folder import bare, case_names, image_files, one_form
from trainer.data.folder_meaning import in_words, meanings
from trainer.data.layouts import Match, joined
from trainer.data.published_layouts import Item
from trainer.errors import UserError

WILDCARD = re.compile(r"(\*\*/)|(\*\*)|(\*)|(\?)|(\[!?[^\]/]+\])")
AS_REGEX = (r"(?:(.*)/)?", r"(.*)", r"([^/]*)", r"([^/])")


@dataclass(frozen=True)
class Pattern:
    """A pattern, taken apart: the folder before its first wildcard, and what files below must look like.

    `any_suffix`: the pattern ends in a wildcard or in `.*`, which then stands for any image file's suffix.
    """

    text: str
    root: Path
    regex: re.Pattern[str]
    wildcards: int
    any_suffix: bool

    def captures(self, path: Path) -> tuple[str, ...] | None:
        """What the wildcards stand for in `path`, which lies below `root`; None where it does not fit."""
        inside = path.relative_to(self.root)
        fits = self.regex.fullmatch(one_form((bare(inside) if self.any_suffix else inside).as_posix()))
        return tuple(text or "" for text in fits.groups()) if fits else None

    def files(self) -> dict[Path, tuple[str, ...]]:
        """The image files that fit, each with what the wildcards stand for."""
        found = ((path, self.captures(path)) for path in image_files(self.root))
        return {path: captures for path, captures in found if captures is not None}


def is_pattern(text: str) -> bool:
    """Whether this is a pattern: it holds a wildcard, and no file or folder of that very name is there."""
    return bool(WILDCARD.search(text)) and not Path(text).expanduser().exists()


def pattern(text: str) -> Pattern:
    """Take a pattern apart. Raises `UserError` where the folder before its first wildcard is missing."""
    path = Path(text).expanduser()
    plain = [part for part in path.parts if not WILDCARD.search(part)]
    fixed = next((n for n, part in enumerate(path.parts) if WILDCARD.search(part)), len(plain))
    root = Path(*path.parts[:fixed]).resolve()
    if not root.is_dir():
        raise UserError(f"A pattern begins with a folder, but that of '{text}' does not exist: {root}. Check the path.")
    rest = one_form("/".join(path.parts[fixed:]))
    any_suffix = rest.endswith(("*", "?", "]"))
    rest = rest.removesuffix(".*")
    regex, end, wildcards = "", 0, 0
    for found in WILDCARD.finditer(rest):
        regex += re.escape(rest[end : found.start()])
        regex += AS_REGEX[found.lastindex - 1] if found.lastindex and found.lastindex < 5 else f"({negated(found[0])})"
        end, wildcards = found.end(), wildcards + 1
    return Pattern(text, root, re.compile(regex + re.escape(rest[end:])), wildcards, any_suffix)


def negated(choice: str) -> str:
    """A choice of letters as regular expressions write it: `[!ab]` is `[^ab]`."""
    return choice.replace("[!", "[^").replace("\\", "\\\\")


def match_patterns(images: str, masks: str) -> Match:
    """The pairs of two patterns: an image and the masks for which the wildcards stand for the same text.

    Where `masks` has more wildcards than `images`, the first ones pair, and the others tell several masks of an image
    apart. Raises `UserError` for patterns that cannot pair, or that fit no file.
    """
    of_images, of_masks = pattern(images), pattern(masks)
    if not 1 <= of_images.wildcards <= of_masks.wildcards:
        raise UserError(
            "The wildcards of two patterns pair images with masks, so the masks need as many as the images (or more, "
            f"for several masks of one image), but '{images}' has {of_images.wildcards} and '{masks}' "
            f"{of_masks.wildcards}."
        )
    image_paths, mask_paths = of_images.files(), of_masks.files()
    # A pattern such as *.png also fits the masks beside the images: what the narrower pattern fits is not the other's.
    if image_paths.keys() <= mask_paths.keys():
        mask_paths = {path: text for path, text in mask_paths.items() if path not in image_paths}
    else:
        image_paths = {path: text for path, text in image_paths.items() if path not in mask_paths}
    for kind, found, text in (("image", image_paths, images), ("mask", mask_paths, masks)):
        if not found:
            raise UserError(
                f"A pattern must fit image files, but no {kind} fits '{text}'. Quote it, and check its parts."
            )
    titles = case_names(list(image_paths))
    folders = [title.split("/")[:-1] for title in titles]
    known = meanings(folders)
    n = of_images.wildcards
    found_images = [
        Item("\0".join(text), path, one.label, title=title, patient=one.patient)
        for (path, text), title, one in zip(image_paths.items(), titles, known, strict=True)
    ]
    found_masks = [Item("\0".join(text[:n]), path, part="\0".join(text[n:])) for path, text in mask_paths.items()]
    how = "; ".join(filter(None, [f"paired by the wildcards of {images} and {masks}", in_words(known)]))
    roots = [of_images.root] + [of_masks.root] * (not of_masks.root.is_relative_to(of_images.root))
    return joined("patterns", roots[0], found_images, found_masks, how=how, elsewhere=roots[1:])
