"""A table of images and masks, one pair a row: read as a data set, and written from one."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trainer.config import DataConfig
from trainer.data.listing.folder import case_names, count, few, is_image, natural_key, one_form
from trainer.data.pairing.pairs import Match, Pair
from trainer.data.pairing.tables import Table, read_table_file
from trainer.errors import UserError
from trainer.files import given_path, write_atomically

SUFFIXES = (".csv", ".tsv", ".txt")
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
NAME = "name"


def is_table(path: Path) -> bool:
    """Whether the data are a table, by the name of their file."""
    return path.suffix.lower() in (*SUFFIXES, *SPREADSHEETS) and not path.is_dir()


def match_table(config: DataConfig, path: Path) -> Match:
    """The pairs of a table with the columns image and mask and, where known, patient, class and name.

    Paths are relative to the table's folder. Several rows of one image are its masks, which are merged. Raises
    `UserError` for a file or column that is missing, and for an image with two classes or patients.
    """
    if path.suffix.lower() in SPREADSHEETS:
        raise UserError(
            f"A table must be a CSV file, but {path} is a spreadsheet. Save it as CSV (UTF-8) and give that."
        )
    if config.masks:
        raise UserError(
            f"A table names the mask of each image, but 'data.masks' ({config.masks}) is given with {path}. "
            "Leave one out."
        )
    table = read_table_file(path, "data.path")
    image_column = table.column("data.image_column", config.image_column)
    mask_column = table.column("data.mask_column", config.mask_column)
    if not table.rows:
        raise UserError(f"A table needs a row for each image and its mask, but {path} has a header only. Fill it in.")
    files = {column: [found(path, row[column]) for row in table.rows] for column in (image_column, mask_column)}
    check_files(table, image_column, mask_column, files)
    images, masks = files[image_column], files[mask_column]
    values = {
        "class": optional(table, "data.class_column", config.class_column, "class"),
        "patient": optional(table, "data.patient_column", config.patient_column, "patient"),
        NAME: optional(table, "", NAME, NAME),
    }
    one = {what: per_image(path, images, cells, what) for what, cells in values.items()}
    masks_of: dict[Path, list[Path]] = {image: [] for image in images if image}
    twice: Counter[tuple[Path, Path]] = Counter()
    for image, mask in zip(images, masks, strict=True):
        if image and mask:
            twice[image, mask] += 1
            masks_of[image] += [mask] * (twice[image, mask] == 1)
    check_patients(path, one["patient"])
    distinct = list(masks_of)
    named = [one[NAME][image] or name for image, name in zip(distinct, case_names(distinct), strict=True)]
    pairs = [
        Pair(name, image, tuple(masks_of[image]), one["class"][image], one["patient"][image])
        for name, image in zip(named, distinct, strict=True)
    ]
    ordered = sorted(pairs, key=lambda pair: (natural_key(pair.name), pair.image.as_posix()))
    return Match(
        "table",
        path.resolve(),
        tuple(pair for pair in ordered if pair.masks),
        tuple(pair.image for pair in ordered if not pair.masks),
        (),
        tuple(mask for image, mask in zip(images, masks, strict=True) if mask and not image),
        doubled_names(ordered),
        table_notes(table, twice),
    )


def found(table: Path, cell: str) -> Path | None:
    """The file that a cell names, relative to the table's folder; None for an empty cell."""
    if not cell:
        return None
    spellings = [cell, one_form(cell), cell.replace("\\", "/")]
    folder = table.resolve().parent
    paths = [given_path(os.path.abspath(folder / given_path(spelling))) for spelling in spellings]
    return next((path for path in paths if path.is_file()), alike(paths[0]))


def alike(path: Path) -> Path:
    """The file beside `path` whose name is the same letters in another Unicode form; `path` itself if there is none."""
    if path.parent.is_dir():
        for other in path.parent.iterdir():
            if one_form(other.name) == one_form(path.name) and other.is_file():
                return other
    return path


