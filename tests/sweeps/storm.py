"""A storm over a lab: workers die, PostgreSQL and MLflow go and come, and nothing may be lost, doubled or changed.

    python -m tests.sweeps.storm --trials 100 --workers 4 --kill-every 60 --away 60

The same sweep runs twice in labs of their own, once undisturbed. Prints what happened and what was found, and ends with
1 where something is wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.sweeps.kills import timeless
from tests.sweeps.lab import Lab, active_runs, open_lab, trial_runs


@dataclass(frozen=True)
class Weather:
    """What happens: how many `workers`, a kill every so many seconds, MLflow `away` for so many seconds."""

    workers: int = 4
    kill_every: float = 60.0
    away: float = 60.0
    seed: int = 0


def options_of(trials: int) -> list[str]:
    """Options of a sweep of about so many trials of seconds each."""
    masks = [str(mask) for mask in range(1, 10)] + [f"{a}-{b}" for a in range(1, 10) for b in range(a + 1, 10)]
    masks += [f"{a},{b}" for a in range(1, 10) for b in range(a + 2, 10)]
    chosen = masks[: max(1, (trials - 3) // 2)]
    return ["--set", f"search.masks={chosen}", "--set", "folds=2", "--set", "champion=false"]


def undisturbed(folder: Path, options: list[str], workers: int) -> dict[str, Any]:
    """The report of the sweep as it runs in good weather, by as many workers of one home."""
    with open_lab(folder) as lab:
        lab.run("calm", *options, workers=workers)
        assert lab.wait("calm", 7200) == 0, lab.said("calm")[-3000:]
        return numbers(lab.report())


def stormy(folder: Path, options: list[str], weather: Weather, say: Any = print) -> tuple[dict[str, Any], list[str]]:
    """The report of the sweep after the storm, and what is wrong with its record."""
    draw = random.Random(weather.seed)
    with open_lab(folder) as lab:
        lab.run("first", *options, workers=1)
        lab.wait_until_said("first", "workers", 600)
        crew = [f"home{number}" for number in range(1, weather.workers)]
        for name in crew:
            lab.join(name)
        events: list[Callable[[Lab], str]] = [postgres_restarts, mlflow_restarts, partial(mlflow_goes, weather.away)]
        last_kill, kills, began = time.monotonic(), 0, time.monotonic()
        while lab.started["first"].poll() is None:
            time.sleep(0.5)
            for name in crew:
                if (code := lab.started[name].poll()) is not None and code != 0:
                    say(f"{time.monotonic() - began:5.0f} s: {name} ended with {code}; another takes its home")
                    lab.join(name)
            if time.monotonic() - last_kill > weather.kill_every:
                victim = draw.choice(crew)
                lab.kill(victim)
                kills += 1
                say(f"{time.monotonic() - began:5.0f} s: {victim} is killed")
                last_kill = time.monotonic()
                if events:
                    event = events.pop(0)
                    say(f"{time.monotonic() - began:5.0f} s: {event(lab)}")
        assert lab.wait("first") == 0, lab.said("first")[-3000:]
        say(f"{time.monotonic() - began:5.0f} s: done; {kills} kills, {len(events)} events left")
        for name in crew:
            if lab.wait(name, 120) not in (0, -9):
                say(f"{name}: {lab.said(name)[-500:]}")
        return numbers(lab.report()), faults(lab)


def postgres_restarts(lab: Lab) -> str:
    """Restart PostgreSQL."""
    lab.database.stop()
    lab.database.start()
    return "PostgreSQL was restarted"


def mlflow_restarts(lab: Lab) -> str:
    """Restart the MLflow server."""
    lab.server.stop()
    lab.server.start()
    return "MLflow was restarted"


def mlflow_goes(seconds: float, lab: Lab) -> str:
    """Take the MLflow server away for a while."""
    lab.server.stop()
    time.sleep(seconds)
    lab.server.start()
    return f"MLflow was away for {seconds:.0f} s"


def numbers(table: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ."""
    found: dict[str, Any] = json.loads(timeless(table))
    return found


def faults(lab: Lab) -> list[str]:
    """What is wrong with the record of a lab's sweep: trials that are doubled, points that are, folds trained twice."""
    found = [f"{count} runs of one trial ({key})" for key, count in active_runs(lab).items() if count > 1]
    runs = trial_runs(lab)
    for run in runs:
        if run.info.lifecycle_stage == "active" and run.info.status != "FINISHED":
            found.append(f"trial {run.info.run_name} is {run.info.status}")
    found += doubled_points(lab, [run for run in runs if run.info.lifecycle_stage == "active"])
    return found + retrained(runs)


def doubled_points(lab: Lab, runs: list[Any]) -> list[str]:
    """Metrics of a run that have two points at one step."""
    from mlflow import MlflowClient

    client, found = MlflowClient(lab.server.address), []
    for run in runs:
        for key in (key for key in run.data.metrics if key.startswith(("loss/", "dice/"))):
            steps = Counter(point.step for point in client.get_metric_history(run.info.run_id, key))
            if max(steps.values()) > 1:
                found.append(f"{key} of {run.info.run_name} has {max(steps.values())} points at one step")
    return found


def retrained(runs: list[Any]) -> list[str]:
    """Folds that were recorded and trained again: two attempts at a trial recorded different files of one fold."""
    digests: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        for tag, value in run.data.tags.items():
            if tag.startswith("thaw.fold."):
                digests.setdefault((run.data.tags["thaw.candidate"], tag), set()).add(value)
    return [
        f"{tag} of {key} was trained {len(values)} times" for (key, tag), values in digests.items() if len(values) > 1
    ]


def main() -> int:
    """Run the storm; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=60.0)
    parser.add_argument("--away", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    options = options_of(given.trials)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="storm-"))
    report, wrong = stormy(folder / "storm", options, Weather(given.workers, given.kill_every, given.away, given.seed))
    calm = undisturbed(folder / "calm", options, given.workers)
    for name, text in (("storm", report), ("calm", calm)):
        (folder / f"{name}.json").write_text(json.dumps(text, indent=1, sort_keys=True))
    same = report == calm
    print(f"{len(report['trials'])} trials; report {'equal to' if same else 'DIFFERENT from'} the undisturbed one")
    for fault in wrong:
        print(f"WRONG: {fault}")
    return 0 if same and not wrong and report["trials"] else 1


if __name__ == "__main__":
    sys.exit(main())
