"""What a sweep leaves with MLflow for workers on other machines: its plan, its images at working size, its network.

    plan.json                 the plan, with the digest of cases/about.json; its own digest is a tag of the run
    cases/about.json          names, labels and the rest of the cases; shape and digest of every part
    cases/<array>-<number>    a part of an array: compressed, small enough for any proxy
    cases-<name>/             the same of an external test set
    bases/, network.*         starting weights and the user's own network (`sweeps.planning.artifacts`)

What is fetched lies in the worker's home, a cache. Everything is data: nothing is unpickled, and every part is compared
with its digest before it is decoded.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.artifact_names import NETWORK
from sweeps.planning.plan import Plan, plan_from_json, plan_to_json, write_plan
from tracking.redact import redact
from trainer.errors import UserError
from trainer.files import write_atomically

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker
    from trainer.data.cache import Entry
    from trainer.data.cases import Cases

PLAN, PLAN_TAG = "plan.json", "thaw.plan"
CASES, ABOUT = "cases", "about.json"
PART = 16 * 2**20  # bytes of an array in one part, before it is compressed
LARGEST = 64 * 2**30  # bytes of all images: beyond, a damaged description is more likely


def publish(tracker: Tracker, plan: Plan, cases: Cases, external: Mapping[str, Cases], clock_ahead: float) -> None:
    """Leave a sweep's plan and images with its MLflow run; images that are there already are not sent again.

    `clock_ahead`: by how many seconds the database's clock, in which the plan's deadline is written, is ahead.
    """
    run = plan.sweep_run
    if tracker.artifact_scheme(run) == "file":
        raise UserError(
            f"Workers on other machines take images and weights from the MLflow server, but {redact(tracker.uri)} "
            "keeps artifacts in a folder that only its own machine has. Start it with --artifacts-destination FOLDER, "
            "without --no-serve-artifacts and --default-artifact-root, and give this sweep another --name: MLflow "
            "never moves an experiment. Without --storage the sweep runs on this machine."
        )
    sent = _send(tracker, run, CASES, cases)
    others = {name: _send(tracker, run, _folder(name), one) for name, one in external.items()}
    weights, deadline = f"{plan.weights_digest}.weights.h5", plan.deadline + clock_ahead
    starts = {origin: (f"{digest}.weights.h5", digest) for origin, (_, digest) in plan.starts.items()}
    fetched = replace(plan, weights=weights, starts=starts, cases=sent, external_cases=others, deadline=deadline)
    text = plan_to_json(fetched).encode()
    if tracker.tag(run, PLAN_TAG) != _sha(text):
        tracker.log_bytes(run, PLAN, text)
        tracker.set_tag(run, PLAN_TAG, _sha(text))


def _folder(external: str) -> str:
    """Where the images of an external test set lie."""
    return f"{CASES}-{external}"


def _send(tracker: Tracker, run: str, folder: str, cases: Cases) -> str:
    """Leave images in a folder of the run, unless they are there; the digest of their description."""
    from trainer.data.cases import to_entry

    entry, tag = to_entry(cases), f"thaw.{folder}"
    pieces = list(_pieces(entry))
    about = json.dumps({"about": dict(entry.about), "parts": [part.table for part in pieces]}).encode()
    if tracker.tag(run, tag) != _sha(about):
        for part in pieces:
            tracker.log_bytes(run, part.file, part.content(), folder)
        tracker.log_bytes(run, ABOUT, about, folder)
        tracker.set_tag(run, tag, _sha(about))
    return _sha(about)


@dataclass(frozen=True, eq=False)
class _Part:
    """Some rows of an array of the cases."""

    array: str
    number: int
    rows: NDArray[Any]

    @property
    def file(self) -> str:
        return f"{self.array}-{self.number:04d}"

    @property
    def table(self) -> dict[str, Any]:
        """What the description says of it; the digest is that of the rows, not of their compressed form."""
        rows = np.ascontiguousarray(self.rows)
        said = {"file": self.file, "array": self.array, "sha256": _sha(rows.tobytes())}
        return said | {"shape": list(rows.shape), "type": rows.dtype.str}

    def content(self) -> bytes:
        return zlib.compress(np.ascontiguousarray(self.rows).tobytes(), 1)


def _pieces(entry: Entry) -> Iterator[_Part]:
    for name, array in entry.arrays.items():
        rows = max(1, PART // max(1, array[:1].nbytes))
        for number, start in enumerate(range(0, max(1, len(array)), rows)):
            yield _Part(name, number, array[start : start + rows])


def fetch(tracker: Tracker, home: Home, name: str, board: Board, clock_ahead: float) -> Plan:
    """Take a sweep from its MLflow run into this home; its plan, with the deadline by this machine's clock.

    Raises `UserError` where something is missing there.
    """
    run = tracker.sweep_run(name)
    content = _fetched(tracker, run, PLAN, tracker.tag(run, PLAN_TAG) or "")
    plan = plan_from_json(content, home, f"{PLAN} of run {run}")
    if plan.name != name or plan.sweep_run != run:
        raise UserError(f"The plan of run {run} must be that of the sweep {name!r}, but it is that of {plan.name!r}.")
    with board.stage("fetching the images"):
        _fetch_cases(tracker, home, plan, CASES, plan.cases)
        for name, digest in plan.external_cases.items():
            _fetch_cases(tracker, home, plan, _folder(name), digest)
    with board.stage("fetching the starting weights"):
        _fetch_weights(tracker, home, plan)
    plan = plan_from_json(content, home, PLAN)  # now with the files that lie here
    plan = replace(plan, deadline=plan.deadline - clock_ahead)
    write_plan(home, plan)
    return plan


def _fetch_cases(tracker: Tracker, home: Home, plan: Plan, folder: str, digest: str) -> None:
    from trainer.data.cache import Entry, cached

    def make() -> Entry:
        description = json.loads(_fetched(tracker, plan.sweep_run, f"{folder}/{ABOUT}", digest))
        parts = description["parts"]
        if sum(_size(part) for part in parts) > LARGEST:
            raise UserError(f"The images of sweep {plan.name!r} are said to be larger than {LARGEST >> 30} GiB.")
        arrays: dict[str, list[NDArray[Any]]] = {}
        for part in parts:
            arrays.setdefault(part["array"], []).append(_fetch_part(tracker, plan.sweep_run, folder, part))
        return Entry({key: np.concatenate(pieces) for key, pieces in arrays.items()}, description["about"])

    cached(home.data, digest, make)


def _fetch_part(tracker: Tracker, run: str, folder: str, part: dict[str, Any]) -> NDArray[Any]:
    """One piece of an array, no larger than it says."""
    artifact = f"{folder}/{Path(part['file']).name}"
    try:
        raw = zlib.decompressobj().decompress(_read(tracker, run, artifact), _size(part) + 1)
    except zlib.error:
        raw = b""
    if _sha(raw) != part["sha256"]:
        raise _not_as_recorded(artifact, run)
    return np.frombuffer(raw, np.dtype(part["type"])).reshape(part["shape"])


def _size(part: dict[str, Any]) -> int:
    kind = np.dtype(part["type"])
    if kind.kind not in "buif" or any(type(side) is not int or side < 0 for side in part["shape"]):
        raise UserError(f"A part of the images must be an array of numbers, but {part['file']} is not.")
    sides: list[int] = part["shape"]
    return math.prod(sides) * int(kind.itemsize)


def _fetch_weights(tracker: Tracker, home: Home, plan: Plan) -> None:
    """The starting weights and the user's own network, each under the name that its content gives it."""
    for _, digest in plan.start_files.values():
        _fetch_file(tracker, plan.sweep_run, f"bases/{digest}.weights.h5", home.weights)
    model = plan.resolved.spec.settings.model
    if model.path is not None:
        name = Path(model.file).name
        path = home.networks / name
        if not path.exists():
            content = _read(tracker, plan.sweep_run, f"{NETWORK}{path.suffix}")
            if _sha(content)[:16] != path.stem:
                raise _not_as_recorded(f"{NETWORK}{path.suffix}", plan.sweep_run)
            write_atomically(path, lambda file: file.write(content))


