"""The whole yardstick on its small profile, and the names of contenders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.yardstick.contenders import contender
from tests.benchmarks.yardstick.profiles import ROOT


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("a+", "the same, one training for each mask, scored at every epoch count"),
        ("b1", "thaw, 1 worker"),
        ("b12", "thaw, 12 workers"),
        ("before:b2", "thaw of before, 2 workers"),
    ],
)
def test_contenders_have_names(name: str, about: str) -> None:
    assert contender(name, {"before": Path("elsewhere")}).about == about


@pytest.mark.parametrize("name", ["c", "b", "b0", "bx", "after:b2", "before:a"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(SystemExit, match="Contenders are"):
        contender(name, {"before": Path("elsewhere")})


@pytest.mark.slow
def test_the_loop_and_thaw_do_the_same_task(tmp_path: Path) -> None:
    out = tmp_path / "numbers.json"
    options = ["--profile", "quick", "--only", "a+,b1,kinds", "--folder", str(tmp_path), "--json", str(out)]
    subprocess.run([sys.executable, "-m", "tests.benchmarks.yardstick", *options], cwd=ROOT, check=True)
    table = json.loads(out.read_text())
    loop, thaw = ({(mask, epochs) for mask, epochs, _ in table["contenders"][name][0]["dice"]} for name in ("a+", "b1"))
    assert loop == thaw and len(thaw) == 3 * 2
    assert {"imports", "training steps", "tracing, compiling"} <= table["kinds"][0]["crew"].keys()
    against_thaw, by_chance = table["agreement"]
    assert against_thaw["absolute"] < 3 * by_chance["absolute"] + 0.05
