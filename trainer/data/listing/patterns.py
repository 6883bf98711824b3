"""Patterns such as `scans/*/us.png`, as shells have them: which files fit, and what the wildcards stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer.data.listing.folder import bare, image_files, one_form
from trainer.errors import UserError
from trainer.files import given_path

WILDCARD = re.compile(r"(\*\*/)|(\*\*)|(\*)|(\?)|(\[!?[^\]/]+\])")
AS_REGEX = (r"(?:(.*)/)?", r"(.*)", r"([^/]*)", r"([^/])")

Captures = dict[Path, tuple[str, ...]]


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

    def among(self, paths: Iterable[Path]) -> Captures:
        """Those of the `paths`, all below `root`, that fit, each with what the wildcards stand for."""
        found = ((path, self.captures(path)) for path in paths)
        return {path: captures for path, captures in found if captures is not None}

    def files(self) -> Captures:
        """The image files that fit, each with what the wildcards stand for."""
        return self.among(image_files(self.root))


def is_pattern(text: str) -> bool:
    """Whether this is a pattern: it holds a wildcard, and no file or folder of that very name is there."""
    return bool(WILDCARD.search(text)) and not given_path(text).exists()


def pattern(text: str) -> Pattern:
    """Take a pattern apart. Raises `UserError` where the folder before its first wildcard is missing."""
    parts = given_path(text).parts
    fixed = next((n for n, part in enumerate(parts) if WILDCARD.search(part)), len(parts))
    root = Path(*parts[:fixed]).resolve()
    if not root.is_dir():
        raise UserError(f"A pattern begins with a folder, but that of '{text}' does not exist: {root}. Check the path.")
    return below(root, "/".join(parts[fixed:]), text)


def below(root: Path, inside: str, text: str = "") -> Pattern:
    """The pattern `inside` of the folder `root`."""
    wanted = one_form(inside)
    any_suffix = wanted.endswith(("*", "?", "]"))
    wanted = wanted.removesuffix(".*")
    regex, end, wildcards = "", 0, 0
    for found in WILDCARD.finditer(wanted):
        choice = found.lastindex == len(AS_REGEX) + 1
        regex += re.escape(wanted[end : found.start()])
        regex += f"({negated(found[0])})" if choice else AS_REGEX[(found.lastindex or 1) - 1]
        end, wildcards = found.end(), wildcards + 1
    try:
        compiled = re.compile(regex + re.escape(wanted[end:]))
    except re.error as error:
        raise UserError(
            f"A choice in a pattern is of letters, such as [0-9], but that of '{text or inside}' is none: {error}."
        ) from error
    return Pattern(text or inside, root, compiled, wildcards, any_suffix)


def negated(choice: str) -> str:
    """A choice of letters as regular expressions write it: `[!ab]` is `[^ab]`."""
    return choice.replace("[!", "[^").replace("\\", "\\\\")


def apart(images: Captures, masks: Captures) -> tuple[Captures, Captures]:
    """The files of two patterns where one also fits the other's: what the narrower one fits is not the other's.

    So `*.png` stands for the images beside `*_mask.png`.
    """
    if images.keys() <= masks.keys():
        return images, {path: text for path, text in masks.items() if path not in images}
    return {path: text for path, text in images.items() if path not in masks}, masks