def check_files(table: Table, image_column: str, mask_column: str, files: dict[str, list[Path | None]]) -> None:
    """Raise `UserError` for files that are missing or no images, and for an image that is its own mask."""
    named = {path for column in files.values() for path in column if path}
    missing = tuple(sorted(path for path in named if not path.is_file()))
    if missing:
        raise UserError(
            f"Every file that a table names must be there, relative to the table's folder, but of {table.path} "
            f"{count(missing, 'file')} {'is' if len(missing) == 1 else 'are'} missing ({few(missing)}; the first would "
            f"be {missing[0]}). Fix the paths, or copy the files there."
        )
    others = tuple(sorted(path for path in named if not is_image(path)))
    if others:
        raise UserError(f"A table names image files, but {table.path} names {few(others)}. Fix these cells.")
    own = [
        image for image, mask in zip(files[image_column], files[mask_column], strict=True) if image and image == mask
    ]
    if own:
        raise UserError(f"An image and its mask are two files, but {table.path} names {own[0]} as both. Fix its row.")


def optional(table: Table, key: str, name: str, default: str) -> list[str]:
    """The cells of a column that a table may lack as long as nobody asked for it by name."""
    lacks = name.lower() not in {column.lower() for column in table.columns}
    if lacks and name == default:
        return [""] * len(table.rows)
    column = table.column(key, name)
    return [row[column] for row in table.rows]


def per_image(table: Path, images: Sequence[Path | None], cells: Sequence[str], what: str) -> dict[Path, str]:
    """The one value that each image has in all of its rows. Raises `UserError` where it has two."""
    values: dict[Path, str] = {}
    for image, cell in zip(images, cells, strict=True):
        if image and values.setdefault(image, cell) != cell:
            raise UserError(
                f"An image has one {what}, but {table} gives {image.name} '{values[image]}' and '{cell}'. "
                "Fix the table."
            )
    return values


def check_patients(table: Path, patient_of: dict[Path, str]) -> None:
    """Raise `UserError` where some images have a patient and others none: chance would decide the fold of these."""
    without = tuple(image for image, patient in patient_of.items() if not patient)
    if 0 < len(without) < len(patient_of):
        raise UserError(
            f"Every image needs its patient, once patients are known, but {table} names none for {len(without)} of "
            f"{len(patient_of)} images ({few(without)}). Fill them in, or leave the whole column out."
        )


def doubled_names(pairs: Sequence[Pair]) -> tuple[tuple[Path, Path], ...]:
    """The images whose name is taken, each behind the first that has it."""
    first: dict[str, Path] = {}
    return tuple(
        (taken, pair.image)
        for pair in pairs
        if (taken := first.setdefault(one_form(pair.name), pair.image)) != pair.image
    )


def table_notes(table: Table, twice: Counter[tuple[Path, Path]]) -> tuple[str, ...]:
    """What is odd about a table that can be used: rows that repeat another, masks of several images."""
    repeated = tuple(image for (image, _), times in twice.items() if times > 1)
    users = Counter(mask for _, mask in twice)
    shared = tuple(mask for mask, times in users.items() if times > 1)
    return (
        *([f"{count(repeated, 'row')} of the table twice, read once ({few(repeated)})"] if repeated else []),
        *([f"{count(shared, 'mask')} of several images ({few(shared)})"] if shared else []),
    )


def write_case_table(pairs: Sequence[Pair], path: Path) -> None:
    """Write pairs as a table that `match_table` reads as the same cases.

    The column `name` is there only where the names are not those that the images' own paths give. Raises `UserError`
    for names of files that are no text.
    """
    folder = path.resolve().parent

    def relative(file: Path) -> str:
        return Path(os.path.relpath(os.path.abspath(file), folder)).as_posix()

    names_needed = [pair.name for pair in pairs] != case_names([Path(os.path.abspath(pair.image)) for pair in pairs])
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["image", "mask", "patient", "class", *([NAME] if names_needed else [])])
    for pair in pairs:
        known = [pair.patient, pair.label, *([pair.name] if names_needed else [])]
        writer.writerows([relative(pair.image), relative(mask), *known] for mask in pair.masks)
    try:
        content = text.getvalue().encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"A table is text, but a file name is none: {error.object[error.start - 20 : error.end + 20]!r}. Rename it."
        ) from error
    write_atomically(path, lambda file: file.write(content))
