"""The champion: chosen as the one answer has it, refitted, registered, and of use without thaw."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from sweeps.commands.champion import cautions, choose, crown, describe, learning_failure, outcome
from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.spec.load import load_spec
from tests.tracking.made_up import repeated, scratch_info, subset_record, sweep_info, trial_info, trial_record
from tracking.record import SweepRecord, TrialRecord
from tracking.store.registry import Crowned, Holder, Registered
from tracking.store.writer import Tracker
from trainer.errors import UserError

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def scored(order: str, depth: int, dice: float, epochs: int = 12) -> TrialRecord:
    record = trial_record(trial_info(order, depth, epochs))
    return replace(record, folds={**record.folds, "dice": (dice - 0.01, dice + 0.01, dice, dice, dice)})


def sweep(*trials: TrialRecord, synthetic: bool = False) -> SweepRecord:
    return SweepRecord(sweep_info(synthetic=synthetic), "run 1", "FINISHED", "2026-11-23T06:00:00+00:00", trials)


TRIALS = (
    scored("shallow-first", 3, 0.6),
    scored("deep-first", 4, 0.7),
    scored("shallow-first", 5, 0.8, epochs=6),
    scored("shallow-first", 4, float("nan")),
)


SAME = tuple(scored(order, depth, dice) for order, depth, dice in (("shallow-first", 3, 0.6), ("deep-first", 4, 0.7)))


def test_the_highest_at_any_setting_is_chosen() -> None:
    chosen, rivals = choose(sweep(*TRIALS), None)
    assert chosen is TRIALS[2] and rivals == [TRIALS[2], TRIALS[1], TRIALS[0]]


def test_of_equal_ones_the_cheapest_and_without_rivals_the_only_one() -> None:
    equal = [scored("deep-first", 4, 0.7), scored("shallow-first", 3, 0.7)]
    chosen, rivals = choose(sweep(*equal), None)
    assert chosen is rivals[0] is equal[1]
    assert choose(sweep(equal[0]), None) == (equal[0], [equal[0]])


def test_baselines_are_no_candidates_but_are_told_when_they_score_higher() -> None:
    zero, scratch = trial_record(trial_info("", 0)), trial_record(scratch_info())
    low = scored("shallow-first", 3, 0.01)
    record = sweep(low, zero, scratch)
    assert choose(record, None)[0] is low
    assert [line.split(" scored ")[0] for line in cautions(record, low)] == [
        "Note: zero-shot",
        "Note: from scratch · all · 12 epochs · lr 0.001",
    ]
    assert cautions(sweep(*TRIALS), TRIALS[1]) == []


def test_what_the_constraints_of_a_search_forbid_is_not_chosen() -> None:
    info = replace(sweep().info, spec={"search": {"strategy": "tpe"}}, outside=[TRIALS[2].info.candidate.key])
    chosen, rivals = choose(replace(sweep(*TRIALS), info=info), None)
    assert chosen is TRIALS[1] and len(rivals) == 2


def test_missing_trials_are_told() -> None:
    record = sweep(*TRIALS)
    grown = replace(record, info=replace(record.info, planned={"k1": "7 · 12 epochs", "k2": "8 · 12 epochs"}))
    assert cautions(grown, TRIALS[1]) == ["Note: 2 of 2 planned trials have no score yet."]


def test_repeated_trials_are_judged_by_the_mean_over_their_seeds() -> None:
    masks = [trial_record(trial_info("shallow-first", depth)) for depth in (3, 5)]
    whole = repeated(sweep(*masks), (4, 7))
    chosen, rivals = choose(whole, None)
    assert len(rivals) == 2 and chosen.info.candidate.seed == 4
    means = [trial.mean_dice for trial in whole.trials if trial.info.candidate.mask == chosen.info.candidate.mask]
    assert len(means) == 2 and chosen.mean_dice == pytest.approx(np.mean(means))
    assert "mean over the seeds 4, 7; refitted with the first" in " ".join(describe(whole, chosen, rivals, asked=False))
    incomplete = replace(whole, trials=tuple(trial for trial in whole.trials if trial is not whole.trials[-1]))
    again, of = choose(incomplete, None)  # while a seed is not done for every mask, those that are decide
    assert again.mean_dice in means
    assert "mean over the seeds" not in " ".join(describe(incomplete, again, of, asked=False))


@pytest.mark.parametrize("mask", ["1-3", "shallow-3", "3,1,2"])
def test_a_mask_by_hand(mask: str) -> None:
    lower = scored("shallow-first", 3, 0.5, epochs=6)
    chosen, rivals = choose(sweep(lower, *TRIALS), mask)
    assert chosen is TRIALS[0]  # at its best setting
    assert "number 3 of the 4 candidates" in " ".join(describe(sweep(), chosen, rivals, asked=True))


@pytest.mark.parametrize(
    ("trials", "mask", "words"),
    [
        (TRIALS, "7", r"one of the candidates that the sweep 'demo' measured, but got '7'\. Measured: 1-3, 1-5, 6-9\."),
        (TRIALS, "1-12", "names block 12"),
        ((), None, "'demo' has none. Finish it first"),
        (TRIALS[3:], None, "'demo' has none"),
        ((trial_record(trial_info("", 0)),), None, "'demo' has none"),
    ],
)
def test_where_nothing_can_be_chosen(trials: tuple[TrialRecord, ...], mask: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose(sweep(*trials), mask)


def test_the_description_says_that_it_is_the_highest_of_many() -> None:
    chosen, rivals = choose(sweep(*SAME), None)
    words = " ".join(describe(sweep(), chosen, rivals, asked=False))
    assert "6-9 · 12 epochs" in words and "mean Dice 0.700 (SD over folds 0.007)" in words
    assert "highest of 2 masks" in words and "looks better than it is; the next (1-3) has 0.600" in words
    assert "no score of its own" in words and "SYNTHETIC" not in words
    assert describe(sweep(synthetic=True), chosen, rivals, asked=False)[0].startswith("SYNTHETIC DATA")
    searched = " ".join(describe(sweep(), *choose(sweep(*TRIALS), None), asked=False))
    assert "highest of 3 candidates" in searched and "the next (6-9 · 12 epochs · lr 0.001) has 0.700" in searched
    assert chosen.mean_dice == pytest.approx(0.7)


HELD = Holder("1", "my-sweep", 0.701)
CROWNED = "Champion: models:/busi@champion (version 2)"
PREDICT = "  thaw predict models:/busi@champion IMAGES --out FOLDER --home there"
REGISTERED = "Registered: models:/busi/2"
STAYS = "models:/busi@champion stays with version 1: sweep my-sweep, Dice 0.701"


@pytest.mark.parametrize(
    ("before", "moved", "lines"),
    [
        (None, True, [CROWNED, PREDICT]),
        (HELD, True, [CROWNED, "  replaces version 1: sweep my-sweep, Dice 0.701", PREDICT]),
        (HELD, False, [REGISTERED, STAYS, "  to move it: thaw champion 'quick try' --home there"]),
    ],
)
def test_what_becomes_of_the_alias_is_told(before: Holder | None, moved: bool, lines: list[str]) -> None:
    assert outcome(Crowned(Registered("busi", "2", new=True), "quick try", before, moved), " --home there") == lines


def test_where_no_training_is_best_a_network_is_crowned_by_hand_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = subset_record([(1,), (2,), (1, 2)], lambda _: 0.5, zero_shot=0.8)
    output, home = io.StringIO(), open_home(tmp_path / "home")
    monkeypatch.setattr(Tracker, "read_sweep", lambda *_: record)
    assert crown(home, Board(Console(file=output, width=400)), None, automatic=True) is None
    assert output.getvalue().startswith("No champion. Thaw nothing: ")
    for mask in (None, "1"):
        output.truncate(0)
        with pytest.raises(UserError, match="demo"):  # it obeys: what is missing is only the plan of this made-up sweep
            crown(home, Board(Console(file=output, width=400)), None, mask)
        assert ("Warning: Thaw nothing: " in output.getvalue()) == (mask is None)


def test_a_network_that_learned_nothing_is_crowned_by_hand_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = sweep(scored("shallow-first", 3, 0.099))
    output = io.StringIO()
    home = open_home(tmp_path / "home")
    monkeypatch.setattr(Tracker, "read_sweep", lambda *_: low)
    assert crown(home, Board(Console(file=output)), None, automatic=True) is None
    assert output.getvalue().startswith("No champion. Nothing was learned: with a mean Dice of 0.099, 1-3")
    assert learning_failure(TRIALS[0]) is None
    with pytest.raises(UserError, match="demo"):  # it obeys: what is missing is only the plan of this made-up sweep
        crown(home, Board(Console(file=output)), None)
    assert "Warning: Nothing was learned" in output.getvalue()


def test_the_spec_key(tmp_path: Path) -> None:
    assert load_spec("smoke", sets=["champion=true"]).champion and not load_spec("smoke").champion
    with pytest.raises(UserError, match="'champion' must be true or false, but got 'yes'"):
        load_spec("smoke", sets=["champion=yes"])


@pytest.fixture(scope="module")
def home(smoke_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished smoke sweep without its artifacts, which lie where it ran: a champion adds to them only."""
    home = tmp_path_factory.mktemp("crowned") / "home"
    shutil.copytree(smoke_home, home, ignore=shutil.ignore_patterns("artifacts"))
    return home


