"""What the shell offers at the tab key, asked as bash asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.completion import completer_of, spec_names, sweep_names

ROOT = Path(__file__).parents[2]


def offered(words: str, home: Path) -> list[str]:
    asked = {"_THAW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    code = "import sys; sys.argv = ['thaw']; from sweeps.cli import main; main()"
    environment = os.environ | asked | {"THAW_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("thaw ru", ["run"]),
        ("thaw data ch", ["check"]),
        ("thaw run sea", ["search-ultrasound"]),
        ("thaw run paper", ["paper-ultrasound", "paper-xray"]),
        ("thaw run my-sweep", []),  # the shell then offers files
        ("thaw report ma", ["mammography"]),
        ("thaw report mammography m", ["mammography"]),
        ("thaw report --format ", ["csv", "html", "json", "markdown", "methods"]),
        ("thaw masks --unit c", ["conv"]),
        ("thaw run ultrasound --max-h", ["--max-hours"]),
    ],
)
def test_the_shell_completes_commands_options_specs_sweeps_and_formats(
    words: str, answer: list[str], tmp_path: Path
) -> None:
    plan = tmp_path / "sweeps" / "mammography" / "plan.json"
    plan.parent.mkdir(parents=True)
    plan.touch()
    assert offered(words, tmp_path) == answer


def test_names_are_offered_by_their_beginning_and_sorted(tmp_path: Path) -> None:
    assert (
        spec_names("smo") == ["smoke"]
        and completer_of("b", "a")("") == ["a", "b"]
        and completer_of("b", "a")("c") == []
    )
    assert sweep_names(tmp_path / "no-home", "") == []
