"""The script that SLURM runs for each worker: options as directives, then one worker in place of the shell."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence

from trainer.errors import UserError

NEEDED = ("THAW_STORAGE", "MLFLOW_TRACKING_URI")  # passed on by sbatch, and never written down
RANGE = r"(\d+)(?:-(\d+)(?::([1-9]\d*))?)?"
STOP_SECONDS = 60  # before the time limit; SLURM may be a minute early


def parse_options(options: Sequence[str]) -> dict[str, str]:
    """`time=08:00:00` or `exclusive`, as they were given, by name. Raises `UserError` for what sbatch could not read.

    >>> parse_options(["time=08:00:00", "--exclusive"])
    {'time': '08:00:00', 'exclusive': ''}
    """
    parsed: dict[str, str] = {}
    for option in options:
        name, _, value = option.removeprefix("--").partition("=")
        if not re.fullmatch(r"[a-z][a-z0-9-]+", name) or not value.isprintable() or '"' in value:
            raise UserError(
                f"--slurm takes an option of sbatch by its long name, as --slurm time=08:00:00, but got {option!r}."
            )
        parsed[name] = value
    return parsed


def elements(array: str) -> int:
    """How many elements an array has, as sbatch counts. Raises `UserError` for what is no array.

    >>> elements("1-40%8"), elements("0,3,10-20:5")
    (40, 5)
    """
    if not re.fullmatch(rf"{RANGE}(?:,{RANGE})*(?:%\d+)?", array):
        raise UserError(f"--slurm array={array} must be numbers and ranges, as array=1-40%8.")
    count = 0
    for first, last, step in re.findall(RANGE, array.partition("%")[0]):
        count += len(range(int(first), int(last or first) + 1, int(step or 1)))
    return count


def output_pattern(sweep: str) -> str:
    """Where each element writes to, in the folder that the array was submitted in; %A and %a as sbatch reads them."""
    return f"thaw-{_slug(sweep)}-%A_%a.log"


def script(sweep: str, workers: int, gpus: int, options: Mapping[str, str], arguments: Sequence[str]) -> str:
    """The script of `workers` workers with `gpus` GPUs each; `options` replace or add to what thaw asks for.

    It holds no address: database and MLflow server are variables, which sbatch hands on.
    """
    directives = {
        "job-name": f"thaw-{_slug(sweep)}",
        "array": f"1-{workers}",
        "cpus-per-task": "1",
        **({"gres": f"gpu:{gpus}"} if gpus else {}),
        "requeue": "",
        "open-mode": "append",
        "output": output_pattern(sweep),
        "signal": f"B:TERM@{STOP_SECONDS}",
        **options,
    }
    lines = [f"#SBATCH --{name}{f'={_quoted(value)}' if value else ''}" for name, value in directives.items()]
    checks = [f': "${{{name}:?must be set where the job is submitted}}"' for name in NEEDED]
    # exec: the worker takes the shell's place, so SLURM's signal before the time limit reaches it.
    return "\n".join(["#!/bin/sh", *lines, *checks, f"exec {shlex.join([sys.executable, *arguments])}", ""])


def _quoted(value: str) -> str:
    """A value as sbatch reads it in a directive."""
    return f'"{value}"' if re.search(r"[\s#']", value) else value


def _slug(sweep: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", sweep)
