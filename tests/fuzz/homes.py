"""Kinds of cases made of what thaw keeps in a home: ledger, plan, marker, images that were read, a failed training."""

from __future__ import annotations

import io
import json
import math
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from tests.fuzz.judging import Kind, Reading, Trial
from tests.fuzz.mutating import ODD, bytes_changed, pick, tree_changed
from tests.fuzz.texts import json_of

KEY = "ab" + "0" * 30
EPOCHS = 3


# Ledger --------------------------------------------------------------------------------------------------------------


def fold_result() -> Any:
    from trainer.results import FoldResult, Score

    rng = np.random.default_rng(5)
    predictions = rng.integers(0, 2, (2, 8, 8), np.uint8)
    scores = tuple(Score.of_counts(f"p{number}", "", 10, 3, 2, 49) for number in range(2))
    weights = {"conv1/kernel": rng.normal(size=(3, 3, 1, 2)).astype(np.float32)}
    return FoldResult(2, EPOCHS, scores, (0.5, 0.25, 0.125), 4, 1.5, 1, predictions, weights)


@cache
def kept() -> dict[str, bytes]:
    """The files of one training in a ledger, by name."""
    import tempfile

    from trainer.training.ledger import Entry, Failure, State

    with tempfile.TemporaryDirectory() as folder:
        entry = Entry(Path(folder))
        result = fold_result()
        entry.keep(result, State(EPOCHS, result.losses, {"conv1/kernel": result.weights["conv1/kernel"]}))
        entry.keep_failure(Failure(9, "its loss is not finite"))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def draw_ledger(rng: Generator, folder: Path) -> Trial:
    """One file of a training mangled: what is kept is what was kept, or counts as missing."""
    from trainer.training.ledger import Ledger

    entry = Ledger(folder / "ledger").entry(KEY)
    entry.folder.mkdir(parents=True)
    for name, data in kept().items():
        (entry.folder / name).write_bytes(data)
    name = pick(rng, [name for name in kept() if name != "lease"])
    data, what = kept()[name], ""
    if name.endswith(".json"):
        tree, what = tree_changed(rng, json.loads(data))
        data = json_of(tree)
    elif rng.random() < 0.6:
        data, what = archive_changed(rng, data)
    if not what or rng.random() < 0.2:
        data, more = bytes_changed(rng, data)
        what += more
    (entry.folder / name).write_bytes(data)

    def read() -> Reading:
        result, state, failure = entry.result(EPOCHS), entry.state(), entry.failure()
        found: dict[str, Any] = {}
        if result is not None:
            found["scores"] = [(score.image, score.tp, score.dice) for score in result.scores]
            found |= {"losses": list(result.losses), "fold": result.fold, "predictions": result.predictions}
            found["weights"] = result.weights.get("conv1/kernel")
        if state is not None:
            found |= {"state": state.variables.get("conv1/kernel"), "state at": state.epochs}
        if failure is not None:
            found["failure"] = (failure.epochs, failure.reason)
        return found

    def right() -> dict[str, Any]:
        result = fold_result()
        return {
            "scores": [(score.image, score.tp, score.dice) for score in result.scores],
            **{"losses": list(result.losses), "fold": 2, "predictions": result.predictions},
            "weights": result.weights["conv1/kernel"],
            **{"state": result.weights["conv1/kernel"], "state at": EPOCHS},
            "failure": (9, "its loss is not finite"),
        }

    def without_that() -> Reading:
        """The file counts as missing."""
        of_state = name == "state.npz"
        lost = ("failure",) if name == "failed.json" else ("state",) if of_state else ()
        gone = lost or ("scores", "losses", "fold", "predictions", "weights")
        return {key: value for key, value in right().items() if not key.startswith(gone)}

    # A number changed together with its check sum is another number, and nobody can tell.
    return Trial(f"{name}: {what}", read, right, without_that, free=True, writes=True)


def archive_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    """A zip archive with one member mangled, with its check sum, or with members taken out, twice or renamed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = pick(rng, list(files))
    members = list(files.items())
    match int(rng.integers(6)):
        case 0:
            members = [member for member in members if member[0] != name]
            what = f"member {name} taken out"
        case 1:
            members.append((name, bytes_changed(rng, files[name])[0]))
            what = f"member {name} twice"
        case 2:
            renamed = pick(rng, ("x", "", "../x", "/x", name.upper(), name + "/", "w:\u00e9.npy", "v:.npy"))
            members = [(renamed if member == name else member, content) for member, content in members]
            what = f"member {name} renamed {renamed!r}"
        case 3:
            other = pick(rng, list(files))
            members = [(member, files[other] if member == name else content) for member, content in members]
            what = f"member {name} made a copy of {other}"
        case _:
            changed, what = content_changed(rng, name, files[name])
            members = [(member, changed if member == name else content) for member, content in members]
    return archive_of(members, pick(rng, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))), what


def content_changed(rng: Generator, name: str, content: bytes) -> tuple[bytes, str]:
    """A member's content: JSON and arrays by their structure, others by their bytes."""
    if name == "meta.npy":
        text = bytes(np.load(io.BytesIO(content))).decode()
        tree, what = tree_changed(rng, json.loads(text))
        return array_bytes(np.frombuffer(json_of(tree), np.uint8)), f"meta: {what}"
    if name.endswith(".json"):
        tree, what = tree_changed(rng, json.loads(content))
        return json_of(tree), f"{name}: {what}"
    if name.endswith(".npy") and rng.random() < 0.6:
        array = np.load(io.BytesIO(content))
        others = (
            array.ravel(),
            array.astype(str),
            array.ravel()[:0],
            array.astype(np.complex64),
            np.array(3),
            array[None],
        )
        other = pick(rng, others)
        return array_bytes(other), f"{name} of type {other.dtype} and shape {other.shape}"
    if name.endswith(".npy") and rng.random() < 0.4:
        shape = pick(rng, ("(99999999999,)", "(-1,)", "()", "(2**40,)", "'", "(1e9,)"))
        start = content.find(b"(")
        end = content.find(b")", start) + 1
        padded = content[:start] + shape.encode().ljust(end - start) + content[end:]
        return padded, f"{name} of shape {shape}"
    changed, what = bytes_changed(rng, content)
    return changed, f"{name}: {what}"