def _fetch_file(tracker: Tracker, run: str, artifact: str, folder: Path) -> None:
    """An artifact that is compared with the digest in its name when it is loaded."""
    path = folder / Path(artifact).name
    if not path.exists():
        content = _read(tracker, run, artifact)
        write_atomically(path, lambda file: file.write(content))


def _fetched(tracker: Tracker, run: str, artifact: str, digest: str) -> bytes:
    content = _read(tracker, run, artifact)
    if _sha(content) != digest:
        raise _not_as_recorded(artifact, run)
    return content


def _read(tracker: Tracker, run: str, artifact: str) -> bytes:
    content = tracker.read_file(run, artifact)
    if content is None:
        tracker.check_not_away()
        raise UserError(
            f"A worker on another machine takes {artifact} from the sweep's MLflow run, but run {run} has none, or it "
            "cannot be fetched. Start the sweep with --storage, and with MLFLOW_TRACKING_URI set to a server that "
            "proxies artifacts (mlflow server --artifacts-destination ...): the same command adds what is missing."
        )
    return content


def _not_as_recorded(artifact: str, run: str) -> UserError:
    return UserError(
        f"The artifact {artifact} of run {run} must be what was recorded, but its digest differs: it is damaged, or "
        "was changed. Put the file back, or start the sweep under another --name."
    )


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
