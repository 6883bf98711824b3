"""Somebody else's predictions: any form and size gives the same masks; what is unclear is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.data.masks.reading import nearest
from trainer.data.names.case_names import case_names
from trainer.data.predictions import read_predictions
from trainer.errors import UserError

NAMES = ("benign/a (1)", "benign/b", "malignant/c")
TRUE = (np.random.default_rng(0).random((3, 8, 8)) > 0.6).astype(np.uint8)


def png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def npz(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def large(mask: np.ndarray) -> np.ndarray:
    return mask.repeat(4, 0).repeat(4, 1)


def soft(mask: np.ndarray) -> np.ndarray:
    return np.where(mask == 1, 0.51 + 0.4 * np.linspace(0, 1, 64).reshape(8, 8), 0.49)


WRITERS: dict[str, Callable[[Path, str, np.ndarray], None]] = {
    "white": lambda folder, name, mask: png(folder / f"{name}.png", 255 * mask),
    "one": lambda folder, name, mask: png(folder / f"{Path(name).name}.png", mask),
    "large": lambda folder, name, mask: png(folder / f"{name}.tif", large(255 * mask)),
    "opaque": lambda folder, name, mask: png(
        folder / f"{name}.png", np.stack([*[255 * mask] * 3, np.full_like(mask, 255)], -1)
    ),
    "colour": lambda folder, name, mask: png(folder / f"{name}.png", np.stack([255 * mask] * 3, -1)),
    "8 bits": lambda folder, name, mask: png(folder / f"{name}.png", np.round(255 * soft(mask)).astype(np.uint8)),
    "floats": lambda folder, name, mask: npz(folder / f"{name}.npz", p=soft(mask)),
    "nnU-Net": lambda folder, name, mask: npz(
        folder / f"{Path(name).name}.npz", probabilities=np.stack([1 - soft(mask), soft(mask)])[:, None]
    ),
    "by fold": lambda folder, name, mask: png(folder / "fold_1" / "validation" / f"{Path(name).name}.png", mask),
}


@pytest.mark.parametrize("form", WRITERS)
def test_every_form_gives_the_same_masks(tmp_path: Path, form: str) -> None:
    for name, mask in zip(NAMES, TRUE, strict=True):
        WRITERS[form](tmp_path, name, mask)
    found = read_predictions(tmp_path, NAMES, 8)
    assert np.array_equal(found.masks, TRUE) and found.fold_of == ((1, 1, 1) if form == "by fold" else ())


def test_a_perfect_mask_of_any_size_is_the_truth(tmp_path: Path) -> None:
    """Truths are brought to the working size by nearest neighbour: another way would cost every perfect mask."""
    rng = np.random.default_rng(1)
    truths = [(rng.random(sides) > 0.5).astype(np.uint8) for sides in ((37, 50), (64, 23), (5, 5))]
    for name, truth in zip(NAMES, truths, strict=True):
        png(tmp_path / f"{name}.png", 255 * truth)
    wanted = np.stack([nearest(truth, 16) for truth in truths])
    assert np.array_equal(read_predictions(tmp_path, NAMES, 16).masks, wanted)


def test_names_that_clash_are_told_apart(tmp_path: Path) -> None:
    names = ("x/1", "y/1", "x/y__1", "x__y/1")
    for case, value in zip(case_names(names), (1, 0, 1, 0), strict=True):
        png(tmp_path / f"{case}.png", np.full((8, 8), value, np.uint8))
    assert read_predictions(tmp_path, names, 8).masks.mean(axis=(1, 2)).tolist() == [1, 0, 1, 0]


def test_masks_win_over_the_probabilities_beside_them(tmp_path: Path) -> None:
    for name, mask in zip(NAMES, TRUE, strict=True):
        png(tmp_path / f"{Path(name).name}.png", mask)
        npz(tmp_path / f"{Path(name).name}.npz", probabilities=np.zeros((8, 8)))
    assert np.array_equal(read_predictions(tmp_path, NAMES, 8).masks, TRUE)


def test_of_the_folder_of_a_training_of_nnunet_the_validations_are_read(tmp_path: Path) -> None:
    for fold, (name, mask) in enumerate(zip(NAMES, TRUE, strict=True)):
        png(tmp_path / f"fold_{fold}" / "validation" / f"{Path(name).name}.png", mask)
        npz(tmp_path / f"fold_{fold}" / "validation" / f"{Path(name).name}.npz", probabilities=np.zeros((2, 1, 8, 8)))
        png(tmp_path / f"fold_{fold}" / "progress.png", np.zeros((9, 9), np.uint8))
        png(tmp_path / "crossval_results_folds_0_1_2" / f"{Path(name).name}.png", 1 - mask)
    found = read_predictions(tmp_path, NAMES, 8)
    assert np.array_equal(found.masks, TRUE) and found.fold_of == (0, 1, 2)


def test_a_table_says_the_folds(tmp_path: Path) -> None:
    for name, mask in zip(NAMES, TRUE, strict=True):
        png(tmp_path / f"{name}.png", mask)
    (tmp_path / "folds.csv").write_text("image,fold,case\nbenign/a (1),2,x\nb,1,y\nmalignant/c,2,z\n")
    assert read_predictions(tmp_path, NAMES, 8).fold_of == (2, 1, 2)
    (tmp_path / "folds.csv").write_text("image,fold\nb,1\n")
    with pytest.raises(UserError, match=r"of all predictions or of none, but not of benign/a \(1\), malignant/c"):
        read_predictions(tmp_path, NAMES, 8)
    (tmp_path / "folds.csv").write_text("picture,fold\nb,1\n")
    with pytest.raises(UserError, match="must have the columns image and fold"):
        read_predictions(tmp_path, NAMES, 8)


def instead(folder: Path, array: np.ndarray) -> None:
    """An array in the place of a picture."""
    (folder / "b.png").unlink()
    npz(folder / "b.npz", p=array)


def empty(folder: Path) -> None:
    for path in folder.glob("*.png"):
        png(path, 0 * TRUE[0])


def full(folder: Path) -> None:
    for path in folder.glob("*.png"):
        png(path, np.ones((8, 8), np.uint8))


def two_arrays(folder: Path) -> None:
    (folder / "b.png").unlink()
    npz(folder / "b.npz", image=soft(TRUE[1]), mask=TRUE[1])


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: (folder / "b.png").unlink(), "has none of 1: benign/b"),
    "unknown": (lambda folder: png(folder / "d.png", TRUE[0]), "Not called like any image: .*d.png"),
    "doubled": (lambda folder: png(folder / "more" / "b.png", TRUE[0]), "has several of some: .*b.png"),
    "labels": (lambda folder: png(folder / "b.png", 2 * TRUE[0]), "hold 3 values: 0, 1, 2"),
    "logits": (lambda folder: instead(folder, TRUE[0] - 4.5), "Logits must be"),
    "channels": (
        lambda folder: instead(folder, np.ones((3, 8, 8))),
        r"has the shape \(3, 8, 8\)",
    ),
    "empty": (empty, "no pixel is one of the object"),
    "full": (lambda folder: full(folder), "each pixel is one of the object"),
    "two arrays": (lambda folder: two_arrays(folder), "holds image, mask. Save the prediction alone"),
    "a fold of nothing": (
        lambda folder: (folder / "folds.csv").write_text("image,fold\nb,1\nx,2\n"),
        "'x' is no image of the sweep",
    ),
    "two folds": (lambda folder: (folder / "folds.csv").write_text("image,fold\nb,1\nb,2\n"), "'b' is in two folds"),
    "no rows": (lambda folder: (folder / "folds.csv").write_text("image,fold\n"), "has no rows"),
    "colours": (
        lambda folder: png(folder / "b.png", np.stack([TRUE[0], TRUE[1], TRUE[2]], -1)),
        "3 channels that differ",
    ),
    "trained on all": (
        lambda folder: png(folder / "fold_all" / "validation" / "b.png", TRUE[0]),
        "nnU-Net's fold 'all', which is trained on all images",
    ),
    "no folder": (lambda folder: folder.rename(folder.with_name("gone")), "there is no folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_unclear_is_refused(tmp_path: Path, case: str) -> None:
    folder = tmp_path / "given"
    for name, mask in zip(NAMES, TRUE, strict=True):
        png(folder / f"{Path(name).name}.png", mask)
    spoil, said = WRONG[case]
    spoil(folder)
    with pytest.raises(UserError, match=said):
        read_predictions(folder, NAMES, 8)
