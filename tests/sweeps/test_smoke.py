"""`thaw run smoke` as a user starts it in a log: its lines in order, and numbers that mean something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Thaw

ORDER = [
    r"Looking at the network \.\.\.",
    r"Looking at the network: done in ",
    r"Reading images \.\.\.",
    r"Reading images: done in ",
    r"Preparing the starting weights \.\.\.",
    r"Preparing the starting weights: done in ",
    r"smoke-phantoms-\w+: 9 of 9 trials to run, 1 workers\.",
    r".* 10 epochs .*: Dice 0\.\d+ \(1 of 9 trials, about .* left\)",
    r".*: Dice 0\.\d+ \(8 of 9 trials\)",
    r".*: Dice 0\.\d+ \(9 of 9 trials\)",
    r"Workers: done in ",
    r"Writing the report \.\.\.",
    r"Writing the report: done in ",
    r"SYNTHETIC DATA: no claim about real images",
    r"1-5 \(contracting\) .* 0\.[1-9]",
    r".*expanding \(6-9, 0\.[1-9]",
    r"Report: .*report\.html",
]


def test_the_smallest_sweep_tells_its_stages_and_trials_in_order(smoke_home: Path) -> None:
    output = (smoke_home / "said.txt").read_text()
    small = [line for line in ORDER if "0\\.[1-9]" not in line and "10 epochs" not in line]
    assert in_order(small, output), output


@pytest.mark.slow
def test_smoke_ends_with_numbers_that_mean_something(thaw: Thaw, tmp_path: Path) -> None:
    done = thaw("run", "smoke", "--home", tmp_path, "--workers", 1)
    assert done.returncode == 0 and in_order(ORDER, done.stdout), done.stdout
    assert "No verdict" not in done.stdout and "Synthetic data: no claim about real images" in done.stdout


def in_order(patterns: list[str], text: str) -> bool:
    """Whether lines that begin like the patterns stand in `text` in this order."""
    lines = iter(text.splitlines())
    return all(any(re.match(pattern, line) for line in lines) for pattern in patterns)


@pytest.mark.parametrize(("text", "right"), [("a\nb\nc", True), ("b\na", False), ("a", False)])
def test_the_order_can_be_wrong(text: str, right: bool) -> None:
    assert in_order(["a", "b"], text) == right
