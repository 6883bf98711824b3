"""Somebody else's predictions of known images: masks or probabilities in files, read in one way or refused.

`<name>.png`, `.tif`, `.bmp`, `.nii`, `.nii.gz` hold a mask or a probability, `<name>.npz` a probability. The name is
that of the image, with or without its folder. Folders called `fold_0`, `fold 1` or the like, or a table `folds.csv`
with the columns `image` and `fold`, say in which fold an image was predicted, that is, left out of training.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.formats.decode import decode
from trainer.data.masks.reading import nearest
from trainer.data.names.case_names import case_names
from trainer.errors import UserError
from trainer.foreign_arrays import UNREADABLE, load_arrays

PICTURES = (".nii.gz", ".nii", ".png", ".tif", ".tiff", ".bmp")
ARRAYS = ".npz"
TABLE = "folds.csv"
FOLD = re.compile(r"fold[ _-]?(\d+)", re.IGNORECASE)
# nnU-Net's folder of a training: predictions lie in fold_N/validation, and figures and ensembles beside them.
OF_NNUNET, TRAINED_ON_ALL = "fold_[0-9]*/validation", "fold_all"
FOREGROUND = 1  # of the channels of an array of probabilities, the background's being 0
MANY_LEVELS = 8  # from so many grey values on, 8 bits are a probability and no labels
MOST_BYTES = 2**31
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Predictions:
    """A predicted mask of each image: `masks` uint8 (n, size, size) in {0, 1}, in the order of the names asked for;
    `fold_of`: the fold that each is said to have been predicted in, as it was written; empty where nothing says so.
    `reading`: how the files were read, in one sentence.
    """

    masks: NDArray[np.uint8]
    fold_of: tuple[int, ...]
    reading: str


def read_predictions(folder: Path, names: Sequence[str], size: int) -> Predictions:
    """The predictions of all images called `names`, at `size` x `size`.

    Raises `UserError` for a missing, doubled or unknown name, values that are neither a mask nor a probability, and
    where all are empty.
    """
    if not folder.is_dir():
        raise UserError(f"Predictions are given as NAME=FOLDER, but there is no folder {folder}.")
    files = _files_of(folder, names)
    values = [_values(files[name]) for name in names]
    coding = _coding(values, folder)
    resize = _nearest if coding.is_mask else _mean_of_area
    masks = np.stack([resize(value / coding.scale, size) for value in values])
    if masks.all() or not masks.any():
        raise UserError(
            f"Of {len(names)} predictions in {folder} {'each pixel is' if masks.all() else 'no pixel is'} one of the "
            f"object ({coding.words}). Are these the right files, and masks or probabilities rather than logits?"
        )
    return Predictions(masks, _folds(folder, files, names), coding.words)


@dataclass(frozen=True)
class _Coding:
    """By what the values of all files are divided to lie in [0, 1]; whether they are masks; that in `words`."""

    scale: float
    is_mask: bool
    words: str


def _files_of(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """image -> its file."""
    known = _spellings(names)
    found: dict[str, list[Path]] = defaultdict(list)
    unknown = []
    for path in _paths(folder):
        stem = _stem(path)
        if stem is None or path.name.startswith("."):
            continue
        parts = [part for part in path.relative_to(folder).parts[:-1] if not FOLD.fullmatch(part)]
        spelled = ("/".join([*parts[start:], stem]) for start in range(len(parts) + 1))
        name = next((known[text] for text in spelled if text in known), None)
        if name is None:
            unknown.append(path)
        else:
            found[name].append(path)
    if missing := [name for name in names if name not in found]:
        raise UserError(
            f"Each of the sweep's {len(names)} images needs a prediction, but {folder} has none of {len(missing)}: "
            f"{_few(missing)}. Files are called like the images (thaw folds says how): <name>.png, .npz, .nii.gz."
            f"{_unknown(unknown)}"
        )
    if unknown:
        raise UserError(f"Predictions must be of the sweep's images.{_unknown(unknown)} Take them out of {folder}.")
    chosen = {name: _one(paths) for name, paths in found.items()}
    if doubled := [path for name, path in chosen.items() if path is None for path in found[name]]:
        raise UserError(f"An image has one prediction, but {folder} has several of some: {_few(doubled)}.")
    return {name: path for name, path in chosen.items() if path is not None}


def _paths(folder: Path) -> list[Path]:
    """The files that may be predictions. Raises `UserError` where a network was trained on what it predicts."""
    parts = sorted(folder.glob(OF_NNUNET)) or [folder]
    paths = sorted(path for part in parts for path in part.rglob("*"))
    if known := next((path for path in paths if TRAINED_ON_ALL in path.relative_to(folder).parts), None):
        raise UserError(
            f"An image must be predicted by a network that has not seen it, but {known} is of nnU-Net's fold "
            "'all', which is trained on all images. Train the folds of `thaw folds` instead."
        )
    return paths


def _one(paths: Sequence[Path]) -> Path | None:
    """The one file of an image: beside a mask, the probabilities of the same name are left alone."""
    pictures = [path for path in paths if not path.name.endswith(ARRAYS)]
    if len(paths) == 1:
        return paths[0]
    beside = len(pictures) == 1 and all(path.parent == pictures[0].parent for path in paths) and len(paths) == 2
    return pictures[0] if beside else None


def _unknown(paths: Sequence[Path]) -> str:
    return f" Not called like any image: {_few(paths)}." if paths else ""


def _few(items: Iterable[object]) -> str:
    texts = [str(item) for item in items]
    return ", ".join(texts[:SHOWN]) + (f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")


def _stem(path: Path) -> str | None:
    """A file's name without its suffix; None for a file that holds no prediction."""
    for suffix in (*PICTURES, ARRAYS):
        if path.name.lower().endswith(suffix) and path.is_file():
            return path.name[: -len(suffix)]
    return None


