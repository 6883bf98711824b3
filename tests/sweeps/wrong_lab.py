"""Everything that can be wrong with a lab, tried one after the other by the commands that a user types.

    python -m tests.sweeps.wrong_lab

Each must end with exit code 2, or do what can be done, and say in words what is wrong and what to do, without a
traceback or a password; and the sweep that was there must be as it was. Prints what each said, and ends with 1 where
something is wrong.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import psycopg

from tests.servers import PASSWORD, mlflow_server
from tests.small import SMALL_OPTIONS
from tests.sweeps.environment.mounts import run_mounted
from tests.sweeps.lab import ROOT, SWEEP, Lab, open_lab
from tests.sweeps.run.launchers.real import comparable

OPTIONS = (*SMALL_OPTIONS, "--set", "search.masks=['1-5','6-9']", "--set", "champion=false")
SMALL_DISK = 'mount -t tmpfs -o size=600k tmpfs "$0"'
# What Python imports by itself at its start.
NO_DRIVER = "import sys; sys.modules['psycopg'] = None"
OTHER_KERAS = """
import importlib.metadata as metadata
real = metadata.version
metadata.version = lambda package: "3.9.0" if package == "keras" else real(package)
"""
WORKER = """
import sys
from sweeps.cli import main
sys.argv = ["thaw", "worker", sys.argv[2], "--home", sys.argv[1] + "/cache"]
try:
    main()
except SystemExit as end:
    assert end.code == 2
"""


@dataclass(frozen=True)
class Mistake:
    """A command, what is wrong around it, and words that it must say."""

    what: str
    arguments: tuple[str, ...]
    words: tuple[str, ...]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    at_start: str = ""
    around: Callable[[Lab], None] = lambda lab: None
    afterwards: Callable[[Lab], None] = lambda lab: None
    code: int = 2


def version_of(number: int) -> Callable[[Lab], None]:
    """Says that a thaw of some version made the database."""

    def write(lab: Lab) -> None:
        with psycopg.connect(lab.database.address().replace("+psycopg", "")) as connection:
            connection.execute(f"UPDATE thaw_version SET version = {number}")

    return write


def foreign_study(lab: Lab) -> None:
    """A study of somebody else's under the name of a sweep."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=lab.database.address(), study_name="theirs")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)


def mistakes(lab: Lab, hoarding: str) -> list[Mistake]:
    """All of them; `hoarding`: the address of an MLflow server that keeps artifacts in a folder of its own."""
    again = ("run", "smoke", "--name", SWEEP)
    shared = ("run", "smoke", "--name", "t")
    return [
        Mistake("no PostgreSQL driver", ("worker", SWEEP), ("make setup EXTRAS=postgresql",), at_start=NO_DRIVER),
        Mistake(
            "a wrong password",
            ("worker", SWEEP),
            ("the user or the password is wrong",),
            environment={"THAW_STORAGE": lab.database.address(password="wr0ng-password")},
        ),
        Mistake(
            "a database of a newer thaw",
            ("worker", SWEEP),
            ("newer thaw", "99"),
            around=version_of(99),
            afterwards=version_of(1),
        ),
        Mistake(
            "another's study under the name", ("run", "smoke", "--name", "theirs"), ("theirs",), {}, "", foreign_study
        ),
        Mistake("a worker of another Keras", ("worker", SWEEP), ("Keras", "3.9.0", "3.15.1"), at_start=OTHER_KERAS),
        Mistake(
            "a storage without MLflow server",
            (*shared, *OPTIONS),
            ("MLFLOW_TRACKING_URI", "only workers with this home can join"),
            {"MLFLOW_TRACKING_URI": None},
            code=0,
        ),
        Mistake(
            "an MLflow server without storage", ("worker", SWEEP), ("--storage",), environment={"THAW_STORAGE": None}
        ),
        Mistake(
            "an MLflow server that does not proxy artifacts",
            shared,
            ("--artifacts-destination",),
            environment={"MLFLOW_TRACKING_URI": hoarding},
        ),
        Mistake(
            "no Ray cluster at the address",
            (*again, "--launcher", "ray", "--address", "127.0.0.1:1"),
            ("ray start --head",),
        ),
        Mistake(
            "no sbatch",
            (*again, "--launcher", "slurm", "--workers", "2"),
            ("sbatch, which is not here",),
            environment={"PATH": str(Path(sys.executable).parent)},
        ),
        Mistake(
            "a GPU where there is none",
            (*again, "--workers", "1", "--gpus-per-worker", "1"),
            ("this machine shows none",),
        ),
        Mistake("a sweep that is not there", ("worker", "sweep-s"), ("Sweeps here: s",)),
    ]


