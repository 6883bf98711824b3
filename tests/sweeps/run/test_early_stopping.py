"""The rule that drops a candidate between folds, with numbers made up so that the answer is known."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import read_plan
from sweeps.run.early_stopping import FOLD_NOISE, MARGIN, clearly_worse, estimate, make_drop_rule
from sweeps.run.launchers.contract import Crew, Listen
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.messages import Dropped, FoldFinished, Message
from sweeps.run.objective import never_drop
from sweeps.run.worker import work
from sweeps.spec.load import load_spec
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.history import History
from sweeps.sweep import run_sweep
from tests.small import SMALL
from tracking.store.writer import Tracker
from tracking.summary.sweep import summarise
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.errors import StoreAway
from trainer.results import FoldResult, Score

EVERYTHING = space_of(Search(space="subsets", epochs=(3,)), [1] * 9, Settings())
BEST = {f"image {number}": float(dice) for number, dice in enumerate(np.random.default_rng(0).uniform(0.4, 0.9, 80))}


def behind(difference: float, folds: int, spread: float = 0.02) -> dict[str, float]:
    """The images of the first `folds` of five folds, each `difference` (give or take `spread`) below the best's."""
    rng = np.random.default_rng(folds)
    images = list(BEST)[: 16 * folds]
    return {image: BEST[image] - difference + spread * rng.normal() for image in images}


@pytest.mark.parametrize(
    ("difference", "folds", "dropped"),
    [(0.1, 1, True), (0.04, 1, False), (0.04, 4, True), (0.0, 4, False), (-0.1, 1, False), (MARGIN, 4, False)],
)
def test_only_what_is_clearly_worse_is_dropped_and_more_folds_see_more(
    difference: float, folds: int, dropped: bool
) -> None:
    estimated = estimate(behind(difference, folds), BEST, 0.8, folds)
    assert (estimated is not None) == dropped
    if estimated is not None:
        assert estimated == pytest.approx(0.8 - difference, abs=0.01)


def test_images_that_all_move_together_are_one_training_not_many_proofs() -> None:
    together = behind(1.9 * FOLD_NOISE, 1, spread=0.0)  # every image is as much worse: to images alone beyond doubt
    assert estimate(together, BEST, 0.8, 1) is None


def test_images_without_a_truth_do_not_count() -> None:
    own = behind(0.1, 2)
    best = BEST | {"empty": float("nan")}
    assert estimate(own | {"empty": float("nan")}, best, 0.8, 2) == estimate(own, BEST, 0.8, 2)


def test_what_cannot_be_compared_is_not_dropped() -> None:
    assert estimate(behind(0.3, 1) | {"new": 0.0}, BEST, 0.8, 1) is None
    assert estimate({"image 0": 0.0}, BEST, 0.8, 1) is None


def test_the_rule_is_the_same_for_one_pair_and_for_many() -> None:
    own = behind(0.06, 2)
    pairs = np.array([own[image] - BEST[image] for image in own])
    shape = np.full((3, 3), pairs.mean()), np.full((3, 3), pairs.var(ddof=1))
    assert (clearly_worse(*shape, len(pairs), 2) == (estimate(own, BEST, 0.8, 2) is not None)).all()


class Recorded:
    """A tracker with one finished trial."""

    asked = 0

    def highest(self, sweep_run: str, like: Candidate, among: Any) -> Any:
        return SimpleNamespace(dice=0.8, run_id="best")

    def dice_by_image(self, run_id: str) -> dict[str, float]:
        self.asked += 1
        return BEST


def results(dice: dict[str, float]) -> list[FoldResult]:
    scores = tuple(Score(image, "", 0, 0, 0, 0, value, 0.0, 0.0) for image, value in dice.items())
    return [FoldResult(1, 3, scores, (), 8, 1.0, 1)]


