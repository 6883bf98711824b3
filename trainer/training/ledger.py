"""The ledger: what was trained is kept in immutable files, so nothing is paid for twice (design.md, decision 6).

    <root>/<2 digits>/<training key>/00012.npz    the result at 12 epochs, with the trained weights
                                     00012.weights    these, where MLflow's checkpoint on this disk is the same file
                                     00012-<16 digits>.npz    what that network scores on an external test set
                                     state.npz    the newest state, from which a larger budget continues
                                     failed.json  why this training cannot go on, if it cannot
                                     lease        locked while a worker trains this

A training key digests everything the numbers depend on but the budget. Deleting the ledger costs time, never results:
MLflow is the record. Distances between boundaries are not kept: they follow from the predictions and the truth. Weights
and states of what has lost are let go (`sweeps.run.kept_weights`); scores and predictions stay.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from trainer.files import locked, nobody_present, write_atomically
from trainer.foreign_arrays import MOST_BYTES as OF_THIS_MACHINE
from trainer.foreign_arrays import UNREADABLE, load_arrays, unpacked_bits
from trainer.results import DISTANCES, FoldResult, Score

WEIGHT = "w:"  # how the names of a result's weights begin
# What reading a damaged entry raises: archive, arrays or the text in them.
DAMAGED = UNREADABLE
NAMES = "names"  # of the arrays in a file, one a line

NOTHING = np.zeros(0, np.uint8)

MOST_BYTES = 2**32  # of a result that comes from elsewhere, unpacked


@dataclass(frozen=True)
class State:
    """Where a training stands after `epochs` epochs and `steps` steps of the next one.

    It holds the loss of each whole epoch, every variable that can still change, and the processor that it was trained
    on so far ("": not known). `seconds` of training lie behind it that no result tells of; the losses of the `steps`
    add up to `loss_sum`.
    """

    epochs: int
    losses: tuple[float, ...]
    variables: Mapping[str, NDArray[Any]]
    processor: str = ""
    steps: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0

    @property
    def position(self) -> tuple[int, int]:
        """Epochs and steps: the later state has the greater."""
        return self.epochs, self.steps


@dataclass(frozen=True)
class Failure:
    """A training that would fail again: the budget in `epochs` that it could not reach, and why."""

    epochs: int
    reason: str


@dataclass(frozen=True)
class Entry:
    """One training's place in the ledger: one fold of one mask under one set of settings, at any budget."""

    folder: Path

    def result(self, epochs: int) -> FoldResult | None:
        """The recorded result at a budget, or None; a damaged file counts as none and is trained again."""
        arrays = _read(self._result_path(epochs))
        try:
            result = None if arrays is None else _result_of(arrays)
        except DAMAGED:
            return None
        if result is not None and result.weights_lost and (shared := _shared_weights(self._shared_path(epochs))):
            return replace(result, weights=shared, weights_lost=False)
        return result

    def keep(self, result: FoldResult, state: State) -> None:
        """Record a result, then the state it was read from. In this order: a kill in between repeats, never skips.

        A result is written once.
        """
        plain = replace(result, scores=(), weights={}, predictions=np.zeros(0, np.uint8), external={})
        apart = ("weights", "predictions", "external")
        meta = {name: value for name, value in asdict(plain).items() if name not in apart}
        meta |= {"scores": [_kept(score) for score in result.scores], "traces": 0}
        meta["predicted"] = result.predictions.shape
        del meta["from_ledger"], meta["weights_lost"]
        weights = {f"{WEIGHT}{name}": array for name, array in result.weights.items()}
        if self.result(result.epochs) is None:
            predicted = np.packbits(result.predictions)
            arrays: dict[str, NDArray[Any]] = {"meta": _text(json.dumps(meta)), "predictions": predicted, **weights}
            _write(self._result_path(result.epochs), arrays)
        self.keep_state(state)

    def keep_state(self, state: State) -> None:
        """Record where a training stands, in the midst of an epoch, too. A state only gives way to a later one."""
        if state.position > self._position():
            _write(self.folder / "state.npz", _arrays_of(state))

    def external(self, epochs: int, images: str) -> NDArray[np.int64] | None:
        """(n, 4) TP, FP, FN and TN of the result at a budget on the n images of an external set, whose digest is
        `images`; None where there are none, or they are damaged.
        """
        arrays = _read(self._external_path(epochs, images))
        counts = None if arrays is None else arrays.get("counts")
        return counts if counts is not None and counts.ndim == 2 and counts.dtype == np.int64 else None

    def keep_external(self, epochs: int, images: str, counts: NDArray[np.int64]) -> None:
        """Keep what `external` gives."""
        _write(self._external_path(epochs, images), {"counts": counts}, compressed=True)

    def budgets(self) -> list[int]:
        """The budgets, in epochs, at which there is a result, rising; a damaged one counts, too."""
        return sorted(int(path.stem) for path in self.folder.glob("*.npz") if path.stem.isdecimal())

    def share_weights(self, epochs: int, checkpoint: Path) -> None:
        """Let a checkpoint on the same disk hold the weights of the result at a budget: one file under two names, which
        is there until both are gone. Elsewhere, and where it holds others, the result keeps its own.
        """
        result, shared = self.result(epochs), self._shared_path(epochs)
        if result is None or not result.weights or shared.exists():
            return
        stored = _shared_weights(checkpoint)
        if stored.keys() != result.weights.keys() or any(
            not np.array_equal(stored[name], result.weights[name]) for name in stored
        ):
            return
        try:
            os.link(checkpoint, shared)
        except OSError:
            return
        self._lose_own_weights(epochs)

    def lose_weights(self, epochs: int) -> None:
        """Let go of the weights of the result at a budget; one that has none, or is damaged, stays as it is."""
        self._lose_own_weights(epochs)
        self._shared_path(epochs).unlink(missing_ok=True)

    def _lose_own_weights(self, epochs: int) -> None:
        arrays = _read(self._result_path(epochs))
        if arrays is None or not any(name.startswith(WEIGHT) for name in arrays) or self.result(epochs) is None:
            return
        meta = json.loads(bytes(arrays["meta"]).decode()) | {"weights_lost": True}
        small = {name: array for name, array in arrays.items() if not name.startswith(WEIGHT)}
        _write(self._result_path(epochs), small | {"meta": _text(json.dumps(meta))}, compressed=True)

    def lose_state(self) -> None:
        """Forget where the training stands, unless somebody trains it: a larger budget then begins anew."""
        if nobody_present(self.folder / "lease"):
            (self.folder / "state.npz").unlink(missing_ok=True)

    def has(self, epochs: int) -> bool:
        """Whether there is a result at a budget, damaged or not: reading one takes as long as its weights are large."""
        return self._result_path(epochs).exists()

    def content(self, epochs: int) -> bytes | None:
        """The file of the result at a budget, for another ledger to `take`; None where there is none."""
        try:
            return self._result_path(epochs).read_bytes()
        except FileNotFoundError:
            return None

    def take(self, content: bytes, fold: int, images: Sequence[str]) -> FoldResult | None:
        """Keep a result that another ledger gave as `content`, unless one is here; None, and nothing kept, where it is
        damaged, too large, or not of this `fold` and its `images`.
        """
        try:
            arrays = _arrays(io.BytesIO(content), MOST_BYTES)
            result = None if arrays is None else _result_of(arrays)
        except DAMAGED:
            return None
        if result is not None and (result.fold != fold or [score.image for score in result.scores] != list(images)):
            return None
        if result is not None and self.result(result.epochs) is None:
            write_atomically(self._result_path(result.epochs), lambda file: file.write(content))
        return result

    def state(self) -> State | None:
        """The newest state, or None; a damaged one counts as none."""
        arrays = _read(self.folder / "state.npz")
        try:
            return None if arrays is None else _state_of(arrays)
        except DAMAGED:
            return None

    def _position(self) -> tuple[int, int]:
        newest = self.state()
        return newest.position if newest else (0, 0)

    def failure(self) -> Failure | None:
        """Why this training failed, or None; what is damaged counts as none, and it fails again."""
        try:
            table = json.loads((self.folder / "failed.json").read_text("utf-8"))
            failure = Failure(**table)
        except FileNotFoundError:
            return None
        except DAMAGED:
            return None
        return failure if type(failure.epochs) is int and isinstance(failure.reason, str) else None

    def keep_failure(self, failure: Failure) -> None:
        """Record that this training cannot go on."""
        write_atomically(self.folder / "failed.json", lambda file: file.write(json.dumps(asdict(failure)).encode()))

    def lease(self, waiting: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the right to train this; another worker waits and then finds the result."""
        return locked(self.folder / "lease", waiting)

    def _shared_path(self, epochs: int) -> Path:
        return self.folder / f"{epochs:05d}.weights"

    def _external_path(self, epochs: int, images: str) -> Path:
        return self.folder / f"{epochs:05d}-{images[:16]}.npz"

    def _result_path(self, epochs: int) -> Path:
        return self.folder / f"{epochs:05d}.npz"


@dataclass(frozen=True)
class Ledger:
    """The folder that holds all entries; shared by every sweep and every worker of a home."""

    root: Path

    def entry(self, key: str) -> Entry:
        """The place of a training key."""
        return Entry(self.root / key[:2] / key)


def _result_of(arrays: Mapping[str, NDArray[Any]]) -> FoldResult:
    """A result from the arrays that `Entry.keep` wrote. Raises one of `DAMAGED` for others."""
    meta = json.loads(bytes(arrays["meta"]).decode())
    scores = tuple(Score(**score) for score in meta.pop("scores"))
    weights = _numbers(arrays, WEIGHT)
    meta |= {"losses": tuple(meta["losses"])}
    shape = meta.pop("predicted")
    predictions = unpacked_bits(arrays["predictions"], shape)
    return FoldResult(**meta, scores=scores, predictions=predictions, weights=weights, from_ledger=True)


def _arrays_of(state: State) -> dict[str, NDArray[Any]]:
    """A state as arrays. In the midst of an epoch it has no `epochs`: an earlier thaw, which knows no steps, then takes
    it for damaged and trains from the beginning, instead of going on with too few steps.
    """
    position = {"position": np.array(state.position)} if state.steps else {"epochs": np.array(state.epochs)}
    variables = {f"v:{name}": array for name, array in state.variables.items()}
    passed = {"seconds": np.array(state.seconds), "processor": _text(state.processor)}
    passed["loss_sum"] = np.array(state.loss_sum)
    return {**position, "losses": np.array(state.losses), **passed, **variables}


def _state_of(arrays: Mapping[str, NDArray[Any]]) -> State:
    """A state from the arrays of any version. Raises one of `DAMAGED` for others."""
    epochs, steps = map(int, arrays["position"] if "position" in arrays else (arrays["epochs"], 0))
    losses = tuple(map(float, arrays["losses"].tolist()))
    if len(losses) != epochs or steps < 0:
        raise ValueError("a state has one loss for each epoch")
    processor, seconds = bytes(arrays.get("processor", NOTHING)).decode(), float(arrays.get("seconds", 0.0))
    loss_sum = float(arrays["loss_sum"]) if steps else 0.0
    return State(epochs, losses, _numbers(arrays, "v:"), processor, steps, seconds, loss_sum)


def _shared_weights(path: Path) -> dict[str, NDArray[Any]]:
    """The weights in a checkpoint (`trainer.network.delta_checkpoints`), named as in a result; none where damaged."""
    arrays = _read(path) or {}
    return {name: array for name, array in arrays.items() if "/" in name and array.dtype.kind in "biuf"}


def _numbers(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose name begins so, without that. Raises `ValueError` for one that holds no numbers."""
    found = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    if not all(array.dtype.kind in "biuf" for array in found.values()):
        raise ValueError("variables are numbers")
    return found


def _kept(score: Score) -> dict[str, Any]:
    return {name: value for name, value in asdict(score).items() if name not in DISTANCES}


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _write(path: Path, arrays: Mapping[str, NDArray[Any]], *, compressed: bool = False) -> None:
    """Write arrays with their names: the archive has a checksum for each array, but damage may shorten its list."""
    # Through memory, because zipfile seeks back and the file on disk should only ever grow.
    buffer, names = io.BytesIO(), {NAMES: _text("\n".join(arrays))}
    (np.savez_compressed if compressed else np.savez)(buffer, allow_pickle=False, **names, **arrays)
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file, or None where it is missing or damaged; files of earlier versions hold no names."""
    try:
        with path.open("rb") as file:
            return _arrays(file)
    except OSError:
        return None


def _arrays(file: IO[bytes], most_bytes: int = OF_THIS_MACHINE) -> dict[str, NDArray[Any]] | None:
    try:
        arrays = load_arrays(file, most_bytes)
        names = bytes(arrays.pop(NAMES)).decode().split("\n") if NAMES in arrays else list(arrays)
        return arrays if names == list(arrays) else None
    except DAMAGED:
        return None


def forget_failures(ledger: Path) -> None:
    """Let every failed training be tried again (`--retry-failed`); one that still fails does so for the same reason."""
    for path in ledger.glob("*/*/failed.json"):
        path.unlink(missing_ok=True)
