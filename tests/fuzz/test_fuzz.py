"""The first cases of every kind, and that the judge sees what it looks for; 10,000 cases: `python -m tests.fuzz`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fuzz import judging, without_thaw
from tests.fuzz.judging import Kind, Trial, Verdict, judged
from tests.fuzz.picture_files import png_chunks, png_of, written
from tests.fuzz.pictures import shades
from tests.fuzz.shelf import KINDS, schedule
from trainer.errors import UserError

SEED, PER_KIND = 7, 6


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.fast], ids=lambda kind: kind.name)
def test_mangled_inputs_are_read_rightly_or_refused(kind: Kind) -> None:
    failed = [one for one in (judged(kind, SEED, number) for number in range(PER_KIND)) if one.verdict == "FAILED"]
    assert not failed, "\n".join(one.why for one in failed)


def test_cases_of_a_seed_are_the_same_every_time() -> None:
    first, second = (
        [re.sub("thaw-fuzz-[^/]*", "", judged(kind, 3, 1).why) for kind in KINDS if kind.name in ("patterns", "plan")]
        for _ in range(2)
    )
    assert first == second


def test_every_kind_has_its_share_of_the_schedule() -> None:
    kinds = schedule()
    assert {kind.name: kinds.count(kind) for kind in KINDS} == {kind.name: kind.share for kind in KINDS}


def refuses() -> Any:
    raise UserError("A mask is white in the object, but this one is not. Draw it again.")


def raises() -> Any:
    raise KeyError("a bug")


def hangs() -> Any:
    time.sleep(5)


@pytest.mark.parametrize(
    ("read", "verdict"),
    [
        (lambda: {"grey": np.zeros(3)}, "same"),
        (lambda: {"grey": np.ones(3)}, "other"),
        (lambda: {"grey": np.full(3, 0.5)}, "FAILED"),
        (lambda: {"grey": np.zeros(4)}, "FAILED"),
        (lambda: {}, "FAILED"),
        (refuses, "refused"),
        (raises, "FAILED"),
        (hangs, "FAILED"),
    ],
    ids=["as before", "as without thaw", "other values", "other shape", "nothing", "a refusal", "a bug", "a hang"],
)
def test_a_case_is_judged(read: Callable[[], Any], verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "SECONDS", 0.2)
    trial = Trial("nothing", read, lambda: {"grey": np.zeros(3)}, lambda: {"grey": np.ones(3)})
    assert judged(Kind("made up", 1, lambda rng, folder: trial), 0, 0).verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(False, "FAILED"), (True, "unanswered")])
def test_a_reading_without_thaw_that_has_no_answer_is_counted(free: bool, verdict: Verdict) -> None:
    trial = Trial("nothing", lambda: {"grey": np.ones(3)}, lambda: {"grey": np.zeros(3)}, lambda: None, free=free)
    assert judged(Kind("made up", 1, lambda rng, folder: trial), 0, 0).verdict == verdict


@pytest.mark.parametrize(
    ("name", "writes", "said"),
    [(".x.png.0123456789ab", True, "half-written"), ("x.png", False, "changed the input"), ("x.png", True, "")],
)
def test_files_that_are_left_are_seen(name: str, writes: bool, said: str) -> None:
    def draw(rng: np.random.Generator, folder: Path) -> Trial:
        return Trial("a file", lambda: {"length": (folder / name).write_bytes(b"")}, writes=writes)

    found = judged(Kind("made up", 1, draw), 0, 0)
    assert (found.verdict == "FAILED") == bool(said) and said in found.why


def test_a_bad_check_sum_is_seen_without_thaw(tmp_path: Path) -> None:
    data = written(shades(1), ".png", "L")
    path = tmp_path / "x.png"
    path.write_bytes(png_of(png_chunks(data)))
    grey = without_thaw.grey_of(path)
    assert grey is not None and np.allclose(grey, shades(1) / 255)
    path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    assert without_thaw.grey_of(path) is None
