"""The Optuna engine: a list is drained exactly once by any number of workers, and nothing is invented."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sweeps.engines import optuna_queue, optuna_storage
from sweeps.engines.optuna_storage import open_study
from sweeps.spec.search_section import Search
from sweeps.spec.space import listed, space_of
from sweeps.strategies.history import Claim, Evaluate, PastTrial, Scored
from sweeps.strategies.list_windows import next_of_list
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.errors import Preempted, TrialFailed, UserError
from trainer.files import locked

SPACE = Search(epochs=(1, 2), learning_rate=(1e-3, 1e-2))
CANDIDATES = listed(SPACE, space_of(SPACE, [1] * 9, Settings()))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'optuna.db'}"


def trials(url: str, name: str = "s") -> list[optuna.trial.FrozenTrial]:
    return open_study(url, name).get_trials()


def into(evaluated: list[Candidate], score: float = 0.5) -> Evaluate:
    """An objective that only writes down what it is asked for."""

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        evaluated.append(candidate)
        return Scored(score, trainings=5, seconds=1.5, parameters=7)

    return evaluate


def drain(url: str, folder: Path, pause: float = 0.0, window: int = 0) -> None:
    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        with (folder / "seen.txt").open("a") as file:
            file.write(f"{candidate.key}\n")
        time.sleep(pause)
        return Scored(0.5)

    more = next_of_list(CANDIDATES, window) if window else None
    optuna_queue.drain(url, "s", evaluate, 9, more, lambda: locked(folder / "turn.lock"))


def die(url: str) -> None:
    optuna_storage.HEARTBEAT_SECONDS, optuna_storage.GRACE_SECONDS = 1, 3

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        os.kill(os.getpid(), signal.SIGKILL)
        return Scored(0.0)

    optuna_queue.drain(url, "s", evaluate, 9)


def test_candidates_come_back_as_they_were_listed(url: str) -> None:
    seen: list[Candidate] = []
    assert optuna_queue.enqueue(url, "s", CANDIDATES, 9) == len(CANDIDATES)
    optuna_queue.drain(url, "s", into(seen), 9)
    assert seen == list(CANDIDATES)


@pytest.mark.slow
@pytest.mark.parametrize("window", [0, 3])
def test_four_workers_drain_a_list_exactly_once_and_invent_nothing(url: str, tmp_path: Path, window: int) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[: window or None], 9)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=drain, args=(url, tmp_path, 0.02, window)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    seen = Counter((tmp_path / "seen.txt").read_text().split())
    assert set(seen) == {candidate.key for candidate in CANDIDATES} and set(seen.values()) == {1}
    assert [trial.state for trial in trials(url)] == [TrialState.COMPLETE] * len(CANDIDATES)


def test_an_empty_list_hands_nothing_out(url: str) -> None:
    optuna_queue.drain(url, "s", lambda candidate, report: pytest.fail(f"invented {candidate}"), 9)
    assert trials(url) == []


def test_waiting_candidates_are_not_listed_twice_and_a_list_may_grow(url: str) -> None:
    assert optuna_queue.enqueue(url, "s", CANDIDATES[:3], 9) == 3
    assert optuna_queue.enqueue(url, "s", CANDIDATES[:5], 9) == 2
    optuna_queue.drain(url, "s", into([]), 9)
    assert optuna_queue.enqueue(url, "s", [Candidate("1,4,9", 40, 3e-4)], 9) == 1  # values no earlier candidate had
    optuna_queue.drain(url, "s", into([]), 9)
    assert len(trials(url)) == 6


def test_failures_are_failures_and_bugs_stop(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:3], 9)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        if candidate == CANDIDATES[0]:
            raise TrialFailed("no")
        if candidate == CANDIDATES[2]:
            raise KeyError("typo")
        return Scored(0.5)

    with pytest.raises(KeyError, match="typo"):
        optuna_queue.drain(url, "s", evaluate, 9)
    assert [trial.state.name for trial in trials(url)] == ["FAIL", "COMPLETE", "FAIL"]


def test_work_lost_with_a_killed_worker_is_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:2], 9)
    dying = multiprocessing.get_context("spawn").Process(target=die, args=(url,))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    monkeypatch.setattr(optuna_storage, "HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr(optuna_storage, "GRACE_SECONDS", 3)
    seen: list[Candidate] = []
    optuna_queue.drain(url, "s", into(seen), 9)
    assert sorted(candidate.key for candidate in seen) == sorted(candidate.key for candidate in CANDIDATES[:2])
    assert Counter(trial.state.name for trial in trials(url)) == {"COMPLETE": 2, "FAIL": 1}


def in_turn(trials: tuple[PastTrial, ...]) -> list[Candidate]:
    """Proposes the blocks one after the other; waits for the third before it names the fourth."""
    done = [trial for trial in trials if trial.status != "open"]
    more = len(trials) < 3 or (len(done) >= 3 and len(trials) < 6)
    return [Candidate(str(len(trials) + 1), 2, 1e-3)] if more else []


def propose(url: str, folder: Path) -> None:
    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        with (folder / "seen.txt").open("a") as file:
            file.write(f"{candidate.mask}\n")
        time.sleep(0.02)
        return Scored(0.5)

    optuna_queue.drain(url, "s", evaluate, 9, in_turn, lambda: locked(folder / "turn.lock"))


@pytest.mark.slow
def test_four_workers_try_what_a_strategy_proposes_once_each_and_stop_when_it_stops(url: str, tmp_path: Path) -> None:
    optuna_queue.fill(url, "s", "digest", [], 9)
    workers = [multiprocessing.get_context("spawn").Process(target=propose, args=(url, tmp_path)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert sorted((tmp_path / "seen.txt").read_text().split()) == list("123456")


def test_the_history_holds_every_candidate_once_with_what_it_took(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:4], 9)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        if candidate == CANDIDATES[0]:
            raise TrialFailed("no")
        claim.report(0.4, 1)
        return Scored(0.4, 2, 1.5, 7, dropped_after=2 if candidate == CANDIDATES[1] else 0)

    optuna_queue.drain(url, "s", evaluate, 9)
    optuna_queue.enqueue(url, "s", CANDIDATES[4:5], 9)
    trials = optuna_queue.history(url, "s")
    assert [trial.candidate for trial in trials] == list(CANDIDATES[:5])
    assert [trial.status for trial in trials] == ["failed", "dropped", "done", "done", "open"]
    assert [trial.score for trial in trials] == [None, 0.4, 0.4, 0.4, None]
    assert (trials[1].trainings, trials[1].seconds, trials[1].parameters) == (2, 1.5, 7)


def test_a_study_that_was_deleted_is_filled_from_the_record(url: str) -> None:
    train = Candidate("2,4", 3, 1e-3, train=(("batch", 8),))
    known_trials = [PastTrial(CANDIDATES[0], "done", 0.7, 5, 2.0, 9), PastTrial(train, "dropped", 0.3)]
    for _ in range(2):  # twice is once
        optuna_queue.fill(url, "s", "digest", known_trials, 9)
    assert optuna_queue.history(url, "s") == tuple(known_trials)


@pytest.mark.parametrize(
    ("identity", "blocks", "made"), [("other", 9, True), ("digest", 8, True), ("digest", 9, False)]
)
def test_a_study_made_for_something_else_is_refused(url: str, identity: str, blocks: int, made: bool) -> None:
    if made:
        optuna_queue.fill(url, "s", "digest", [], 9)
    else:
        optuna.create_study(storage=url, study_name="s", direction="minimize").add_trial(
            optuna.trial.create_trial(value=1.0)
        )
    with pytest.raises(UserError, match="was made for another space, direction or data set"):
        optuna_queue.fill(url, "s", identity, [], blocks)


def test_nothing_is_begun_after_the_deadline_and_all_of_it_waits(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:2], 9)
    seen: list[Candidate] = []
    optuna_queue.drain(url, "s", into(seen), 9, deadline=time.time() - 1)
    assert not seen and [trial.state for trial in trials(url)] == [TrialState.WAITING] * 2


def test_what_a_stop_cut_off_waits_again(url: str) -> None:
    optuna_queue.enqueue(url, "s", [CANDIDATES[0]], 9)
    with pytest.warns(UserWarning, match="Heartbeat"):
        open_study(url, "s").ask()  # a worker takes it and dies
    optuna_queue.release(url, "s")
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["open"]
    seen: list[Candidate] = []
    optuna_queue.drain(url, "s", into(seen), 9)
    assert seen == [CANDIDATES[0]]


def test_a_stop_while_trials_are_put_back_loses_none_and_doubles_none(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:1], 9)
    with pytest.warns(UserWarning, match="Heartbeat"):
        open_study(url, "s").ask()
    with monkeypatch.context() as killed:
        killed.setattr("optuna.Study.tell", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            optuna_queue.release(url, "s")
    assert [trial.state for trial in trials(url)] == [TrialState.RUNNING, TrialState.WAITING]
    optuna_queue.release(url, "s")
    assert [trial.state for trial in trials(url)] == [TrialState.FAIL, TrialState.WAITING]


def test_a_trial_that_thaw_did_not_put_there_is_refused_and_then_left_out(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:1], 9)
    open_study(url, "s").enqueue_trial({"block_1": True, "epochs": 10**6})
    seen: list[Candidate] = []
    with pytest.raises(UserError, match=r"Trial 1 .* \(block_1=True, epochs=1000000\) was not put there by thaw"):
        optuna_queue.drain(url, "s", into(seen), 9)
    optuna_queue.enqueue(url, "s", CANDIDATES[1:2], 9)
    optuna_queue.drain(url, "s", into(seen), 9)
    assert seen == list(CANDIDATES[:2]) and [trial.candidate for trial in optuna_queue.history(url, "s")] == seen


def test_what_somebody_else_listed_is_told_before_any_worker_starts(url: str) -> None:
    optuna_queue.fill(url, "s", "digest", [], 9)
    open_study(url, "s").enqueue_trial({"block_1": True})
    with pytest.raises(UserError, match=r"Trial 0 .* \(block_1=True\) was not put there by thaw"):
        optuna_queue.fill(url, "s", "digest", [], 9)
    optuna_queue.fill(url, "s", "digest", [], 9)
    assert [trial.state for trial in trials(url)] == [TrialState.FAIL]


def test_what_has_begun_before_the_deadline_is_finished(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:2], 9)
    deadline = time.time() + 1

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        time.sleep(max(0, deadline + 0.1 - time.time()))
        return Scored(0.5)

    optuna_queue.drain(url, "s", evaluate, 9, deadline=deadline)
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["done", "open"]


def test_a_dropped_candidate_that_is_asked_for_again_is_scored_as_a_whole(url: str) -> None:
    optuna_queue.fill(url, "s", "digest", [PastTrial(CANDIDATES[0], "dropped", 0.3)], 9)
    optuna_queue.enqueue(url, "s", CANDIDATES[:1], 9)
    assert [trial.status for trial in optuna_queue.history(url, "s")] == ["open"]
    optuna_queue.drain(url, "s", into([]), 9)
    assert [(trial.status, trial.score) for trial in optuna_queue.history(url, "s")] == [("done", 0.5)]


def test_a_record_that_is_whole_counts_more_than_a_study_that_dropped(url: str) -> None:
    for known_trial in (PastTrial(CANDIDATES[0], "dropped", 0.3), PastTrial(CANDIDATES[0], "done", 0.5)):
        optuna_queue.fill(url, "s", "digest", [known_trial], 9)
        assert [(trial.status, trial.score) for trial in optuna_queue.history(url, "s")] == [
            (known_trial.status, known_trial.score)
        ]
    optuna_queue.fill(url, "s", "digest", [PastTrial(CANDIDATES[0], "dropped", 0.3)], 9)
    assert len(trials(url)) == 2


@pytest.mark.parametrize("reason", [UserError("The disk is full"), Preempted("stopped")])
def test_a_worker_that_cannot_go_on_gives_its_trial_back_and_leaves(url: str, reason: Exception) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:2], 9)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        raise reason

    with pytest.raises(type(reason), match=str(reason)):
        optuna_queue.drain(url, "s", evaluate, 9)
    assert Counter(trial.state.name for trial in trials(url)) == {"WAITING": 2, "FAIL": 1}


def test_a_database_that_cannot_be_used_is_told_without_its_secrets(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must be reachable and writable"):
        optuna_queue.enqueue(f"sqlite:///{tmp_path}/none/optuna.db", "s", CANDIDATES, 9)


def test_a_dashboard_shows_what_a_trial_is_and_leads_to_mlflow(url: str) -> None:
    optuna_queue.enqueue(url, "s", CANDIDATES[:2], 9)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        if candidate == CANDIDATES[1]:
            raise TrialFailed("a loss that is no number")
        return Scored(0.5, page="http://127.0.0.1:5000/#/experiments/1/runs/abc")

    optuna_queue.drain(url, "s", evaluate, 9)
    study = open_study(url, "s")
    notes = [
        study._storage.get_study_system_attrs(study._study_id)[f"dashboard:{trial._trial_id}:note_str:0"]
        for trial in study.get_trials()
    ]
    assert CANDIDATES[0].name in notes[0] and "(http://127.0.0.1:5000/#/experiments/1/runs/abc)" in notes[0]
    assert CANDIDATES[1].name in notes[1] and "Failed: a loss that is no number" in notes[1]
