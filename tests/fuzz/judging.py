"""One mutated input, read by thaw under a time limit and judged: the same as before, another reading, or a refusal."""

from __future__ import annotations

import faulthandler
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from trainer.errors import UserError

SECONDS = 30.0  # a case that takes longer hangs; thaw's own part of most takes milliseconds
UNFINISHED = re.compile(r"\.building-|^\..*\.[0-9a-f]{12}$|\.tmp$|\.part$")  # names of files that are being written

Reading = Mapping[str, Any]
Verdict = Literal["same", "refused", "other", "read", "unanswered", "FAILED"]
VERDICTS: tuple[Verdict, ...] = ("same", "refused", "other", "read", "unanswered", "FAILED")


@dataclass(frozen=True)
class Trial:
    """A mutated input in a folder of its own.

    `what`: what was done to it, in words. `read`: what thaw makes of it. `same`: what thaw has to make of the input
    before it was mutated, known without thaw or, if `None`, by nobody. `other`: what the mutated input holds by a
    reading that is not thaw's; empty where there is none, `None` as an answer where it cannot be read. `free`: another
    reading is no fault, because nothing can tell it from a right one (such cases are counted as `read`, and as
    `unanswered` where `other` has no answer). `writes`: the command may change what lies in the folder.
    """

    what: str
    read: Callable[[], Reading]
    same: Callable[[], Reading] | None = None
    other: Callable[[], Reading | None] | None = None
    free: bool = False
    writes: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of input: its name, how often it is drawn, and how one is drawn into a folder.

    `fast`: a few cases of it take no second, libraries included.
    """

    name: str
    share: int
    draw: Callable[[Generator, Path], Trial]
    fast: bool = True


@dataclass(frozen=True)
class Judged:
    """What became of a case; `why` says what was done to the input and, where it failed, what is wrong."""

    kind: str
    number: int
    verdict: Verdict
    seconds: float
    why: str = ""


class TooLong(BaseException):
    """The time is over. No `Exception`, so that no handler of damaged files takes it for damage."""


def judged(kind: Kind, seed: int, number: int, keep: Path | None = None) -> Judged:
    """Draw a case, let thaw read it, and compare. `keep`: a folder that the mutated input is copied to."""
    with tempfile.TemporaryDirectory(prefix="thaw-fuzz-") as temporary:
        folder, scratch = Path(temporary).resolve() / "case", Path(temporary).resolve() / "tmp"
        folder.mkdir()
        scratch.mkdir()
        trial = kind.draw(np.random.default_rng([seed, number]), folder)
        if keep is not None:
            shutil.copytree(folder, keep, symlinks=True, dirs_exist_ok=True)
        before = listing(folder)
        started, seconds = time.perf_counter(), 0.0
        try:
            with temporary_files_in(scratch), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, on damaged files
                with limited():
                    found = trial.read()
                seconds = time.perf_counter() - started
                with limited():
                    verdict, why = compared(trial, found)
        except UserError as error:
            verdict, why = refusal(str(error))
        except TooLong:
            verdict, why = "FAILED", f"hangs: it takes longer than {SECONDS:g} s"
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            verdict, why = "FAILED", "".join(traceback.format_exception(error, limit=-6)).strip()
        seconds = seconds or time.perf_counter() - started
        if left := litter(folder, scratch, before, trial.writes):
            verdict, why = "FAILED", f"{left}; {why}"
    return Judged(kind.name, number, verdict, seconds, f"{trial.what}: {why}" if why else trial.what)


def refusal(message: str) -> tuple[Verdict, str]:
    """A refusal, if it is one in words: a sentence that can be printed, of a length that can be read."""
    if not 20 <= len(message) <= 100_000 or "Traceback" in message:
        return "FAILED", f"refused in words that nobody can read: {message[:300]!r} ({len(message)} characters)"
    return "refused", message


def compared(trial: Trial, found: Reading) -> tuple[Verdict, str]:
    """What thaw made of a mutated input, beside what it may make of it."""
    wrong = ""
    if trial.same is not None:
        if not (wrong := difference(found, trial.same())):
            return "same", ""
        wrong = f"not as before it was mutated ({wrong})"
    if trial.other is not None:
        other = trial.other()
        if other is None:
            return ("unanswered", "") if trial.free else ("FAILED", f"read, but nothing else can read it; {wrong}")
        if not (different := difference(found, other)):
            return "other", ""
        wrong += f", not as read without thaw ({different})"
    return ("read", wrong) if trial.free or not wrong else ("FAILED", wrong)


def difference(found: Reading, right: Reading) -> str:
    """Where two readings differ, "" if nowhere. Floats may differ by 2/255 at most: roundings of 8-bit luminance."""
    for name in sorted({*found, *right}):
        one, other = found.get(name), right.get(name)
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            if one.shape != other.shape:
                return f"{name}: shape {one.shape} instead of {other.shape}"
            if one.dtype.kind != other.dtype.kind:
                return f"{name}: {one.dtype} instead of {other.dtype}"
            exact = one.dtype.kind not in "fc"
            if not (np.array_equal(one, other) if exact else np.allclose(one, other, rtol=1e-3, atol=2.01 / 255)):
                return f"{name}: other values in {np.mean(~np.isclose(one, other, atol=2.01 / 255)):.0%}"
        elif not same_value(one, other):
            return f"{name}: {str(one)[:120]} instead of {str(other)[:120]}"
    return ""


def same_value(one: Any, other: Any) -> bool:
    """Whether two values that are not both arrays are the same; NaN is NaN."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False
    return bool(one is other or one == other or (one != one and other != other))


@contextmanager
def limited() -> Iterator[None]:
    """Raise `TooLong` in the block after `SECONDS`; what does not even notice ends the process, with its stack."""

    def over(signal_number: int, frame: FrameType | None) -> None:
        raise TooLong

    former = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Temporary files are made in `folder`, so that what is left of them is seen."""
    former, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = former


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and link below `folder`, with its length and time; links are not followed."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root) / name
            stat = path.lstat()
            is_folder = name in folders and not path.is_symlink()
            found[str(path)] = (0, 0) if is_folder else (stat.st_size, stat.st_mtime_ns)
    return found


def litter(folder: Path, scratch: Path, before: dict[str, tuple[int, int]], writes: bool) -> str:
    """What a command left that it should not have left or changed, in words; "" for nothing."""
    after = listing(folder)
    changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
    unfinished = [path for path in (*changed, *listing(scratch)) if UNFINISHED.search(Path(path).name)]
    if unfinished or any(scratch.iterdir()):
        return f"left half-written: {(unfinished or [str(path) for path in scratch.iterdir()])[:3]}"
    return "" if writes or not changed else f"changed the input: {sorted(changed)[:3]}"
