"""The image files of a folder, in the order people count, without what archivers and file managers leave behind.

Links are followed, except back into a folder that they lie in; what is not followed or leads nowhere is named.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer.data.formats.kinds import SUFFIXES, is_analyze_header, is_nameless_dicom
from trainer.errors import UserError

SHOWN = 3
# What archivers, file managers, network drives and version control leave behind: never data, never worth a word.
LITTER = (
    "Thumbs.db",
    "desktop.ini",
    "@eaDir",
    "$RECYCLE.BIN",
    "System Volume Information",
    ".DS_Store",
    ".git",
    "__MACOSX",
)
# Links inside linked folders are followed this deep, so that a web of links between folders comes to an end.
DEEPEST_LINK = 4
LONGEST_PATH = 4096
# Of two suffixes that fit, such as .nii.gz and .gz, the one that begins first.
SUFFIX = re.compile(f"(?:{'|'.join(map(re.escape, SUFFIXES))})$", re.IGNORECASE)

Kind = Literal["file", "hidden", "loop", "broken"]


@dataclass(frozen=True)
class Entry:
    """What lies in a folder: a file, or what is left alone: hidden, a link back into itself, a link to nothing."""

    path: Path
    kind: Kind


def entries(
    folder: Path, *, deep: bool = True, above: tuple[tuple[int, int], ...] = (), links: int = 0
) -> Iterator[Entry]:
    """Everything in `folder` (with all below it, where `deep`), sorted by name in each folder.

    `above` are the folders on the way here, `links` counts the links among them. Raises `UserError` for a folder that
    may not be listed.
    """
    try:
        listing = sorted(os.scandir(folder), key=lambda entry: entry.name)
        above = (*(above or map(identity, folder.resolve().parents)), identity(folder))
    except FileNotFoundError:  # a folder that a layout may have, or one that was removed meanwhile, holds nothing
        return
    except PermissionError as error:
        raise UserError(f"Every folder must be readable, but {folder} may not be listed. Allow it (chmod).") from error
    for entry in listing:
        path = folder / entry.name
        if is_hidden(entry.name):
            yield Entry(path, "hidden")
        elif leads_to(entry.is_file):
            yield Entry(path, "file")
        elif not leads_to(entry.is_dir):
            if entry.is_symlink():
                yield Entry(path, "broken")
        elif deep:
            deeper = links + entry.is_symlink()
            if deeper > links and (deeper > DEEPEST_LINK or identity(path) in above):
                yield Entry(path, "loop")
            else:
                yield from entries(path, above=above, links=deeper)


def leads_to(question: Callable[[], bool]) -> bool:
    """The answer to `is_file` or `is_dir`; False for a link in a circle, or to what may not be looked at."""
    try:
        return question()
    except OSError:
        return False


def identity(folder: Path) -> tuple[int, int]:
    """What a folder is on the disk, whatever path leads to it."""
    stat = folder.stat()
    return stat.st_dev, stat.st_ino


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is left alone: hidden, or left behind by another program."""
    return name.startswith((".", "__MACOSX")) or name in LITTER


def is_image(path: Path) -> bool:
    """Whether the name is that of an image file that thaw reads; one that tells nothing may be DICOM inside."""
    return path.name.lower().endswith(SUFFIXES) or is_nameless_dicom(path)


def bare(path: Path) -> Path:
    """The path without its file suffix, `.nii.gz` as one; a name without a known suffix loses what follows its dot.

    >>> bare(Path("a/b.c.png")).as_posix()
    'a/b.c'
    """
    known = SUFFIX.search(path.name)
    if known and known.start():
        return path.with_name(path.name[: known.start()])
    return path.with_suffix("" if path.suffix[1:].isalpha() else path.suffix)


def case_names(images: Sequence[Path]) -> list[str]:
    """The name of each case: the path of its image below the folder that holds them all, without file suffix.

    >>> case_names([Path("set/train/1.png"), Path("set/val/1.png")])
    ['train/1', 'val/1']
    """
    common = os.path.commonpath([image.parent for image in images]) if images else ""
    return [bare(image.relative_to(common)).as_posix() for image in images]


