"""The script of a SLURM array: what was asked for stands in it, addresses do not, and sbatch reads every line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.run.launchers.sbatch_script import NEEDED, elements, output_pattern, parse_options, script
from trainer.errors import UserError


def directives(text: str) -> dict[str, str]:
    """The options of a script, as sbatch reads them."""
    lines = [line.removeprefix("#SBATCH --") for line in text.splitlines() if line.startswith("#SBATCH ")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_an_array_of_workers_that_is_told_before_it_ends_and_begins_again() -> None:
    text = script("my sweep/%A", 40, 2, {}, ["-m", "sweeps.cli", "worker", "my sweep"])
    assert directives(text) == {
        "job-name": "thaw-my-sweep-A",
        "array": "1-40",
        "cpus-per-task": "1",
        "gres": "gpu:2",
        "requeue": "",
        "open-mode": "append",
        "output": "thaw-my-sweep-A-%A_%a.log",
        "signal": "B:TERM@60",
    }
    assert text.splitlines()[-1] == f"exec {sys.executable} -m sweeps.cli worker 'my sweep'"
    assert output_pattern("s") == "thaw-s-%A_%a.log"


def test_options_of_the_user_replace_ours_and_are_added() -> None:
    options = parse_options(["time=08:00:00", "array=1-9%3", "comment=two words", "--exclusive", "signal=B:TERM@120"])
    found = directives(script("s", 9, 0, options, []))
    assert found["array"] == "1-9%3" and found["signal"] == "B:TERM@120" and found["comment"] == '"two words"'
    assert found["time"] == "08:00:00" and found["exclusive"] == "" and "gres" not in found


@pytest.mark.parametrize("option", ["", "=8", "Time=8", "-p=gpu", "time=8\n#SBATCH --uid=0", 'comment="'])
def test_what_is_no_option_of_sbatch_is_refused(option: str) -> None:
    with pytest.raises(UserError, match="long name"):
        parse_options([option])


@pytest.mark.parametrize("array", ["", "a", "1-", "1-4%2%3x,"])
def test_what_is_no_array_is_refused(array: str) -> None:
    with pytest.raises(UserError, match="numbers and ranges"):
        elements(array)


@pytest.mark.parametrize("absent", NEEDED)
def test_without_an_address_the_job_says_which_is_missing(tmp_path: Path, absent: str) -> None:
    path = tmp_path / "script.sh"
    path.write_text(script("s", 1, 0, {}, ["-c", "print('trained')"]))
    given = {name: "somewhere" for name in NEEDED if name != absent}
    done = subprocess.run(["/bin/sh", path], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and f"{absent}: must be set where the job is submitted" in done.stderr
    done = subprocess.run(["/bin/sh", path], env=given | {absent: "x"}, capture_output=True, text=True, check=False)
    assert done.stdout == "trained\n"
