"""`thaw best`: what it prints and writes."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sweeps.commands.best import SHOWN, best, check_format, show, write_files
from tests.tracking.best_mask.test_answer import level, sample
from tests.tracking.made_up import subset_record
from tracking.record import SweepRecord
from trainer.errors import UserError

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def searched() -> SweepRecord:
    return subset_record(sample(38), level, strategy="tpe")


def shown(record: SweepRecord) -> str:
    output = io.StringIO()
    show(best(record), Console(file=output, width=110))
    return output.getvalue()


def test_all_parts_are_printed(searched: SweepRecord) -> None:
    text = shown(searched)
    assert text.startswith("SYNTHETIC DATA") and text.splitlines()[1] == best(searched).sentence
    for words in (
        "One-standard-error choice: ",
        "Smoothed over similar sets",
        "what ties with it, cheapest first",
        "Nothing as cheap in parameters",
        "Nothing as cheap in seconds",
        "What each block does",
        "Effect of a block",
        "fANOVA",
        "Not told apart",
        "Corrected for the search",
    ):
        assert words in text


def test_long_lists_are_capped() -> None:
    record = subset_record(sample(60), lambda _: 0.5)
    answer = best(record)
    text, tied = shown(record), answer.tied
    assert f"and {len(tied) - SHOWN} more: --format json" in text
    assert len(text.splitlines()) < 90
    ties = text[text.index("what ties with it") : text.index("Nothing as cheap")]
    assert f"│ {answer.best.mask} " in ties, "the best is left out"


def test_masks_that_never_vary_have_no_effects() -> None:
    text = shown(subset_record([(1,), (2,)], lambda blocks: 0.5 + 0.1 * (1 in blocks)))
    assert "No block effects" in text and "fANOVA needs 20 trials" in text and "Smoothed" not in text


def test_files_are_the_answer_and_its_images(searched: SweepRecord, tmp_path: Path) -> None:
    written = write_files(best(searched), searched.info, tmp_path / "out")
    assert sorted(path.suffix for path in written) == [".json", *[".png"] * 3, *[".svg"] * 3, ".txt"]
    read = json.loads((tmp_path / "out" / "answer.json").read_text())
    assert read["sentence"] == best(searched).sentence and len(read["importance"]["shares"]) == 9
    printed = (tmp_path / "out" / "answer.txt").read_text()
    assert best(searched).sentence in printed and "What each block does" in printed


def test_a_search_that_has_hardly_begun_says_so(searched: SweepRecord) -> None:
    begun = replace(searched, trials=searched.trials[:1])
    with pytest.raises(UserError, match="two or more finished ones"):
        best(begun)


def test_formats() -> None:
    assert [check_format(form) for form in ("text", "json")] == ["text", "json"]
    with pytest.raises(UserError, match=r"--format must be one of text, json, but got 'html'\."):
        check_format("html")


@pytest.mark.parametrize(("form", "words"), [("text", "cheapest first"), ("json", '"sentence"')])
def test_the_command(thaw_here: Thaw, smoke_home: Path, form: str, words: str) -> None:
    done = thaw_here("best", "--format", form, "--home", smoke_home)
    assert done.returncode == 0 and done.stderr == "" and words in done.stdout, done.stderr
    if form == "json":
        assert json.loads(done.stdout)["synthetic"] is True