def array_bytes(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def archive_of(members: list[tuple[str, bytes]], compression: int) -> bytes:
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in members:
            archive.writestr(name or "none", content)
    return buffer.getvalue()


# Plan and marker -----------------------------------------------------------------------------------------------------


@cache
def plan_bytes() -> bytes:
    """The plan of `smoke`, as its launcher writes it."""
    import tempfile

    from sweeps.environment.home import Home
    from sweeps.planning.plan import Plan, write_plan
    from sweeps.planning.resolve import resolve
    from sweeps.spec.load import load_spec

    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        resolved = resolve(load_spec("smoke"), [10, 20, 30, 40, 50, 60, 70, 80, 90], 0)
        plan = Plan("smoke", resolved, "f" * 16, (0, 1, 0, 1), "d" * 64, "/home/w.weights.h5", "e" * 64, "run", 1.5e9)
        write_plan(home, plan)
        return home.plan("smoke").read_bytes()


def draw_plan(rng: Generator, folder: Path) -> Trial:
    """A plan mangled: what workers read is what it says, or it is refused."""
    from sweeps.environment.home import Home
    from sweeps.planning.plan import read_plan
    from sweeps.spec.load import as_table

    if rng.random() < 0.7:
        tree, what = tree_changed(rng, json.loads(plan_bytes()))
        data = json_of(tree)
    else:
        data, what = bytes_changed(rng, plan_bytes())
    home = Home(folder)
    home.plan("smoke").parent.mkdir(parents=True, exist_ok=True)
    home.plan("smoke").write_bytes(data)

    def read() -> Reading:
        plan = read_plan(home, "smoke")
        asked = json.loads(data)
        resolved = plan.resolved
        found = {name: getattr(plan, name) for name in ("name", "identity", "data_digest", "weights", "sweep_run")}
        found |= {"fold_of": list(plan.fold_of), "deadline": plan.deadline, "digest": plan.weights_digest}
        found |= {"params": list(resolved.block_params), "always": resolved.always_params}
        told = json.loads(json.dumps(as_table(resolved.spec)))
        return found | {"spec": {key: told.get(key, math.nan) for key in asked["spec"]}}

    def other() -> Reading:
        asked = json.loads(data)
        found = {name: asked[name] for name in ("name", "identity", "data_digest", "weights", "sweep_run", "fold_of")}
        found |= {"deadline": asked.get("deadline", asked.get("until", math.inf)), "digest": asked["weights_digest"]}
        return found | {"params": asked["block_params"], "always": asked["always_params"], "spec": asked["spec"]}

    return Trial(f"plan: {what}", read, None, other, free=True)


def draw_marker(rng: Generator, folder: Path) -> Trial:
    """The marker of a home mangled: the home is opened as what it says, or refused."""
    from sweeps.environment.home import VERSION, format_of, open_home

    root = folder / "home"
    root.mkdir()
    if rng.random() < 0.5:
        number = pick(rng, [*ODD, VERSION, VERSION - 1, VERSION + 1, str(VERSION), float(VERSION)])
        data, what = json_of({"version": number}), f"version {number!r:.30}"
    else:
        data, what = bytes_changed(rng, json.dumps({"version": VERSION}).encode())
    (root / "home.json").write_bytes(data)

    def read() -> Reading:
        open_home(root, make=bool(len(data) % 2))
        return {"version": format_of(root)}

    return Trial(f"home.json: {what}", read, lambda: {"version": VERSION}, lambda: marked(data), writes=True)


def marked(data: bytes) -> Reading | None:
    """The version that a marker names: a whole number up to this thaw's."""
    from sweeps.environment.home import VERSION

    try:
        number = json.loads(data)["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= VERSION
    return {"version": number} if whole else None


def draw_cache(rng: Generator, folder: Path) -> Trial:
    """Images that were read before, mangled in the cache: they are read once more."""
    from tests.fuzz.pictures import PAIRS, disc, write_set
    from trainer.config import DataConfig
    from trainer.data.cases import load_cases

    write_set(rng, folder / "set", ".png", "L")
    config, data = DataConfig(str(folder / "set")), folder / "data"
    load_cases(config, 32, data)
    path = pick(rng, sorted(path for path in data.rglob("*") if path.is_file()))
    if path.suffix == ".json":
        tree, what = tree_changed(rng, json.loads(path.read_bytes()))
        path.write_bytes(json_of(tree))
    else:
        changed, what = bytes_changed(rng, path.read_bytes())
        path.write_bytes(changed)

    def read() -> Reading:
        cases = load_cases(config, 32, data)
        return {name: cases.masks[number] for number, name in enumerate(cases.names)}

    def right() -> Reading:
        return {f"p{number}": disc(number) // 255 for number in range(PAIRS)}

    # Names are not under a check sum: who changes them by hand gets what they wrote.
    return Trial(f"{path.name}: {what}", read, right, free=path.suffix == ".json", writes=True)


KINDS = (
    Kind("ledger", 8, draw_ledger),
    Kind("plan", 4, draw_plan),
    Kind("home marker", 2, draw_marker),
    Kind("cache", 3, draw_cache),
)