def one_form(name: str) -> str:
    """The name in the form in which names are compared: letters composed with their accents (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def image_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The image files below `folder` (`*`: directly in it), masks included: those with one of the `SUFFIXES`."""
    return list(iterate_image_files(folder, pattern))


def only(folder: Path, fits: Callable[[Path], object]) -> list[Path]:
    """The image files below `folder` if all of them fit, else none; the first that does not fit ends the search.

    So a layout that is known by its names costs nothing in a folder of another layout.
    """
    paths = []
    for path in iterate_image_files(folder, "**/*"):
        if not fits(path):
            return []
        paths.append(path)
    return paths


def iterate_image_files(folder: Path, pattern: str) -> Iterator[Path]:
    """The image files below `folder`, one by one."""
    return (path for path in files(folder, pattern) if is_image(path))


def files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files below `folder` (`*`: directly in it) that are not hidden."""
    return (entry.path for entry in entries(folder, deep=pattern != "*") if entry.kind == "file")


def subfolders(folder: Path) -> list[Path]:
    """The visible folders directly inside, in order."""
    visible = (entry for entry in os.scandir(folder) if not entry.name.startswith((".", "__")))
    return sorted(folder / entry.name for entry in visible if leads_to(entry.is_dir))


def unread(folder: Path) -> tuple[str, ...]:
    """A note on files whose suffix is that of no image format that thaw reads, so that none is left out silently."""
    others = (path for path in files(folder, "**/*") if not is_image(path) and not is_analyze_header(path))
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in others)
    listed = ", ".join(f"{number} {suffix}" for suffix, number in sorted(suffixes.items()))
    return (f"files that are no images by their names, not read: {listed}",) if suffixes else ()


def left_alone(folder: Path) -> tuple[str, ...]:
    """Notes on hidden images and folders, and on links that lead back into a folder that they lie in."""
    found = [entry for entry in entries(folder) if entry.kind in ("hidden", "loop") and entry.path.name not in LITTER]
    hidden = tuple(
        entry.path for entry in found if entry.kind == "hidden" and (is_image(entry.path) or entry.path.is_dir())
    )
    loops = tuple(entry.path for entry in found if entry.kind == "loop")
    return (
        *([f"hidden, left alone: {len(hidden)} ({few(hidden)})"] if hidden else []),
        *([f"{count(loops, 'link')} back into a folder above, not followed ({few(loops)})"] if loops else []),
    )


def broken_links(folder: Path) -> tuple[Path, ...]:
    """The links below `folder` that lead nowhere and may stand for an image or a folder of them, by their names.

    A link that was copied as a text file, as Git does on some systems, is one of them.
    """
    return tuple(
        entry.path
        for entry in entries(folder)
        if (entry.kind == "broken" and (is_image(entry.path) or not entry.path.suffix))
        or (entry.kind == "file" and not entry.path.suffix and target_in_text(entry.path))
    )


def target_in_text(path: Path) -> str:
    """Where a link leads that was copied as a text file, "" for any other file."""
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= LONGEST_PATH else ""
    except (OSError, UnicodeDecodeError):
        return ""
    target = text.strip()
    return target if "/" in target and target.isprintable() and (path.parent / target).exists() else ""


def target(link: Path) -> str:
    """Where a broken link says that it leads, in words."""
    return str(link.readlink()) if link.is_symlink() else f"{target_in_text(link)}, copied as a text file"


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """A sort key in which runs of digits are numbers: `benign (2)` comes before `benign (10)`."""
    runs = (run for run in re.split("([0-9]+)", text) if run)
    return [(0, int(run), "") if run[0] in "0123456789" else (1, 0, run) for run in runs]


def few(paths: tuple[Path, ...]) -> str:
    """The first names, and an ellipsis for the rest."""
    names = ", ".join(path.name for path in paths[:SHOWN])
    return names + (", ..." if len(paths) > SHOWN else "")


def count(items: tuple[object, ...], noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
