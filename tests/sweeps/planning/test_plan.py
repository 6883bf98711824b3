"""A plan comes back as it was written, from homes of before too."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.planning.plan import Plan, read_plan, write_plan
from sweeps.planning.resolve import resolve
from sweeps.spec.load import load_spec
from trainer.errors import UserError

RESOLVED = resolve(load_spec("search-ultrasound", sets=["search.max_blocks=3"]), range(1, 10), 5, (("norm", (8, 9)),))
PLAN = Plan("s", RESOLVED, "digest", (0, 1, 0), "data", "/weights.h5", "weights", "run", 1e9)


@pytest.mark.parametrize("deadline", [1e9, math.inf])
def test_a_plan_comes_back(tmp_path: Path, deadline: float) -> None:
    plan = replace(PLAN, deadline=deadline)
    write_plan(Home(tmp_path), plan)
    assert read_plan(Home(tmp_path), "s") == plan


def test_the_deadline_had_another_name_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_plan(home, PLAN)
    table = json.loads(home.plan("s").read_text())
    table["until"] = table.pop("deadline")
    home.plan("s").write_text(json.dumps(table))
    assert read_plan(home, "s") == PLAN


def test_no_plan(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no plan of a sweep 's' in .*thaw run"):
        read_plan(Home(tmp_path), "s")