BARE = """
import json, sys
import numpy as np
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
network = mlflow.keras.load_model("models:/phantoms@champion")
given = network.predict_on_batch(np.load(sys.argv[2]))
np.save(sys.argv[3], given)
print(json.dumps(sorted({"trainer", "tracking", "sweeps"} & set(sys.modules))))
"""


@pytest.mark.slow
def test_refit_register_and_use_it_without_thaw(thaw_here: Thaw, home: Path, tmp_path: Path) -> None:
    registered = thaw_here("champion", "--home", home)
    assert registered.returncode == 0, registered.stderr
    assert (
        "models:/phantoms@champion (version 1)" in registered.stdout
        and "The highest of 6 candidates" in registered.stdout
    )
    assert "SYNTHETIC DATA" in registered.stdout
    again = thaw_here("champion", "--home", home)
    assert again.returncode == 0 and "version 1, registered before" in again.stdout

    uri = f"sqlite:///{home / 'mlflow.db'}"
    grey = np.random.default_rng(0).random((32, 32), np.float32)
    np.save(tmp_path / "x.npy", grey[None, ..., None])
    # -I: neither the current folder nor PYTHONPATH is looked at, so thaw is not there to be found.
    command = [sys.executable, "-I", "-c", BARE, uri, str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    bare = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert bare.returncode == 0, bare.stderr
    assert json.loads(bare.stdout.splitlines()[-1]) == []
    probability = np.load(tmp_path / "y.npy")[0, ..., 0]
    assert 0 < probability.min() < probability.max() < 1

    image_file = tmp_path / "in" / "a.tif"
    image_file.parent.mkdir()
    Image.fromarray(grey).save(image_file)
    done = thaw_here(
        "predict", "models:/phantoms@champion", image_file.parent, "--out", tmp_path / "out", "--home", home
    )
    assert done.returncode == 0, done.stderr
    assert "trained on SYNTHETIC images only: it is no tool for real ones" in done.stdout
    with Image.open(tmp_path / "out" / "overlays" / "a.png") as over:
        assert over.size == (224, 224)  # 32 x 32, enlarged for the label
    with Image.open(tmp_path / "out" / "masks" / "a.png") as mask:
        assert np.array_equal(np.asarray(mask) > 0, probability > 0.5)


@pytest.mark.slow
def test_a_champion_is_no_trial(home: Path) -> None:
    tracker = Tracker.connect(f"sqlite:///{home / 'mlflow.db'}")
    record = tracker.read_sweep()
    assert {trial.info.role for trial in record.trials} == {"trial", "zero-shot", "scratch"}
    assert len(record.trials) == 9
