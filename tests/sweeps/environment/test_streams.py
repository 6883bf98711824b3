"""Standard streams of every encoding, closed ones, and readers that leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = "0.71 ± 0.02 − 3 · 4 – 5 … 心 \udcfc"
BEGIN = "from sweeps.environment.streams import prepare_streams, write_data\nprepare_streams()\n"
SAY = f"{BEGIN}from sweeps.environment.terminal import complain, tell\ntell({TEXT!a})\ncomplain({TEXT!a})\n"


def python(code: str, environment: dict[str, str], stdout: int = subprocess.PIPE) -> bytes:
    """What a Python process of its own says on both streams; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, stdout=stdout, stderr=subprocess.PIPE
    )
    assert done.returncode == 0, done.stderr
    return (done.stdout or b"") + done.stderr


@pytest.mark.parametrize(
    ("environment", "encoding", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "ascii", "0.71 +- 0.02 - 3 . 4 - 5 ... ? ?"),
        ({"PYTHONIOENCODING": "ascii:strict"}, "ascii", "0.71 +- 0.02 - 3 . 4 - 5 ... ? ?"),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1", "0.71 ± 0.02 - 3 · 4 - 5 ... ? ?"),
        ({"PYTHONIOENCODING": "cp1252"}, "cp1252", "0.71 ± 0.02 - 3 · 4 – 5 … ? ?"),
        ({"PYTHONIOENCODING": "utf-8"}, "utf-8", "0.71 ± 0.02 − 3 · 4 – 5 … 心 ?"),
        (
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            "ascii",
            "0.71 +- 0.02 - 3 . 4 - 5 ... ? ?",
        ),
        ({"LC_ALL": "xx_YY.nonsense", "PYTHONUTF8": "1"}, "utf-8", "0.71 ± 0.02 − 3 · 4 – 5 … 心 ?"),
    ],
)
def test_what_an_encoding_does_not_have_is_replaced(environment: dict[str, str], encoding: str, shown: str) -> None:
    assert python(SAY, environment).decode(encoding).splitlines() == [shown, shown]


def test_data_stay_exact_whatever_the_terminal_shows() -> None:
    said = python(
        f"{BEGIN}import json\nwrite_data(json.dumps('心 ± −', ensure_ascii=False))", {"PYTHONIOENCODING": "ascii"}
    )
    assert json.loads(said.decode("utf-8")) == "心 ± −"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_file_of_somebody_else(tmp_path: Path, closed: str) -> None:
    code = f"{SAY}write_data('x')\nfile = open({str(tmp_path / 'database')!r}, 'w')\nassert file.fileno() > 2\n{SAY}"
    command = ["/bin/sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert (done.returncode, (tmp_path / "database").read_text()) == (0, ""), done.stderr


@pytest.mark.parametrize("say", ["tell('line')", "write_data('line\\n')"])
def test_work_goes_on_when_its_reader_has_left(tmp_path: Path, say: str) -> None:
    code = f"{SAY}for _ in range(20_000): {say}\nopen({str(tmp_path / 'done')!r}, 'w').close()"
    reader = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    said = python(code, {"PYTHONIOENCODING": "utf-8"}, stdout=reader.stdin.fileno())
    assert (tmp_path / "done").exists() and b"BrokenPipe" not in said
    reader.communicate()
