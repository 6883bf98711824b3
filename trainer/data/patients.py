"""The patient of each image, from the file's name or a table, so that no patient is on both sides of a fold."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trainer.config import DataConfig
from trainer.data.folder import few
from trainer.data.layouts import Pair
from trainer.errors import UserError

Find = Callable[[Sequence[Pair]], list[str]]


def patient_finder(config: DataConfig) -> Find | None:
    """The function from cases to their patients that `config` asks for, or None if it names none.

    Raises `UserError` for an invalid pattern, for a table that cannot be read or misses a column, and for a pattern
    together with a table. The function itself raises it for a case without a patient, because chance would decide the
    fold of such a case.
    """
    if config.patient and config.patients:
        raise UserError(
            "Patients come from file names (data.patient) or from a table (data.patients), but both are given. "
            "Leave one out."
        )
    if (config.patient or config.patients) and config.path is None:
        raise UserError("Patients belong to images of your own, but no data are given. Give a folder (--data).")
    if config.patient:
        return by_pattern(config.patient)
    return by_table(Path(config.patients).expanduser(), config) if config.patients else None


def by_pattern(pattern: str) -> Find:
    """Patients from names: the first group of `pattern` (or all that it matches) in each case's name.

    The name is the path inside the data set without suffix.

    >>> find = by_pattern(r"MCUCXR_([0-9]+)")
    >>> find([Pair("MCUCXR_0104_1", Path("MCUCXR_0104_1.png"), (), "")])
    ['0104']
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"'data.patient' must be a regular expression, but '{pattern}' is none: {error}. "
            "For instance 'MCUCXR_([0-9]+)': the part in brackets is the patient."
        ) from error

    def find(pairs: Sequence[Pair]) -> list[str]:
        matches = [compiled.search(pair.name) for pair in pairs]
        patients = [(match[1] if compiled.groups else match[0]) if match else None for match in matches]
        complete(pairs, patients, f"'data.patient' ({pattern}) finds none in the name of")
        return [patient or "" for patient in patients]

    return find


def by_table(path: Path, config: DataConfig) -> Find:
    """Patients from a CSV with the columns `data.image_column` and `data.patient_column`.

    An image may be written as the case's name, as its file's name, or as that without suffix.
    """
    patient_of = read_table(path, config.image_column, config.patient_column)

    def find(pairs: Sequence[Pair]) -> list[str]:
        spellings = [(pair.name, pair.image.name, pair.image.stem) for pair in pairs]
        patients = [next((patient_of[name] for name in names if patient_of.get(name)), None) for names in spellings]
        complete(pairs, patients, f"the table {path} names none for")
        return [patient or "" for patient in patients]

    return find


def read_table(path: Path, image_column: str, patient_column: str) -> dict[str, str]:
    """The patient of each image, from a file separated by commas, semicolons or tabs.

    Raises `UserError` for a missing or unreadable file, a missing column and an image with two patients.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"'data.patients' must be a CSV file, but {path} cannot be read ({error}). Give its path, saved as UTF-8."
        ) from error
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    rows = csv.DictReader(text.splitlines(), delimiter=separator)
    columns = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = columns
    for key, column in (("data.image_column", image_column), ("data.patient_column", patient_column)):
        if column not in columns:
            near = get_close_matches(column, columns, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise UserError(
                f"The table {path} must have a column '{column}', but it has: {', '.join(columns) or 'none'}{hint} "
                f"Name the right one with --set {key}=NAME."
            )
    patient_of: dict[str, str] = {}
    for row in rows:
        image, patient = (row[image_column] or "").strip(), (row[patient_column] or "").strip()
        if patient_of.setdefault(image, patient) != patient:
            raise UserError(
                f"An image is of one patient, but {path} gives '{image}' to '{patient_of[image]}' and to '{patient}'. "
                "Fix the table."
            )
    return patient_of


def complete(pairs: Sequence[Pair], patients: Iterable[str | None], source: str) -> None:
    """Raise `UserError` when a case has no patient."""
    without = tuple(pair.image for pair, patient in zip(pairs, patients, strict=True) if not patient)
    if without:
        raise UserError(
            f"Every image needs its patient, once patients are asked for, but {source} {len(without)} of {len(pairs)} "
            f"images ({few(without)}). Fix the pattern or the table, or leave patients out."
        )


def together(groups: NDArray[np.int64], patients: Sequence[str]) -> NDArray[np.int64]:
    """int64 (n,): groups merged wherever one patient joins them, numbered from 0 by first appearance.

    >>> together(np.array([0, 1, 1, 2]), ["a", "a", "b", "c"])
    array([0, 0, 0, 1])
    """
    _, patient = np.unique(np.asarray(patients, str), return_inverse=True)
    n = len(groups)
    cases = np.arange(n)
    # Three kinds of nodes: cases, near-duplicate groups, patients. Cases are linked to their group and their patient.
    ends = np.concatenate([n + groups, n + groups.max(initial=-1) + 1 + patient])
    links = coo_array((np.ones(2 * n, np.int8), (np.tile(cases, 2), ends)), shape=(ends.max(initial=-1) + 1,) * 2)
    _, labels = connected_components(links, directed=False)
    _, first, inverse = np.unique(labels[:n], return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int64)


def patients_note(patients: Sequence[str]) -> str:
    """In words, how many patients there are and that folds keep them whole."""
    return f"{len(set(patients))} patients in {len(patients)} images: all images of a patient are in one fold"
