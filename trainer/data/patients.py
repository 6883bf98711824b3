"""The patient of each image, from the file's name or a table, so that no patient is on both sides of a fold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trainer.config import DataConfig
from trainer.data.listing.folder import bare, few, one_form
from trainer.data.pairing.pairs import Pair
from trainer.data.pairing.tables import read_table_file
from trainer.errors import UserError
from trainer.files import given_path

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
    return by_table(given_path(config.patients), config) if config.patients else None


def by_layout(pairs: Sequence[Pair]) -> list[str]:
    """Patients as folders or a table named them, where they did for every image; else none."""
    return [pair.patient for pair in pairs] if all(pair.patient for pair in pairs) else []


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
        spellings = [
            tuple(map(one_form, (pair.name, pair.image.name, bare(pair.image).name, pair.image.as_posix())))
            for pair in pairs
        ]
        patients = [next((patient_of[name] for name in names if patient_of.get(name)), None) for names in spellings]
        complete(pairs, patients, f"the table {path} names none for")
        return [patient or "" for patient in patients]

    return find


def read_table(path: Path, image_column: str, patient_column: str) -> dict[str, str]:
    """The patient of each image, from a file separated by commas, semicolons or tabs.

    Raises `UserError` for a missing or unreadable file, a missing column and an image with two patients.
    """
    table = read_table_file(path, "data.patients")
    images = table.column("data.image_column", image_column)
    patients = table.column("data.patient_column", patient_column)
    patient_of: dict[str, str] = {}
    for row in table.rows:
        image, patient = one_form(row[images]), row[patients]
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
