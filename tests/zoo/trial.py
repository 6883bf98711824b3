"""One network tried as a user would: masks, a tiny sweep, its champion, predictions of both; and whether all is right.

The commands run in this process, because importing Keras and MLflow takes longer than most of them. The sweep goes
through `sweeps.api.open_objective`, which prepares, trains and records as `thaw run` does, without worker processes;
with `processes` it is `thaw run` itself.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import keras
import numpy as np
from PIL import Image

from tests.zoo import pictures
from tests.zoo.entry import ENTRIES, Entry
from trainer.candidate import Candidate
from trainer.errors import TrialFailed, UserError

if TYPE_CHECKING:
    from sweeps.api import Objective

IMAGES, SEED = 6, 2
NEAR, LEARNED = 0.03, 0.1  # how far a Dice may be from the author's: read alike, and after one short epoch
SEARCHING = ("masks", "run", "predict")  # the commands that decide whether a network can be used
FOUND = 0.8  # the author's own Dice; below it a network could not show that it is misread


@dataclass(frozen=True)
class Cell:
    """What one command made of a network: a Dice where it gave one and what it said, its refusal, or a bug."""

    dice: float | None = None
    said: str = ""
    refusal: str = ""
    bug: str = ""

    def __str__(self) -> str:
        if self.bug:
            return "BUG"
        return "refused" if self.refusal else "taken" if self.dice is None else f"{self.dice:.3f}"


@dataclass(frozen=True)
class Row:
    """One network's cells, its author's own Dice, and what is wrong (nothing, it is hoped)."""

    entry: Entry
    author: float
    cells: dict[str, Cell]
    seconds: float
    wrong: tuple[str, ...] = ()


def attempt(work: Callable[[], Cell]) -> Cell:
    """Do one command; a mistake of the user's is a refusal, and any other exception a bug, whatever its type."""
    try:
        return work()
    except UserError as error:
        return Cell(refusal=" ".join(str(error).split()))
    except TrialFailed as error:
        return Cell(bug=f"TrialFailed: {error}")
    except Exception as error:
        return Cell(bug=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def thaw(*arguments: object) -> str:
    """What `thaw *arguments` prints. Raises what the command raises, and RuntimeError where it ends otherwise."""
    from sweeps.cli import app

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = app([*map(str, arguments)], standalone_mode=False)
        except click.exceptions.Exit as ended:
            code = ended.exit_code
    if code:
        raise RuntimeError(f"exit code {code}: {said.getvalue()[-300:]}")
    return said.getvalue()


def masks(file: Path, entry: Entry) -> Cell:
    """`thaw masks`: taken where it says how to search the network."""
    tables = [option.split("=", 1)[1] for option in entry.options if option.startswith("model.blocks=")]
    blocks = [word for table in tables for word in ("--blocks", table)]
    said = " ".join(thaw("masks", file, "--size", entry.size, *of_model(entry), *blocks).split())
    if refusal := re.search(r"thaw run cannot search it: (.*)", said):
        return Cell(refusal=refusal[1])
    return Cell() if "To search it:" in said else Cell(bug=f"no verdict: {said[-200:]}")


def of_model(entry: Entry) -> list[str]:
    """What `thaw masks` and `thaw predict` have to be told of the network: the part of its settings that is its own."""
    own = [option for option in entry.options if option.startswith("model.") and "blocks" not in option]
    return [*custom(entry), *(word for option in own for word in ("--set", option))]


def custom(entry: Entry) -> list[str]:
    """The option that imports the layers of its own."""
    return ["--custom", entry.custom] if entry.custom else []


def settings(entry: Entry) -> list[str]:
    """A sweep of two masks, one epoch and two folds, which changes the network little."""
    return [
        f"model.size={entry.size}",
        "train.batch=2",
        'search.masks=["1","2"]',
        "search.epochs=[1]",
        "search.learning_rate=[1e-4]",
        *entry.options,
    ]


def sweep_here(file: Path, entry: Entry, data: Path, home: Path) -> tuple[Cell, Cell]:
    """The Dice without training, and the best of the two masks, through the Python interface."""
    with objective_of(file, entry, data, home, entry.name, None) as (objective, said):
        chosen = [candidate for candidate in objective.resolved.listed if candidate.mask in ("none", "1", "2")]
        scores = {candidate: objective(candidate).dice for candidate in chosen}
    return without_and_with_training(scores, said.getvalue())


def pretrained_by_itself(file: Path, entry: Entry, data: Path, home: Path) -> Cell:
    """The Dice without training where the network's own file is given as its starting weights, too."""
    with objective_of(file, entry, data, home, f"{entry.name}-again", str(file)) as (objective, said):
        (nothing,) = [candidate for candidate in objective.resolved.listed if not candidate.epochs]
        return Cell(objective(nothing).dice, said.getvalue())


@contextlib.contextmanager
def objective_of(
    file: Path, entry: Entry, data: Path, home: Path, name: str, pretrain: str | None
) -> Iterator[tuple[Objective, io.StringIO]]:
    """The objective of the network's sweep, and what is said while it is open."""
    from sweeps.api import open_objective

    said = io.StringIO()
    sets = [*settings(entry), *([f'model.custom=["{entry.custom}"]'] if entry.custom else [])]
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        open_objective(
            "smoke", data=str(data), sets=sets, name=name, home=home, model=str(file), pretrain=pretrain
        ) as objective,
    ):
        yield objective, said


def without_and_with_training(scores: Mapping[Candidate, float], said: str) -> tuple[Cell, Cell]:
    """The Dice of no training, and the best of the others."""
    (untrained,) = [dice for candidate, dice in scores.items() if not candidate.epochs]
    return Cell(untrained, said), Cell(max(dice for candidate, dice in scores.items() if candidate.epochs))