def test_a_search_spares_what_it_started_from_and_reads_the_best_once() -> None:
    tracker: Any = Recorded()
    start = Candidate("all", 3, 1e-3)
    drop = make_drop_rule(Search(strategy="random"), EVERYTHING, [start], tracker, "run")
    worse = results(behind(0.2, 1))
    assert drop(start, worse) is None
    assert [drop(Candidate(mask, 3, 1e-3), worse) for mask in "12"] == [pytest.approx(0.6, abs=0.01)] * 2
    assert tracker.asked == 1


@pytest.mark.parametrize(
    "search",
    [
        Search(),
        Search(strategy="exhaustive"),
        Search(strategy="nsga2"),
        Search(strategy="random", stop_early=False),
    ],
)
def test_lists_fronts_and_whoever_says_so_drop_nothing(search: Search) -> None:
    tracker: Any = Recorded()
    assert make_drop_rule(search, EVERYTHING, [], tracker, "run") is never_drop


def test_nothing_is_dropped_before_anything_is_finished() -> None:
    nothing: Any = SimpleNamespace(highest=lambda *_: None, dice_by_image=pytest.fail)
    drop = make_drop_rule(Search(strategy="random"), EVERYTHING, [], nothing, "run")
    assert drop(Candidate("1", 3, 1e-3), results(behind(0.5, 1))) is None


def one_then_two(space: Space, history: History, seed: int) -> Candidate | None:
    """Proposes block 1, then block 2, then no more."""
    candidates = [Candidate(block, 2, 1e-3) for block in ("1", "2")]
    return next((candidate for candidate in candidates if candidate not in history.known), None)


@pytest.mark.slow
def test_a_dropped_trial_is_marked_everywhere_and_a_list_trains_it_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.strategies.propose.strategy_of", lambda name: one_then_two)
    monkeypatch.setattr("sweeps.run.early_stopping.clearly_worse", lambda *numbers: np.True_)
    home, board = open_home(tmp_path), Board(Console(quiet=True))
    messages: list[Message] = []

    class Here(LocalLauncher):
        """Works in this process."""

        def launch(self, crew: Crew, listen: Listen) -> None:
            def both(message: Message) -> None:
                messages.append(message)
                listen(message)

            store = Tracker.connect(crew.home.tracking_uri, crew.home.artifact_folder)
            work(OpenSweep(crew.home, read_plan(crew.home, crew.sweep), store), both)

    run = partial(run_sweep, home=home, board=board, workers=1, name="s", launcher=Here())
    smoke = [*SMALL, "search.masks=['1','2','6-9']", "search.epochs=[2]"]
    search = load_spec("smoke", sets=[*smoke, "search.strategy=random", "search.trials=10"])
    assert run(search).failed == ()
    store = Tracker.connect(home.tracking_uri, home.artifact_folder)
    summary = summarise(store.read_sweep("s"))
    assert sum(isinstance(message, Dropped) for message in messages) == 2
    assert {trial.mask for trial in summary.trials} == {"all", "6-9", "none"} and not summary.finished
    assert summary.dropped is not None and (summary.dropped.saved, summary.dropped.trainings) == (2, 2 * 5)
    before = len(messages)
    assert run(search).trained == 0 and len(messages) == before  # it was over

    assert run(load_spec("smoke", sets=smoke)).trained == 2
    folds = [message.name[0] for message in messages[before:] if isinstance(message, FoldFinished)]
    assert folds == ["1", "1", "2", "2"]
    summary = summarise(store.read_sweep("s"))
    assert summary.dropped is None and {"1", "2"} < {trial.mask for trial in summary.trials}


