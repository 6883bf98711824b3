"""The objective with a made-up cross-validation: what it records, tells, drops, looks up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sweeps.environment.home import open_home
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import resolve
from sweeps.run.messages import Dropped, Failed, FoldFinished, Message, TrialFinished
from sweeps.run.objective import Drop, make_objective, never_drop, role_of, trial_info
from sweeps.spec.load import load_spec
from sweeps.strategies.history import Claim, Evaluate
from tracking.record import TrialState
from trainer.candidate import Candidate
from trainer.errors import TrialFailed
from trainer.network.blocks import Block, BlockLayer
from trainer.results import FoldResult, Reached, Score

BLOCKS = tuple(Block(number, (BlockLayer(f"layer{number}", number, 10),)) for number in range(1, 10))
RESOLVED = resolve(load_spec("smoke", sets=["folds=3"]), [10] * 9)
CANDIDATE = Candidate("1-5", 2, 1e-3)


def result(fold: int, epochs: int, dice: float) -> FoldResult:
    predictions = np.zeros((1, 2, 2), np.uint8)
    score = Score(f"image {fold}", "", 1, 0, 0, 3, dice, 0.0, 1.0)
    return FoldResult(fold, epochs, (score,), (0.1,), 8, 2.0, 1, predictions)


class Tracker:
    """Keeps what it is told, in order."""

    def __init__(self, known: TrialState | None = None) -> None:
        self.known, self.calls = known, list[str]()

    def trial(self, sweep_run: str, candidate: Candidate) -> TrialState | None:
        return self.known

    def trial_page(self, sweep_run: str, run: str) -> str:
        return f"page of {run}"

    def open_trial(self, sweep_run: str, info: Any) -> str:
        return "new"

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append(name)


class CrossValidation:
    """Three folds at two budgets; `fails` in its second fold."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.trainer, self.starts = (
            fails,
            SimpleNamespace(blocks=BLOCKS, parameters=lambda _: None),
            {"pretrained": "w"},
        )

    def __call__(self, candidate: Candidate, elsewhere: Any, reached: Any) -> Iterator[FoldResult]:
        for fold in (1, 2, 3):
            if self.fails and fold == 2:
                raise TrialFailed("diverged")
            for epochs in (1, 2):
                yield result(fold, epochs, 0.1 * fold * epochs)

    def kept(self, candidate: Candidate, result: FoldResult) -> bytes:
        return b"kept"

    def key(self, candidate: Candidate, fold: Any) -> str:
        return f"{candidate.training}{fold.names}"

    def folds(self, candidate: Candidate) -> list[Any]:
        image = np.zeros((1, 2, 2), np.float32)
        return [SimpleNamespace(montage=(0,), test_x=image, test_y=image, names=("a",)) for _ in range(3)]


def make(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tracker: Tracker, drop: Drop = never_drop, fails: bool = False
) -> tuple[Evaluate, list[Message]]:
    monkeypatch.setattr("sweeps.run.objective.Gallery", lambda *_: SimpleNamespace(drawings=lambda *_: {}))
    messages: list[Message] = []
    store: Any = tracker
    scored: Any = CrossValidation(fails)
    sweep = OpenSweep(open_home(folder), Plan("s", RESOLVED, "", (), "", "", "", "run"), store)
    return make_objective(sweep, scored, messages.append, drop), messages


def test_a_whole_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker, reported, reached = Tracker(), list[tuple[float, int]](), list[Reached]()
    evaluate, messages = make(tmp_path, monkeypatch, tracker)
    scored = evaluate(CANDIDATE, Claim(lambda dice, fold: reported.append((round(dice, 3), fold)), reached.append))
    assert (round(scored.score, 3), scored.trainings, scored.seconds, scored.parameters) == (0.4, 3, 6.0, 50)
    assert reported == [(0.2, 1), (0.3, 2), (0.4, 3)]  # means so far, at the candidate's own epochs
    assert reached == [Reached(fold, 2) for fold in (1, 2, 3)]
    assert tracker.calls == ["log_fold"] * 3 + ["log_neurons", "log_bytes", "finish_trial"]
    assert [message.epochs for message in messages if isinstance(message, FoldFinished)] == [1, 2] * 3
    assert messages[-1] == TrialFinished(CANDIDATE.name, scored.score)


def test_a_dropped_trial_ends_between_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def drop(candidate: Candidate, results: Any) -> float | None:
        asked.append(len(results))
        return 0.25 if len(results) == 2 else None

    tracker = Tracker()
    evaluate, messages = make(tmp_path, monkeypatch, tracker, drop)
    scored = evaluate(CANDIDATE, Claim())
    assert (scored.score, scored.dropped_after, scored.trainings) == (0.25, 2, 2)
    assert tracker.calls == ["log_fold"] * 2 + ["drop_trial"] and messages[-1] == Dropped(CANDIDATE.name, 2)


def test_after_the_last_fold_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    evaluate, _ = make(tmp_path, monkeypatch, Tracker(), lambda candidate, results: asked.append(len(results)))
    evaluate(CANDIDATE, Claim())
    assert asked == [1, 2]


def test_a_failure_is_recorded_told_and_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker()
    evaluate, messages = make(tmp_path, monkeypatch, tracker, fails=True)
    with pytest.raises(TrialFailed, match="diverged"):
        evaluate(CANDIDATE, Claim())
    assert tracker.calls == ["log_fold", "fail_trial"] and messages[-1] == Failed(CANDIDATE.name, "diverged")


def test_what_is_recorded_costs_one_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker(TrialState("old", "FINISHED", 0.7, CANDIDATE))
    evaluate, messages = make(tmp_path, monkeypatch, tracker)
    scored = evaluate(CANDIDATE, Claim())
    assert (scored.score, scored.trainings, scored.page) == (0.7, 0, "page of old")
    assert messages == [] and tracker.calls == []


@pytest.mark.parametrize(
    ("candidate", "role"),
    [
        (CANDIDATE, "trial"),
        (Candidate("none", 0, 1e-3), "zero-shot"),
        (Candidate("all", 2, 1e-3, "scratch"), "scratch"),
        (Candidate("all", 2, 1e-3, "scratch", split="leaky"), "leaky"),
    ],
)
def test_what_a_candidate_is_for(candidate: Candidate, role: str) -> None:
    assert role_of(candidate) == role


def test_only_trials_lie_on_orders_and_only_on_those_that_are_followed() -> None:
    assert trial_info(CANDIDATE, BLOCKS, ("shallow-first",)).orders == (("shallow-first", 5),)
    assert trial_info(CANDIDATE, BLOCKS, ("deep-first",)).orders == ()
    assert trial_info(Candidate("all", 2, 1e-3, "scratch"), BLOCKS, ("deep-first",)).orders == ()


def test_what_is_given_up_is_recorded_with_its_words_and_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = Tracker()
    evaluate, messages = make(tmp_path, monkeypatch, tracker)
    with pytest.raises(TrialFailed, match="three died"):
        evaluate(CANDIDATE, Claim(given_up="three died"))
    assert tracker.calls == ["fail_trial"] and messages == [Failed(CANDIDATE.name, "three died")]
