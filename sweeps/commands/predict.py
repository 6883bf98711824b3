"""Masks and overlays of whole images from a saved or registered network."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from sweeps.environment.home import find_home
from sweeps.environment.terminal import Board
from sweeps.spec.load import AS_IT_IS, ModelSettings
from trainer.channels import as_grey
from trainer.config import DataConfig
from trainer.data.formats.decode import decode
from trainer.data.formats.decoded import UPRIGHT, Slice, as_stored
from trainer.data.formats.kinds import SUFFIXES
from trainer.data.intensity import IntensityRule, colours_of, extremes_of, grey_of, rule_from, rule_of
from trainer.data.listing.folder import bare, image_files, is_image
from trainer.data.pairing.volumes import slices_in
from trainer.errors import UserError
from trainer.files import write_atomically

if TYPE_CHECKING:  # heavy
    from trainer.training.inference import Segmenter

REGISTERED = "models:/"
SYNTHETIC = "SYNTHETIC TRAINING"  # printed on overlays
NAMED = 10  # unreadable images named in one message


@dataclass(frozen=True)
class Job:
    """One image to predict, and the name of its results below `masks` and `overlays`."""

    image: Path
    name: str
    slice: Slice | None = None


def predict_images(
    model: str, images: Path, out: Path, home: Path, board: Board, settings: ModelSettings = AS_IT_IS
) -> int:
    """Write `out/masks` (PNG of 0 and 255, size of the image) and `out/overlays`; return how many images.

    A mask has its pixels in the order of its image's file, and the same EXIF orientation: the two lie over each other
    pixel for pixel, in programs that turn images by EXIF and in those that do not. Overlays are as viewers show them.
    Which values are black and white is what the network was trained with, or else decided from `images`, and said.

    A registered network that was trained on synthetic images only is marked as such, here and on every overlay.

    `model`: a file that `thaw run --model` takes, or `models:/name@alias` of the MLflow store of `home`. `images`: an
    image, or a folder, searched with all below it. Raises `UserError` for a model or a folder that cannot be used; for
    images that cannot be read only after all others are written.
    """
    jobs = list_jobs(images, out)
    check_overwriting(jobs, out)
    predictor, synthetic = load(model, home, settings)
    for note in predictor.notes:
        board.say(note)
    if synthetic:
        board.say(f"{model} was trained on SYNTHETIC images only: it is no tool for real ones. Its overlays say so.")
    rule = intensity_rule(jobs, recorded_rule(model, home))
    messages: list[str] = []
    for note in rule.notes:
        board.say(f"Note: {note}")
    with board.stage("predicting") as step:
        for number, job in enumerate(jobs, start=1):
            try:
                image = decode(job.image, job.slice)
                pixels = (colours_of if predictor.colour else grey_of)(image, rule, job.image)
            except UserError as error:
                messages.append(str(error))
            else:
                write(predictor, job, pixels, out, SYNTHETIC if synthetic else None, image.orientation)
            step(number, len(jobs))
    if messages:
        more = f"\n  … and {len(messages) - NAMED} more" if len(messages) > NAMED else ""
        raise UserError(
            f"{len(messages)} of {len(jobs)} images could not be read; the others are in {out}.\n"
            + "\n".join(f"  - {message}" for message in messages[:NAMED])
            + more
        )
    return len(jobs)


def intensity_rule(jobs: list[Job], recorded: IntensityRule | None) -> IntensityRule:
    """The rule to read the images by; what the training set left open is decided from all that can be read.

    Images that cannot be read are named later, one by one. Raises `UserError` where nothing decides.
    """
    extremes = []
    for job in jobs:
        with suppress(UserError):
            extremes.append(extremes_of(job.image, job.slice))
    return rule_from([one for one in extremes if one is not None], DataConfig(), recorded)


def recorded_rule(model: str, home: Path) -> IntensityRule | None:
    """The rule that a registered network was trained with; None for a file and for networks of before there was one."""
    if not model.startswith(REGISTERED):
        return None
    from tracking.store.registry import intensity_of
    from tracking.store.writer import Tracker

    opened_home = find_home(home)
    table = intensity_of(Tracker.connect(opened_home.tracking_uri, opened_home.artifact_folder), model)
    return None if table is None else rule_of(table)


def list_jobs(images: Path, out: Path) -> list[Job]:
    """Every image, in the order of names; results of an earlier run below `out` are left out.

    Two images that differ only in their suffix keep it in the name of their results.
    """
    if not images.exists():
        raise UserError(f"There is no image or folder {images}.")
    folder = images if images.is_dir() else images.parent
    paths = sorted(image_files(images)) if images.is_dir() else [path for path in [images] if is_image(path)]
    results = out.resolve()
    image_paths = [
        path.relative_to(folder)
        for path in paths
        if not any((results / part) in path.resolve().parents for part in ("masks", "overlays"))
    ]
    if not image_paths:
        raise UserError(f"There must be an image ({', '.join(SUFFIXES)}) to predict, but {images} holds none.")
    name_counts = Counter(bare(path) for path in image_paths)
    names = {path: (path if name_counts[bare(path)] > 1 else bare(path)).as_posix() for path in image_paths}
    return [job for path, name in names.items() for job in jobs_of(folder / path, name)]


def jobs_of(path: Path, name: str) -> list[Job]:
    """One image to predict, or each slice or frame of a file of several, in a folder of its name."""
    slices = []
    with suppress(UserError):  # said when it is read
        slices = slices_in(path)
    return [Job(path, f"{name}/slice {slice.number + 1:03d}.png", slice) for slice in slices] or [
        Job(path, f"{name}.png")
    ]


def check_overwriting(jobs: list[Job], out: Path) -> None:
    """Raise `UserError` where a mask that thaw did not write would be replaced: its own have an overlay beside them."""
    masks_without_overlay = [out / "masks" / job.name for job in jobs if not (out / "overlays" / job.name).exists()]
    if existing := [path for path in masks_without_overlay if path.exists()]:
        raise UserError(
            f"Predictions must not replace masks that somebody drew, but {existing[0]} exists ({len(existing)} in all) "
            "and no prediction wrote it. Choose another --out."
        )


def load(model: str, home: Path, settings: ModelSettings = AS_IT_IS) -> tuple[Segmenter, bool]:
    """The network of a file or of the registry, ready for images, and whether it is known to be synthetic.

    A file tells nothing but its weights. Raises `UserError` where there is no network.
    """
    from sweeps.environment.keras_backend import prepare_backend

    opened_home = find_home(home) if model.startswith(REGISTERED) else None  # before Keras, which takes seconds
    prepare_backend()
    from trainer.network.network_file import load_network
    from trainer.training.inference import segmenter

    config, size = settings.config, settings.size
    if opened_home is None:
        return segmenter(load_network(Path(model), config.custom), config, size), False
    from tracking.store.registry import fetch, is_synthetic
    from tracking.store.writer import Tracker

    tracker = Tracker.connect(opened_home.tracking_uri, opened_home.artifact_folder)
    with tempfile.TemporaryDirectory() as folder:
        predictor = segmenter(load_network(fetch(tracker, model, Path(folder)), config.custom), config, size)
    return predictor, is_synthetic(tracker, model)


def write(
    predictor: Segmenter,
    job: Job,
    image: NDArray[np.float32],
    out: Path,
    label: str | None = None,
    orientation: int = UPRIGHT,
) -> None:
    """Predict one image (H, W[, 3]) and write its mask and its grey overlay with `label`, each whole or not at all.

    `orientation`: EXIF's, by which the pixels of the image's file were turned; the mask is turned back and states it.
    """
    from trainer.training.inference import labelled, overlay

    mask, grey = predictor.mask(image), as_grey(image[None])[0]
    exif = Image.Exif()
    if orientation != UPRIGHT:
        exif[ExifTags.Base.Orientation] = orientation
    stored_mask = as_stored(mask, orientation).astype(np.uint8) * 255
    # The overlay first: a mask without one counts as drawn by somebody.
    overlay_pixels = overlay(grey, mask) if label is None else labelled(overlay(grey, mask), label)
    for folder, pixels, metadata in (("overlays", overlay_pixels, None), ("masks", stored_mask, exif)):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="PNG", exif=metadata or None)
        write_atomically(out / folder / job.name, lambda file, buffer=buffer: file.write(buffer.getbuffer()))  # type: ignore[misc]
