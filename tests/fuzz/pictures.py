"""Kinds of cases made of image and mask files: one file by itself, and sets of which one file is mangled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tests.fuzz import without_thaw
from tests.fuzz.judging import Kind, Reading, Trial
from tests.fuzz.mutating import pick
from tests.fuzz.picture_files import FORMATS, picture_changed, written
from trainer.config import DataConfig

SIDE = 32
PAIRS = 4


def shades(number: int, side: int = SIDE) -> NDArray[np.uint8]:
    """Pixels (side, side) that tell which number they are: no two are near-duplicates."""
    coarse = np.random.default_rng([3, number]).integers(10, 245, (side // 8, side // 8), np.uint8)
    return np.kron(coarse, np.ones((8, 8), np.uint8))


def disc(number: int, side: int = SIDE) -> NDArray[np.uint8]:
    """A mask (side, side) of 0 and 255: a rectangle with a corner cut off, whose size is its number's."""
    mask = np.zeros((side, side), np.uint8)
    mask[4 : 10 + 2 * number, 6 : 20 + number] = 255
    mask[4:6, 6:8] = 0
    return mask


def draw_image(rng: Generator, folder: Path) -> Trial:
    """One image file: grey by its type."""
    from trainer.data.images import read_grey

    suffix = pick(rng, list(FORMATS))
    mode, way = pick(rng, FORMATS[suffix])
    options: dict[str, Any] = {}
    if suffix in (".png", ".jpg") and rng.random() < 0.2:
        options["exif"] = exif_bytes(int(rng.integers(1, 9)))
    original, path = folder / f"original{suffix}", folder / f"image{suffix}"
    data = written(shades(int(rng.integers(9)))[:, : int(pick(rng, (16, 24, 32)))], suffix, mode, way, **options)
    changed, what = picture_changed(rng, data, suffix)
    original.write_bytes(data)
    path.write_bytes(changed)
    return Trial(
        f"{suffix} {mode} {way}: {what}",
        lambda: {"grey": read_grey(path)},
        lambda: {"grey": without_thaw.grey_of(original)},
        lambda: reading(without_thaw.grey_of(path)),
    )


def exif_bytes(orientation: int) -> bytes:
    from tests.fuzz.picture_files import EXIF_HEADER, exif

    return EXIF_HEADER + exif(orientation)


def reading(grey: NDArray[np.float32] | None) -> Reading | None:
    return None if grey is None else {"grey": grey}


def write_set(rng: Generator, folder: Path, suffix: str = "", mode: str = "") -> tuple[str, str]:
    """Images and masks 0 to 3 in folders `images` and `masks`; their format and mode."""
    suffix = suffix or pick(rng, (".png", ".png", ".tif", ".bmp", ".gif"))
    mode = mode or pick(rng, [mode for mode, way in FORMATS[suffix] if way in ("", "raw") and mode not in ("1", "P")])
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(PAIRS):
        way = "raw" if suffix == ".tif" else ""
        (folder / "images" / f"p{number}{suffix}").write_bytes(written(shades(number), suffix, mode, way))
        (folder / "masks" / f"p{number}.png").write_bytes(written(disc(number), ".png", "L"))
    return suffix, mode


def draw_set(rng: Generator, folder: Path) -> Trial:
    """A set of which one image is mangled: the others have to stay what they are."""
    suffix, mode = write_set(rng, folder / "set")
    path = folder / "set" / "images" / f"p{int(rng.integers(PAIRS))}{suffix}"
    changed, what = picture_changed(rng, path.read_bytes(), suffix)
    path.write_bytes(changed)
    return set_trial(folder, path, f"image of a set, {suffix} {mode}: {what}")


def draw_mask(rng: Generator, folder: Path) -> Trial:
    """A set of which one mask is mangled."""
    write_set(rng, folder / "set", ".png", "L")
    number = int(rng.integers(PAIRS))
    suffix = pick(rng, (".png", ".png", ".tif", ".bmp", ".gif"))
    mode, way = pick(rng, [(mode, way) for mode, way in FORMATS[suffix] if mode != "F" and way != "jpeg"])
    (folder / "set" / "masks" / f"p{number}.png").unlink()
    path = folder / "set" / "masks" / f"p{number}{suffix}"
    changed, what = picture_changed(rng, written(disc(number), suffix, mode, way), suffix)
    path.write_bytes(changed)
    return set_trial(folder, path, f"mask of a set, {suffix} {mode} {way}: {what}")


def set_trial(folder: Path, path: Path, what: str) -> Trial:
    """All cases of the set, by name; the mutated one is what it was, or what it is without thaw."""
    data, home = folder / "set", folder / "out"
    numbers = {f"p{number}": number for number in range(PAIRS)}

    def read() -> Reading:
        from trainer.data.cases import load_cases

        cases = load_cases(DataConfig(str(data), keep_empty=True), SIDE, home)
        found: dict[str, Any] = {"notes": bool(cases.notes) or len(cases) == PAIRS}
        for position, name in enumerate(cases.names):
            found |= {f"image {name}": cases.images[position], f"mask {name}": cases.masks[position]}
        return found

    def unmutated() -> dict[str, Any]:
        found: dict[str, Any] = {"notes": True}
        for name, number in numbers.items():
            found |= {f"image {name}": shades(number).astype(np.float32) / 255, f"mask {name}": disc(number) // 255}
        return found

    def other() -> Reading | None:
        grey = without_thaw.grey_of(path)
        if grey is None:
            return None
        if path.parent.name == "images":
            return unmutated() | {f"image {path.stem}": squeezed(grey)}
        return unmutated() | {f"mask {path.stem}": marked(without_thaw.on_black(path, grey))}

    return Trial(what, read, unmutated, other, writes=True)


def squeezed(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """At working size."""
    from PIL import Image

    small = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(small, np.float32), 0, 1)


def marked(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A mask by the plainest of rules: what is brighter than half of white."""
    from PIL import Image

    small = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return (np.asarray(small) > 0.5).astype(np.uint8)


KINDS = (Kind("image file", 26, draw_image), Kind("image of a set", 8, draw_set), Kind("mask of a set", 12, draw_mask))