def _spellings(names: Sequence[str]) -> dict[str, str]:
    """Every spelling of an image: its name, that in `thaw folds`, and its last part where that means no other."""
    last = [name.rpartition("/")[2] for name in names]
    alone = {text: name for text, name in zip(last, names, strict=True) if last.count(text) == 1}
    return alone | dict(zip(case_names(names), names, strict=True)) | {name: name for name in names}


def _values(path: Path) -> NDArray[np.float64]:
    """(height, width) numbers as the file holds them. Raises `UserError` for anything else."""
    if path.name.lower().endswith(ARRAYS):
        return _probabilities(path)
    pixels = np.asarray(decode(path).pixels)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4) and len(np.unique(pixels[..., -1])) == 1:
        pixels = pixels[..., :-1]  # opaque, or as good as
    if pixels.ndim == 3 and all(np.array_equal(pixels[..., 0], pixels[..., band]) for band in range(pixels.shape[2])):
        pixels = pixels[..., 0]
    if pixels.ndim != 2:
        raise UserError(f"A prediction is grey, but {path} has {pixels.shape[-1]} channels that differ.")
    return pixels.astype(np.float64)


def _probabilities(path: Path) -> NDArray[np.float64]:
    try:
        with path.open("rb") as file:
            arrays = load_arrays(file, MOST_BYTES)
    except UNREADABLE as error:
        raise UserError(f"{path} cannot be read as an .npz archive of numbers ({error}).") from error
    name = next((one for one in ("probabilities", "softmax") if one in arrays), next(iter(arrays), ""))
    if len(arrays) > 1 and name not in ("probabilities", "softmax"):
        raise UserError(
            f"{path} must hold one array, or one called 'probabilities', but it holds {', '.join(arrays)}. Save the "
            "prediction alone."
        )
    array = np.squeeze(np.asarray(arrays.get(name, np.zeros(0)), np.float64))
    if array.ndim == 3 and array.shape[0] == FOREGROUND + 1:
        array = array[FOREGROUND]
    if array.ndim != 2:
        raise UserError(
            f"{path} must hold probabilities (height, width), or (2, height, width) of background and object, but its "
            f"array {name!r} has the shape {array.shape}."
        )
    return array


