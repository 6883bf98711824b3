"""The arithmetic is guarded: its golden results, the code that gives them, and what stands in keys for both."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from keras import ops

from tests.trainer.golden import confirm, training
from tests.trainer.golden.results import TOLERANCES, Golden, differences
from tests.trainer.golden.syntax import NOT_NUMERIC, changes, digests, numeric_modules
from trainer import arithmetic, config, keys
from trainer.candidate import Candidate
from trainer.config import TrainConfig
from trainer.training import losses

EXPECTED = json.loads(confirm.NUMBERS.read_text())
CONFIRMED = json.loads(confirm.CONFIRMED.read_text())


# Training is compared among the slow tests; here its code is (`test_the_numeric_code_is_what_was_last_confirmed`).
TRAINED = ("TRAINING", "PRETRAINING")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in TRAINED else ()) for name in confirm.GROUPS]
)
def test_golden_results(name: str) -> None:
    assert EXPECTED[name]["version"] == confirm.version_of(name), f"{name} was raised. {confirm.WHAT_TO_DO}"
    assert differences(EXPECTED[name], confirm.computed(name)) == [], confirm.WHAT_TO_DO


def test_the_numeric_code_is_what_was_last_confirmed() -> None:
    assert changes(CONFIRMED["definitions"], digests(confirm.ROOT)) == [], confirm.WHAT_TO_DO


def test_no_default_that_stays_out_of_keys_has_changed() -> None:
    now = confirm.left_out()
    for kind, table in CONFIRMED["left out of keys"].items():
        for name, value in table.items():
            assert now[kind].get(name, value) == value, (
                f"{kind}.{name} stays out of keys at {value!r}, but its default is {now[kind][name]!r} now. Write "
                f"'{kind}.{name}': {value!r} into FORMER_DEFAULTS of trainer/keys.py, so that keys keep their meaning."
            )


def test_every_version_covers_golden_results() -> None:
    versions = {name for name in vars(arithmetic) if name.isupper()}
    assert versions == confirm.GROUPS.keys() == EXPECTED.keys()


@pytest.mark.slow
@pytest.mark.parametrize("smoothing", [1.0, 1.01, 2.0])
def test_another_loss_gives_other_golden_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, smoothing: float
) -> None:
    """The loss smoothed by so many pixels: of 64 pixels a hundredth shows, of training on 1024 a whole one."""

    def smoothed(truth: Any, logits: Any) -> Any:
        probability = ops.sigmoid(logits)
        overlap = ops.sum(truth * probability, axis=(1, 2, 3))
        sizes = ops.sum(truth, axis=(1, 2, 3)) + ops.sum(probability, axis=(1, 2, 3))
        return losses.bce(truth, logits) + 1.0 - (2.0 * overlap + smoothing) / (sizes + smoothing)

    monkeypatch.setitem(losses.LOSSES, "bce+dice", smoothed)
    candidate = Candidate("6-9", 2, 1e-3, start="scratch", seed=3)
    now = Golden({}, training.losses())
    if smoothing != 1.01:
        trained = training.trained("bce+dice", training.TINY, TrainConfig(batch=4), candidate, tmp_path)
        now.trained = dict(trained)
    expected = {kind: {name: EXPECTED["TRAINING"][kind][name] for name in getattr(now, kind)} for kind in TOLERANCES}
    lines = differences(expected, now)
    assert any(line.startswith("'loss bce+dice'") for line in lines) is (smoothing != 1.0)
    assert any(line.startswith("'bce+dice: losses of 2'") for line in lines) is (smoothing == 2.0)


@pytest.mark.parametrize(
    ("kind", "before", "now", "same"),
    [
        ("exact", 3, 4, False),
        ("exact", [0.25], [0.25], True),
        ("close", [0.5, 0.0], [0.500004, 0.0], True),
        ("close", [0.5, 0.0], [0.50001, 0.0], False),
        ("trained", [0.5], [0.50004], True),
        ("trained", [0.5], [0.5001], False),
        ("trained", [0.5], [0.5, 0.5], False),
        ("trained", [0.5], [float("nan")], False),
    ],
)
def test_values_are_compared_within_the_tolerance_of_their_kind(kind: str, before: Any, now: Any, same: bool) -> None:
    empty: dict[str, dict[str, Any]] = {name: {} for name in TOLERANCES}
    lines = differences({**empty, kind: {"x": before}}, Golden(**{**empty, kind: {"x": now}}))
    assert (lines == []) is same
    assert differences({**empty, kind: {"x": before}}, Golden()) == ["'x' is not in both"]


def test_numeric_is_whatever_trains_reads_draws_or_scores() -> None:
    names = {path.relative_to(confirm.ROOT).as_posix() for path in numeric_modules(confirm.ROOT)}
    assert {
        "trainer/training/fit.py",
        "trainer/training/losses.py",
        "trainer/training/metrics.py",
        "trainer/network/unet.py",
        "trainer/network/batch_norm.py",
        "trainer/phantoms/thorax.py",
        "trainer/phantoms/bmode.py",
        "trainer/data/near_duplicates.py",
        "trainer/data/pairing/layouts.py",
        "trainer/data/formats/jsrt.py",
        "trainer/masks.py",
    } <= names
    assert not {Path(name).stem for name in names} & NOT_NUMERIC.keys()


# Changes of a copy of the sources: they edit it and leave the numbers alone, or not.
Edit = Callable[[Path], None]
LOSSES, FIT, CONFIG, BATCHES = (
    Path("trainer") / name
    for name in ("training/losses.py", "training/fit.py", "config.py", "training/steps/batches.py")
)


def replacing(file: Path, old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        source = (root / file).read_text()
        assert old in source
        (root / file).write_text(source.replace(old, new))

    return edit


def moving_the_losses(root: Path) -> None:
    (root / LOSSES).rename(root / "trainer/network/losses.py")
    for path in (root / "trainer").rglob("*.py"):
        path.write_text(path.read_text().replace("trainer.training.losses", "trainer.network.losses"))


def merging_the_losses(root: Path) -> None:
    """Into the module that uses them."""
    source = (root / LOSSES).read_text()
    (root / LOSSES).unlink()
    for path in (root / "trainer").rglob("*.py"):
        path.write_text(path.read_text().replace("from trainer.training.losses import", "from trainer.masks import"))
    (root / FIT).write_text((root / FIT).read_text() + source[source.index("Loss = ") :])


HARMLESS: dict[str, Edit] = {
    "a module moved": moving_the_losses,
    "a module merged into another": merging_the_losses,
    "an import": replacing(LOSSES, "import keras\n", "import keras\nimport math\n"),
    "a comment": replacing(LOSSES, "    probability =", "    # The odds.\n    probability ="),
    "a docstring": replacing(LOSSES, "Look a loss up;", "Find a loss;"),
    "a type hint": replacing(LOSSES, "def loss_named(name: str, ", "def loss_named(name: object, "),
    "the words of an error": replacing(LOSSES, "must be one of", "is one of"),
    "a new setting": replacing(
        CONFIG, "    deterministic: bool = True\n", "    deterministic: bool = True\n    decay: float = 0.0\n"
    ),
}
HARMFUL: dict[str, tuple[Edit, str]] = {
    "an operation in the loss": (
        replacing(LOSSES, "+ 1.0 - (2.0 * overlap", "+ 1.0 + (2.0 * overlap"),
        "trainer/training/losses.py: bce_dice is changed",
    ),
    "a constant": (
        replacing(BATCHES, "SCORING_PIXELS = 32,", "SCORING_PIXELS = 16,"),
        "batches.py: (SCORING_BATCH, SCORING_PIXELS)",
    ),
    "a default of a function": (
        replacing(FIT, "table: Table = (),", "table: Table = None,"),
        "fit.py: Trainer is changed",
    ),
    "a definition taken out": (replacing(LOSSES, "def bce(", "def cross_entropy("), "losses.py: bce is gone"),
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The sources of the trainer, to be edited."""
    shutil.copytree(confirm.ROOT / "trainer", tmp_path / "trainer", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_the_guard_lets_pass_what_no_number_depends_on(copied: Path, edit: Edit) -> None:
    before = digests(copied)
    edit(copied)
    assert changes(before, digests(copied)) == []


@pytest.mark.parametrize(("edit", "words"), HARMFUL.values(), ids=HARMFUL)
def test_the_guard_stops_a_change_of_arithmetic(copied: Path, edit: Edit, words: str) -> None:
    before = digests(copied)
    edit(copied)
    assert any(words in line for line in changes(before, digests(copied)))


# A process of its own: it imports the edited copy. No Keras is needed for a key.
KEYS = """
import json
from dataclasses import asdict
from tracking.store.same_sweep import measured
from trainer.candidate import Candidate
from trainer.config import Settings, TrainConfig
from trainer.keys import digest
from trainer.training.training_key import training_key
candidate, settings = Candidate("1-5", 2, 1e-3, train=(("batch", 8),)), Settings()
table = {"name": "x", **asdict(settings), "search": {}, "champion": False}
print(hasattr(TrainConfig, "decay"), training_key(settings, candidate, 1, ["a"], "d", "w"), candidate.key,
      digest(measured(table)), sep="\\n")
"""


def keys_in(root: Path) -> list[str]:
    """Whether the new setting is there; the ledger's key, the candidate's, the sweep's identity."""
    done = subprocess.run(
        [sys.executable, "-c", KEYS], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_keys_outlive_a_moved_module_and_a_new_setting(copied: Path) -> None:
    shutil.copytree(confirm.ROOT / "tracking", copied / "tracking", ignore=shutil.ignore_patterns("__pycache__"))
    (before, *expected) = keys_in(copied)
    for name in ("an import", "a comment", "a type hint", "a new setting", "a module moved"):
        HARMLESS[name](copied)
    (after, *found) = keys_in(copied)
    assert (before, after) == ("False", "True") and found == expected


def test_what_to_do_names_the_file_and_the_command() -> None:
    assert "trainer/arithmetic.py" in confirm.WHAT_TO_DO and "make confirm-arithmetic" in confirm.WHAT_TO_DO
    assert "confirm-arithmetic:" in (confirm.ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    ("recorded", "code", "ends"),
    [(1, 1, None), (1, 2, None), (2, 1, "must not be lowered")],
)
def test_confirming_compares_or_renews_but_never_lowers(
    monkeypatch: pytest.MonkeyPatch, recorded: int, code: int, ends: str | None
) -> None:
    given = Golden({"x": [1]}, {}, {"y": [0.5]})
    monkeypatch.setattr(confirm, "computed", lambda name: given)
    monkeypatch.setattr(arithmetic, "TRAINING", code)
    before = {"version": recorded, **asdict(given)}
    if ends:
        with pytest.raises(SystemExit, match=ends):
            confirm.renewed("TRAINING", before)
    else:
        assert confirm.renewed("TRAINING", before) == {**before, "version": code}


def test_confirming_refuses_other_numbers_under_the_same_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "computed", lambda name: Golden({"x": [1]}))
    before = {"version": confirm.version_of("TRAINING"), **asdict(Golden({"x": [2]}))}
    with pytest.raises(SystemExit, match=r"(?s)Not confirmed: under version 2 of TRAINING.*'x': expected \[2\]"):
        confirm.renewed("TRAINING", before)


def test_every_dataclass_of_keys_is_one_of_the_settings() -> None:
    assert all(set(founding) <= set(getattr(config, kind).__annotations__) for kind, founding in keys.FOUNDING.items())
