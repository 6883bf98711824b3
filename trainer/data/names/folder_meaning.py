"""What the folders on the way to an image say: its patient, its class, or the part of the set that it is in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# The parts that sets are divided into, by the words that name them.
PARTS = {
    "train": ("train", "training", "tr", "trn"),
    "val": ("val", "valid", "validation", "va", "dev", "eval"),
    "test": ("test", "testing", "ts", "te", "tst"),
    "trainval": ("trainval",),
}
PART_OF = {word: part for part, words in PARTS.items() for word in words}
PATIENT = re.compile(
    r"(?:p|pt|pat|patients?|subj|subjects?|sub|case|id|study|exam|person|participant|vol|volume|animal|mouse|series|s)"
    r"[-_ .]*\d+\w*"
    r"|\d+"  # numbered folders
    r"|.*\d{3,}\w{0,2}"  # IMD002, TCGA_CS_4941_19960909, LIDC-IDRI-0001
    r"|[0-9a-f]{16,}",  # digests, as in the nuclei of 2018's Data Science Bowl
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+|\d+")
NO_PATIENT = (
    *("fold", "set", "split", "part", "class", "grade", "type", "stage", "level", "birads", "task", "version", "v"),
    *("data", "center", "centre", "clinic", "hospital", "site", "scanner", "group", "batch", "dataset"),
)

CLASSES = frozenset(
    (
        *("benign", "malignant", "normal", "abnormal", "healthy", "control", "negative", "positive", "cyst", "cysts"),
        *("tumor", "tumour", "cancer", "carcinoma", "adenoma", "fibroadenoma", "polyp", "nodule", "lesion", "mass"),
        *("covid", "pneumonia", "opacity", "tuberculosis", "effusion", "glaucoma", "melanoma", "nevus", "keratosis"),
        *("glioma", "meningioma", "pituitary", "disease", "diseased", "infected", "class", "grade", "type", "stage"),
    )
)


@dataclass(frozen=True)
class Meaning:
    """What is known of one image by its folders; "" what is not."""

    patient: str
    label: str


def words(name: str) -> list[str]:
    """The words and numbers of a name, in lower case.

    >>> words("imagesTr"), words("Ground_Truth-2"), words("1stHO"), words("DUTS-TR-Mask")
    (['images', 'tr'], ['ground', 'truth', '2'], ['1', 'st', 'ho'], ['duts', 'tr', 'mask'])
    """
    return [word.lower() for word in WORD.findall(name)]


def part_of(folders: Sequence[str]) -> str:
    """The part that a file is in: `train`, `val`, `test`, or "" for a set that is not divided.

    >>> part_of(["Training", "images"]), part_of(["imagesTs"]), part_of(["masks"])
    ('train', 'test', '')
    """
    parts = [PART_OF[word] for folder in folders for word in words(folder) if word in PART_OF]
    return parts[-1] if parts else ""


def is_patient(folder: str) -> bool:
    """Whether a folder's name looks like that of a patient, a case or an examination, rather than of a class.

    >>> [name for name in ("p0", "Patient_12", "0007", "TCGA_CS_4941", "COVID-19", "grade2") if is_patient(name)]
    ['p0', 'Patient_12', '0007', 'TCGA_CS_4941']
    """
    return bool(PATIENT.fullmatch(folder)) and not set(words(folder)) & set(NO_PATIENT)


def meanings(folders: Sequence[Sequence[str]]) -> list[Meaning]:
    """Patient and class of each image by `folders`, the names of those between the set's own and the image.

    Folders that say "images", "masks" and the like are not among them. A name that all images share says nothing, nor
    does the name of a part. Of several classes on the way the last counts.
    """
    shared = set(folders[0]).intersection(*folders[1:]) if len(folders) > 1 else set()
    every = {name for names in folders for name in names}
    stems = Counter(re.sub(r"\d+", "0", name) for name in every)
    # One such folder may be anything (COVID-19); several that differ in their number are cases.
    patients = {
        name
        for name in every
        if is_patient(name) or (stems[re.sub(r"\d+", "0", name)] > 1 and not set(words(name)) & {*NO_PATIENT, *CLASSES})
    }
    return [
        Meaning(
            "/".join(name for name in names if name in patients),
            next((name for name in reversed(names) if not (name in patients or is_part(name) or name in shared)), ""),
        )
        for names in folders
    ]


def is_part(folder: str) -> bool:
    """Whether a folder's name is that of a part and nothing more: `training_set`, `Validation`."""
    others = [word for word in words(folder) if word not in ("set", "data", "dataset")]
    return bool(others) and all(word in PART_OF for word in others)


def one_set(folders: Sequence[str]) -> bool:
    """Whether folders that each hold images and masks are one data set: its parts, patients, classes, or numbered."""
    numbered = {re.sub(r"\d+", "0", name) for name in folders}
    return len(numbered) == 1 or any(all(fits(name) for name in folders) for fits in (is_part, is_patient, is_class))


def is_class(folder: str) -> bool:
    """Whether a folder's name is that of a finding, as classes of medical images are called."""
    return bool(set(words(folder)) & CLASSES)


def in_words(found: Sequence[Meaning]) -> tuple[str, ...]:
    """What the folders were taken for, a note each; patients are counted and never named, for notes are recorded."""
    patients, labels = {one.patient for one in found} - {""}, {one.label for one in found} - {""}
    return (
        *([f"folders taken for patients: {len(patients)}"] if patients else []),
        *([f"folders taken for classes: {len(labels)} ({first(labels)})"] if labels else []),
    )


def first(names: set[str]) -> str:
    """The first three, and an ellipsis for the rest."""
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
