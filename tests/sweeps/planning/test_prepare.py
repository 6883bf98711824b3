"""What is fixed before the first trial: images and folds."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.prepare import read_cases
from sweeps.spec.load import load_spec
from tests.small import SMALL
from trainer.errors import UserError


def test_every_image_validates_once_and_its_notes_are_said(tmp_path: Path) -> None:
    output = io.StringIO()
    spec = load_spec("smoke", sets=SMALL)
    cases, fold_of = read_cases(spec, Home(tmp_path), Board(Console(file=output, width=200)))
    assert Counter(fold_of) == {0: 4, 1: 4} and len(cases) == 8
    assert "Note: synthetic data" in output.getvalue()
    assert read_cases(spec, Home(tmp_path), Board(Console(quiet=True)))[1] == fold_of


@pytest.mark.parametrize("total", [8, 9])
def test_a_leaky_order_needs_something_to_augment(tmp_path: Path, total: int) -> None:
    sets = [*SMALL, "augmentation.order=leaky", f"augmentation.total={total}"]
    spec, board = load_spec("smoke", sets=sets), Board(Console(quiet=True))
    if total > 8:
        assert len(read_cases(spec, Home(tmp_path), board)[0]) == 8
        return
    with pytest.raises(UserError, match="8 images in total leave nothing to augment of 8"):
        read_cases(spec, Home(tmp_path), board)