def said(lab: Lab, mistake: Mistake, folder: Path) -> tuple[int, str]:
    """The exit code of a mistake's command, and all that it said."""
    (folder / "sitecustomize.py").write_text(mistake.at_start)
    around = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "THAW_PATIENCE": "5"}
    done = lab.call(str(folder / "home"), *mistake.arguments, environment={**around, **mistake.environment})
    return done.returncode, done.stdout + done.stderr


def judge(mistake: Mistake, code: int, text: str) -> list[str]:
    """What is wrong with how a mistake was told."""
    wrong = [] if code == mistake.code else [f"{mistake.what}: exit code {code}"]
    wrong += [f"{mistake.what}: does not say {word!r}" for word in mistake.words if word not in text]
    return wrong + [f"{mistake.what}: {word}" for word in ("Traceback", PASSWORD, "wr0ng") if word in text]


def full_disk(lab: Lab) -> list[str]:
    """A worker whose cache is full in the midst of a sweep, and another that goes on; what is wrong."""
    lab.start("none", "run", "smoke", "--name", "d", "--launcher", "none", *OPTIONS)
    assert lab.wait("none") == 0, lab.said("none")
    os.environ.update(lab.environment)
    folder = lab.folder / "tiny"
    folder.mkdir()
    text = run_mounted(SMALL_DISK, folder, WORKER, folder, "d", cwd=ROOT)
    print(f"--- a full disk on one worker\n{text.strip().splitlines()[-1]}", flush=True)
    wrong = judge(Mistake("a full disk", (), ("The disk, or a quota or limit, is full",)), 2, text)
    lab.start("sound", "worker", "d")
    assert lab.wait("sound") == 0, lab.said("sound")
    lab.start("again", "run", "smoke", "--name", "d", "--launcher", "none", *OPTIONS)  # closes what workers finished
    assert lab.wait("again") == 0, lab.said("again")
    renamed = json.loads(json.dumps(lab.report("d")).replace('"sweep": "d"', f'"sweep": "{SWEEP}"'))
    same = comparable(renamed) == comparable(lab.report())
    return wrong + ([] if same else ["a full disk: the sweep that another worker finished has other numbers"])


def main() -> int:
    """Try them all; 1 where one is not told rightly."""
    folder = Path(tempfile.mkdtemp(prefix="wrong-lab-"))
    wrong: list[str] = []
    with (
        open_lab(folder) as lab,
        mlflow_server(
            folder / "hoarding",
            f"sqlite:///{folder}/hoarding.db",
            "--no-serve-artifacts",
            "--default-artifact-root",
            "kept",
        ) as hoarding,
    ):
        lab.start("first", "run", "smoke", "--name", SWEEP, "--workers", "1", *OPTIONS)
        assert lab.wait("first") == 0, lab.said("first")
        before = json.dumps(lab.report())
        for mistake in mistakes(lab, hoarding.address):
            mistake.around(lab)
            place = folder / "places" / mistake.what
            place.mkdir(parents=True)
            code, text = said(lab, mistake, place)
            mistake.afterwards(lab)
            print(f"--- {mistake.what} (exit code {code})\n{text.strip().splitlines()[-1]}", flush=True)
            wrong += judge(mistake, code, text)
        wrong += full_disk(lab)
        wrong += [] if json.dumps(lab.report()) == before else ["the sweep that was there is not as it was"]
    print("\n".join(f"WRONG: {one}" for one in wrong) or "all of them are told rightly, and the sweep is as it was")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
