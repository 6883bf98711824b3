"""What MLflow keeps of a sweep: the bases of its delta checkpoints, its images, examples and predictions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tracking.image_archive import IMAGES, PRETRAINING, Images, grey, pack_images
from trainer.candidate import Luck
from trainer.channels import as_grey
from trainer.config import LARGEST_SEED, ModelConfig
from trainer.results import OBJECT, FoldResult

if TYPE_CHECKING:  # heavy
    from sweeps.planning.resolve import ResolvedSweep
    from tracking.store.writer import Tracker
    from trainer.data.cases import Cases
    from trainer.training.pretraining import StartingWeights


def network_from_scratch(model: ModelConfig, luck: Luck) -> Any:
    """The network that `from scratch` starts from; pre-training starts from weights of another seed."""
    from trainer.network.user_model import from_scratch

    seed, start_seed = luck
    drawn = seed + 1 if start_seed is None else int(np.random.SeedSequence([seed, start_seed]).generate_state(1)[0])
    return from_scratch(model, drawn % LARGEST_SEED)


def log_bases(tracker: Tracker, sweep_run: str, resolved: ResolvedSweep, network: Any, starts: Sequence[Path]) -> None:
    """Log all starting weights, those in the files `starts` and fresh ones, as `bases/<digest>.weights.h5` of the
    sweep's run.

    `network` is given the weights of the files, those of the first in the end.
    """
    from trainer.network.user_model import load_start
    from trainer.network.weights import weights_digest, write_weights

    def loaded(path: Path) -> Any:
        load_start(network, resolved.settings.model, path)
        return network

    logged_files = tracker.files(sweep_run, "bases")
    bases: list[Callable[[], Any]] = [
        partial(network_from_scratch, resolved.settings.model, luck) for luck in resolved.lucks
    ]
    bases += [partial(loaded, path) for path in reversed(starts)]
    for make_network in bases:
        base = make_network()
        digest = weights_digest(base)
        if f"bases/{digest}.weights.h5" not in logged_files:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{digest}.weights.h5"
                write_weights(base, path)
                tracker.log_file(sweep_run, path, "bases")


def checkpoints(results: Iterable[FoldResult], base: str) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of every fold's delta, one at a time; a fold that trained nothing has none."""
    from trainer.network.delta_checkpoints import Delta, packed

    for result in results:
        if result.weights:
            yield Path(checkpoint_path(result.fold)).name, packed(Delta(base, result.weights))


def checkpoint_path(fold: int) -> str:
    """The artifact that holds a fold's delta."""
    return f"checkpoints/fold_{fold}.npz"


def log_images(tracker: Tracker, sweep_run: str, cases: Cases) -> None:
    """Log all cases at working size on the sweep's run, unless it holds them already."""

    def content() -> bytes:
        return pack_images(Images(cases.names, cases.labels, grey(as_grey(cases.images)), objects(cases.masks)))

    tracker.log_once(sweep_run, IMAGES, content)


def log_examples(tracker: Tracker, sweep_run: str, weights: StartingWeights) -> None:
    """Log the few pre-training images that the report shows; there are none where the weights were given."""
    if weights.examples is None:
        return
    images, truths = weights.examples
    names = tuple(f"image {number}" for number in range(1, len(images) + 1))

    def content() -> bytes:
        return pack_images(Images(names, ("",) * len(names), grey(as_grey(images)), objects(truths)))

    tracker.log_once(sweep_run, PRETRAINING, content)


def objects(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 in the object and 0 elsewhere: a figure does not show what is ignored."""
    return np.asarray(masks == OBJECT, np.uint8)