def _coding(values: Sequence[NDArray[np.float64]], folder: Path) -> _Coding:
    """One coding for all files, or a `UserError`."""
    levels = np.unique(np.concatenate([np.unique(value) for value in values]))
    lowest, highest = float(levels[0]), float(levels[-1])
    whole = bool((levels == np.round(levels)).all())
    if not np.isfinite(levels).all() or lowest < 0:
        raise UserError(
            f"Predictions are masks or probabilities, but the files in {folder} hold values from {lowest:g} to "
            f"{highest:g}. Logits must be made probabilities: 1 / (1 + exp(-x))."
        )
    objects = levels[levels > 0]
    if whole and len(objects) == 1:
        return _Coding(highest, True, f"masks: {highest:g} is the object")
    if not len(objects):
        return _Coding(1.0, True, "masks: all are empty")
    if highest <= 1:
        return _Coding(1.0, False, "probabilities, the object above 0.5")
    if whole and highest <= 255 and len(levels) >= MANY_LEVELS and highest > 127:
        return _Coding(255.0, False, "probabilities in 8 bits, the object above 127.5")
    shown = ", ".join(f"{level:g}" for level in levels[:SHOWN])
    raise UserError(
        f"Predictions are masks of one object, or probabilities in [0, 1] or 0 to 255, but the files in {folder} hold "
        f"{len(levels)} values: {shown}{', ...' if len(levels) > SHOWN else ''}. Write one object's mask or "
        "probability."
    )


def _nearest(mask: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """At working size as the truths are brought there, so that a perfect mask scores 1."""
    return (nearest(mask.astype(np.float32), size) > 0.5).astype(np.uint8)


def _mean_of_area(probability: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """At working size: the mean over the area of a pixel where it shrinks, linear between pixels where it grows."""
    if probability.shape != (size, size):
        shrinks = min(probability.shape) >= size
        way = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
        probability = np.asarray(Image.fromarray(probability.astype(np.float32)).resize((size, size), way))
    return (probability > 0.5).astype(np.uint8)


def _folds(folder: Path, files: Mapping[str, Path], names: Sequence[str]) -> tuple[int, ...]:
    """The fold of each image, as folders or the table say it; nothing where neither does."""
    stated = _from_table(folder / TABLE, names) if (folder / TABLE).is_file() else _from_folders(folder, files)
    if stated and (missing := [name for name in names if name not in stated]):
        raise UserError(f"Folds are said of all predictions or of none, but not of {_few(missing)} in {folder}.")
    return tuple(stated[name] for name in names) if stated else ()


def _from_folders(folder: Path, files: Mapping[str, Path]) -> dict[str, int]:
    stated = {}
    for name, path in files.items():
        matches = [FOLD.fullmatch(part) for part in path.relative_to(folder).parts[:-1]]
        if numbers := [int(match[1]) for match in matches if match]:
            stated[name] = numbers[-1]
    return stated


def _from_table(path: Path, names: Sequence[str]) -> dict[str, int]:
    known = _spellings(names)
    stated: dict[str, int] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                text, fold = row["image"], int(row["fold"])
                name = known.get(text)
                if name is None or stated.get(name, fold) != fold:
                    why = "is no image of the sweep" if name is None else "is in two folds"
                    raise UserError(f"{path} must say the fold of each image once, but {text!r} {why}.")
                stated[name] = fold
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{path} must have the columns image and fold, a whole number, but: {error}.") from error
    if not stated:
        raise UserError(f"{path} must say the fold of each image, but it has no rows. Fill it, or take it away.")
    return stated