@pytest.mark.parametrize(
    ("mean", "variance", "images", "folds", "worse"),
    [
        (-0.051, 0.0, 16, 1, True),  # 2 standard errors of 0.02, and 0.01
        (-0.049, 0.0, 16, 1, False),
        (-0.031, 0.0, 16, 4, True),
        (-0.029, 0.0, 16, 4, False),
        (-0.0601, 0.0009, 4, 1, True),  # 0.01 + 2 sqrt(0.0009 / 4 + 0.0004) = 0.06
        (-0.0599, 0.0009, 4, 1, False),
        (0.06, 0.0, 16, 4, False),
    ],
)
def test_the_rule_by_hand(mean: float, variance: float, images: int, folds: int, worse: bool) -> None:
    assert clearly_worse(np.array(mean), np.array(variance), images, folds).tolist() is worse


def test_a_difference_on_the_boundary_is_not_clearly_worse() -> None:
    nothing = np.zeros(2)
    assert not clearly_worse(nothing, nothing, 4, 1, standard_errors=0.0, fold_noise=0.0, margin=0.0).any()
    assert clearly_worse(nothing - 0.5, nothing, 4, 1, 1.0, 0.25, 0.125).all()


BOTH = {"a": 0.9, "b": 0.7, "c": 0.8}


@pytest.mark.parametrize(
    ("own", "estimated"),
    [
        ({"a": 0.4, "b": 0.3}, 0.75 - 0.45),
        ({"a": 0.4, "b": 0.3, "c": 0.2}, 0.75 - 0.5),  # all of the best's images
        ({"a": 0.4}, None),  # a single image has no spread
        ({}, None),
        ({"a": 0.4, "b": float("nan")}, None),
        ({"a": 0.4, "b": 0.3, "d": float("nan")}, 0.75 - 0.45),
        ({"a": 0.4, "b": 0.3, "d": 0.1}, None),  # an image that the best was not scored on
        ({"d": 0.1, "e": 0.1}, None),
        ({"a": 0.9, "b": 0.7}, None),
    ],
)
def test_an_estimate_by_hand(own: dict[str, float], estimated: float | None) -> None:
    assert estimate(own, BOTH, 0.75, 1) == (estimated if estimated is None else pytest.approx(estimated))


def test_the_spread_of_pairs_is_that_of_a_sample() -> None:
    """Differences -0.2 and -0.05: variance 0.01125 with n - 1, half of that with n; only the latter would be worse."""
    assert estimate({"a": 0.7, "b": 0.65}, BOTH, 0.75, 5) is None
    assert estimate({"a": 0.7, "b": 0.57}, BOTH, 0.75, 5) == pytest.approx(0.75 - 0.165)


def test_a_best_trial_without_a_score_is_no_measure() -> None:
    unscored: Any = SimpleNamespace(
        highest=lambda *_: SimpleNamespace(dice=None, run_id="x"), dice_by_image=lambda _: BEST
    )
    drop = make_drop_rule(Search(strategy="random"), EVERYTHING, [], unscored, "run")
    assert drop(Candidate("1", 3, 1e-3), results(behind(0.5, 1))) is None


def test_while_the_record_is_away_nothing_is_dropped() -> None:
    def away(*_: object) -> None:
        raise StoreAway("connection refused")

    gone: Any = SimpleNamespace(highest=away, dice_by_image=away)
    drop = make_drop_rule(Search(strategy="random"), EVERYTHING, [], gone, "run")
    assert drop(Candidate("1", 3, 1e-3), results(behind(0.5, 1))) is None


def test_every_fold_scored_so_far_counts_as_one_training() -> None:
    """0.04 behind is clear only after several trainings: two standard errors of one are 0.04, of four 0.02."""
    recorded: Any = Recorded()
    drop = make_drop_rule(Search(strategy="random"), EVERYTHING, [], recorded, "run")
    parts = list(behind(0.045, 4, spread=0.0).items())
    folds = [results(dict(parts[16 * fold : 16 * fold + 16]))[0] for fold in range(4)]
    assert drop(Candidate("1", 3, 1e-3), folds[:1]) is None
    assert drop(Candidate("1", 3, 1e-3), folds) == pytest.approx(0.755)