def sweep_in_processes(file: Path, entry: Entry, data: Path, home: Path) -> tuple[Cell, Cell]:
    """The same by `thaw run`."""
    sets = [word for setting in settings(entry) for word in ("--set", setting)]
    command = [sys.executable, "-c", "from sweeps.cli import main; main()", "run", "smoke", "--data", str(data)]
    command += ["--model", str(file), "--name", entry.name, "--home", str(home), "--workers", "1"]
    done = subprocess.run([*command, *custom(entry), *sets], capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise UserError(done.stderr)
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr[-300:]}")
    from sweeps.api import read_sweep

    finished = read_sweep(entry.name, home=home).finished
    return without_and_with_training({trial.info.candidate: trial.mean_dice for trial in finished}, done.stdout)


def champion(entry: Entry, home: Path) -> Cell:
    """`thaw champion`."""
    said = thaw("champion", entry.name, "--name", entry.name, "--home", home)
    return Cell() if "@champion" in said else Cell(bug=f"no champion: {said[-200:]}")


def predicted(model: object, entry: Entry, data: Path, home: Path, options: list[str]) -> Cell:
    """The Dice of what `thaw predict` writes, at the size of the images."""
    with tempfile.TemporaryDirectory() as out:
        thaw("predict", model, data / "images", "--out", out, "--home", home, *options)
        found = [np.asarray(Image.open(Path(out) / "masks" / f"p{index}.png")) > 0 for index in range(IMAGES)]
    return Cell(pictures.dice(pictures.draw(IMAGES, SEED)[1] > 0, np.stack(found)))


def build(entry: Entry, folder: Path) -> tuple[Path, float]:
    """The network as a file, and the Dice by its author's own reading. One that is in the folder is used again."""
    file, note = folder / f"{entry.name}{entry.suffix}", folder / f"{entry.name}.author.txt"
    if not note.exists():
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        network = entry.build()
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*HDF5 file.*legacy")
            network.save(file)
        note.write_text(f"{by_author(entry, network)}")
    return file, float(note.read_text())


def by_author(entry: Entry, network: keras.Model) -> float:
    """The Dice of the author's own reading; not a number where it does not answer at the size of the images."""
    grey, truth = pictures.at(entry.size, IMAGES, SEED)
    if getattr(network, "input_shape", grey.shape)[1:3] not in (grey.shape[1:], (None, None)):
        return float("nan")
    probability = entry.probability(network, grey)
    return pictures.dice(truth, probability > 0.5) if probability.shape == truth.shape else float("nan")


def forget() -> None:
    """Forget what the building left in this process: Keras's names, and layers that nobody has imported knowingly."""
    keras.utils.clear_session()
    keras.saving.get_custom_objects().clear()
    for module in {entry.custom for entry in ENTRIES.values()} & sys.modules.keys():
        del sys.modules[module]


def tried(entry: Entry, folder: Path, *, processes: bool = False, again: bool = True) -> Row:
    """Build a network in `folder` and try it there; `again`: also with its own file as its starting weights."""
    started = time.perf_counter()
    (networks := folder / "networks").mkdir(parents=True, exist_ok=True)
    data = pictures.write(folder / "pictures", IMAGES, SEED)
    home = folder / "home"
    file, author = build(entry, networks)
    forget()
    cells = {"masks": attempt(lambda: masks(file, entry))}
    sweep = sweep_in_processes if processes else sweep_here
    both: list[Cell] = []
    cells["run"] = attempt(lambda: both.extend(sweep(file, entry, data, home)) or both[0])  # type: ignore[func-returns-value]
    if both:
        cells["trained"] = both[1]
        cells["champion"] = attempt(lambda: champion(entry, home))
        if again:
            cells["pretrain"] = attempt(lambda: pretrained_by_itself(file, entry, data, home))
    cells["predict"] = attempt(lambda: predicted(file, entry, data, home, of_model(entry)))
    if str(cells.get("champion")) == "taken":
        uri = f"models:/{entry.name}@champion"
        cells["predict champion"] = attempt(lambda: predicted(uri, entry, data, home, []))
    row = Row(entry, author, cells, time.perf_counter() - started)
    return replace(row, wrong=tuple(mistakes(row)))


def mistakes(row: Row) -> list[str]:
    """What is wrong with a row, a sentence each."""
    entry, cells, found = row.entry, row.cells, []
    found += [f"{name}: {cell.bug}" for name, cell in cells.items() if cell.bug]
    refused = {name: cell.refusal for name, cell in cells.items() if cell.refusal}
    must = {"taken": (), "either": tuple(refused) and SEARCHING, "unsearchable": SEARCHING[:2], "refused": SEARCHING}
    if entry.right == "taken":
        found += [f"{name} refuses: {words}" for name, words in refused.items()]
    found += [f"{name} does not refuse" for name in must[entry.right] if name not in refused and not cells[name].bug]
    if entry.right != "taken" and len(set(refused.values())) > 1:
        found.append("other words: " + " | ".join(f"{name}: {words}" for name, words in refused.items()))
    if entry.right == "refused" or (entry.right == "unsearchable" and np.isnan(row.author)):
        return found
    if not row.author >= FOUND:
        found.append(f"the network's author finds only {row.author:.3f}: the zoo is at fault")
    if entry.said and not refused and entry.said not in cells["run"].said:
        found.append(f"run does not say {entry.said}")
    for name, cell in cells.items():
        near = LEARNED if name in ("trained", "predict champion") else NEAR
        far = near if name == "run" else LEARNED  # at the size of the images, or trained, it may well be better
        if cell.dice is not None and not -near <= cell.dice - row.author <= far:
            found.append(f"{name}: Dice {cell.dice:.3f}, by its author {row.author:.3f}")
    return found
