"""A nested cross-validation as a command runs it: part after part, stopped and gone on with."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sweeps import nested
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.nested import Parts, run_parts
from sweeps.spec.load import Spec, load_spec
from sweeps.sweep import LOCAL, Outcome
from tests.sweeps.whole import killed, started, tracker
from tracking.as_json import to_json
from tracking.summary.sweep import summarise
from tracking.sweep_names import HELD_OUT

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Ends = Callable[[Spec, str], Outcome]
OUTER = ("--set", "outer=2", "--set", "search.epochs=[1]", "--set", "champion=false")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Callable[[Ends, float], tuple[Parts, list[str], str]]:
    """Runs three parts whose sweeps end as told; what they did, the sweeps that were scored, and what was said."""

    def run(ends: Ends, deadline: float) -> tuple[Parts, list[str], str]:
        scored: list[str] = []
        monkeypatch.setattr(nested, "run_sweep", lambda spec, home, board, *, name, **options: ends(spec, name))
        monkeypatch.setattr(nested, "score_choice", lambda home, board, name: scored.append(name))
        said = io.StringIO()
        found = run_parts(
            *(load_spec("smoke", sets=["outer=3"]), Home(Path("unused")), Board(Console(file=said, width=200)), "s"),
            workers=1,
            deadline=deadline,
            retry_failed=False,
            launcher=LOCAL,
        )
        return found, scored, said.getvalue()

    return run


def test_each_part_is_searched_and_scored(parts: Callable[..., tuple[Parts, list[str], str]]) -> None:
    searched: list[Spec] = []

    def ends(spec: Spec, name: str) -> Outcome:
        searched.append(spec)
        return Outcome(name, 9, ("1-5",) if len(searched) == 2 else ())

    found, scored, said = parts(ends, float("inf"))
    assert scored == [f"s-outer-{part}-of-3" for part in (1, 2, 3)] and not found.submitted
    assert found.failed == ("s-outer-2-of-3: 1-5",)
    assert [spec.held_out and spec.held_out.part for spec in searched] == [1, 2, 3]
    assert "Outer part 3 of 3" in said and all(spec.search.hours == 0 for spec in searched)


def test_a_deadline_holds_for_all_parts_together(parts: Callable[..., tuple[Parts, list[str], str]]) -> None:
    left: list[float] = []

    def ends(spec: Spec, name: str) -> Outcome:
        left.append(spec.search.hours)
        return Outcome(name, 9, (), complete=len(left) < 2)

    _, scored, _ = parts(ends, time.time() + 3600)
    assert scored == ["s-outer-1-of-3"] and len(left) == 3 and all(0.9 < hours <= 1 for hours in left)
    _, scored, said = parts(ends, time.time() - 1)
    assert not scored and "The time is up: 3 outer parts wait." in said


def test_what_somebody_else_starts_is_not_waited_for(parts: Callable[..., tuple[Parts, list[str], str]]) -> None:
    found, scored, _ = parts(lambda spec, name: Outcome(name, 0, (), f"{name} waits", complete=False), float("inf"))
    assert not scored and found.submitted == tuple(f"s-outer-{part}-of-3 waits" for part in (1, 2, 3))


def numbers_of(home: Path) -> str:
    """The nested cross-validation of the home's sweep."""
    return json.dumps(json.loads(to_json(summarise(tracker(home).read_sweep("s"))))["best_mask"]["nested"])


@pytest.mark.slow
def test_killed_in_a_part_it_ends_with_the_same_numbers(
    run: Run, smoke_home: Path, fresh: Path, tmp_path: Path
) -> None:
    killed(started(fresh, *OUTER), fresh, "sweeps/s-outer-2-of-2/plan.json")
    ended = run(fresh, *OUTER)
    assert ended.returncode == 0 and "The whole procedure, search included, has a Dice of" in ended.stdout
    assert ended.stdout.count("nothing to train") == 2, "the whole and the first part were done"

    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(smoke_home / "weights", undisturbed / "weights")
    assert run(undisturbed, *OUTER).returncode == 0
    assert numbers_of(fresh) == numbers_of(undisturbed)

    record = tracker(fresh).read_sweep()  # the newest: the whole, not a part
    names = {name for fold in record.info.folds for name in fold}
    for outer in record.outer:
        assert outer is not None
        left, held_out = {name for fold in outer.info.folds for name in fold}, {*outer.info.external[HELD_OUT]["names"]}
        assert left | held_out == names and not left & held_out
