"""What a step of a trial changes on its run: plain data that may be written any number of times."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from PIL import Image

from tracking.record import TrialInfo
from tracking.store import distance_tags, external_tags, mlflow_views, schema
from tracking.store.reader import DROPPED
from tracking.store.score_tags import TAG, scores_to_tags
from tracking.store.weights import CHECKPOINTS, KEPT, LOST
from tracking.store.weights import TAG as WEIGHTS
from trainer.results import FoldResult

Points = tuple[tuple[str, float, int], ...]  # (key, value, step)
Files = Iterable[tuple[str, bytes]]  # (path among the run's artifacts, content), taken one at a time

SMALL = 256  # pixels: the longer side of the copy of an image that MLflow's charts show
LONGEST_REASON = 4000  # characters of a tag


@dataclass(frozen=True)
class Change:
    """What is written on a run, besides files. Where a point or a parameter is there already, it stays.

    `replaces`: how tags begin that go unless they are among `tags`. `status`: how the run is closed; empty: it is not.
    """

    points: Points = ()
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    replaces: tuple[str, ...] = ()
    status: str = ""


def opened(info: TrialInfo) -> Change:
    """A trial begins. The cost is a metric: MLflow sorts those as numbers, and can plot against them."""
    cost = (("trainable_params", float(info.trainable_params), 0),)
    return Change(cost, schema.trial_params(info), replaces=(DROPPED,))


def fold_scored(result: FoldResult) -> Change:
    """Scores, seconds and the loss of every epoch of one fold."""
    return Change(tuple(schema.fold_metrics(result)))


def finished(info: TrialInfo, results: Sequence[FoldResult], *, weights: bool, synthetic: bool) -> Change:
    """The summary over all folds, and every image's scores as tags that come with the run. `weights`: they are kept."""
    epochs, summary = results[0].epochs, schema.summary_metrics(results)
    scores = [(result.fold, score) for result in results for score in result.scores]
    tags = scores_to_tags(scores, own_images=info.candidate.split != "grouped")
    tags |= external_tags.external_to_tags(external_tags.external_of(results)) | {
        schema.VERSION_TAG: str(schema.TRIAL_VERSION),
        schema.PROCESSORS_TAG: schema.processors_to_tag(results),
        "mlflow.loggedArtifacts": '[{"path": "scores.json", "type": "table"}]',
        "mlflow.loggedImages": "True",
        WEIGHTS: KEPT if weights else LOST,
        "mlflow.note.content": mlflow_views.describe_trial(info, summary, len(results), synthetic),
    }
    if info.candidate.images:
        summary |= schema.train_images_to_metrics(results)
    points = tuple((key, float(value), epochs) for key, value in summary.items())
    # A training before may have taken more of them.
    return Change(points, tags=tags, replaces=(TAG, distance_tags.TAG, external_tags.TAG), status="FINISHED")


def failed(reason: str) -> Change:
    """The trial cannot score; the reason becomes a tag and the run's description."""
    reason = reason[:LONGEST_REASON]
    return Change(tags={"thaw.reason": reason, "mlflow.note.content": f"Failed: {reason}"}, status="FAILED")


def dropped(reason: str, estimate: float) -> Change:
    """The trial ended between folds. It has no mean Dice; `estimate` is only a guess at it."""
    tags = {"thaw.reason": reason, "mlflow.note.content": f"Dropped: {reason}", DROPPED: repr(estimate)}
    return Change(tags=tags, status="KILLED")


def finished_files(
    results: Sequence[FoldResult], montage: bytes, checkpoints: Iterable[tuple[str, bytes]], time: int
) -> Iterator[tuple[str, bytes]]:
    """The table of scores that MLflow's pages show, the weights of the folds and the montage (PNG)."""
    yield "scores.json", schema.scores_to_table(results).encode()
    if text := external_tags.external_text(external_tags.external_of(results)):
        yield external_tags.FILE, text.encode()
    yield from ((f"{CHECKPOINTS}/{name}", content) for name, content in checkpoints)
    if montage:
        yield from image_files({"montage": montage}, time)


def peeked(files: Files) -> tuple[bool, Files]:
    """Whether there is any file, and all of them, still taken one at a time."""
    rest = iter(files)
    first = next(rest, None)
    return first is not None, () if first is None else chain([first], rest)


def image_files(images: Mapping[str, bytes], time: int) -> Iterator[tuple[str, bytes]]:
    """PNGs by their keys as MLflow's charts find them: whole and small; named alike whenever the `time` (ms) is."""
    for key, content in images.items():
        # Step 0 for all: MLflow shows images side by side only at one and the same step.
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{key} {time}")
        path = f"{mlflow_views.IMAGES}/{key.replace('/', '~')}+step+0+timestamp+{time}+{name}"
        yield f"{path}.png", content
        yield f"{path}+compressed.webp", _small(content)


def _small(png: bytes) -> bytes:
    image, buffer = Image.open(io.BytesIO(png)), io.BytesIO()
    scale = SMALL / max(image.size)
    size = int(image.width * scale), int(image.height * scale)
    image.resize((max(size[0], 1), max(size[1], 1))).save(buffer, "webp")
    return buffer.getvalue()
