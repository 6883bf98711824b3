"""`thaw doctor`: what it prints, and its exit code."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sweeps.commands.doctor import run_doctor
from sweeps.environment.home import write_format
from sweeps.environment.terminal import Board

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one damaged network, and artifacts that no database knows."""
    write_format(tmp_path)
    for name in ("networks/0123456789abcdef.keras", f"artifacts/demo/{'0' * 32}/artifacts/scores.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"[red]")
    return tmp_path


def test_dry_by_default_then_mended_as_far_as_is_safe(thaw_here: Thaw, home: Path) -> None:
    dry = thaw_here("doctor", "--home", home)
    assert dry.returncode == 3 and dry.stderr == "" and (home / "networks/0123456789abcdef.keras").exists()
    for words in (
        f"damaged file: {home}/networks/0123456789abcdef.keras; the network in it is not the one",
        "--fix: remove it",
        "you: delete it yourself (0.0 MB)",
        "2 findings, 1 of them repaired by --fix. Nothing was changed.",
        "networks of your own: 1; 0.0 MB",
    ):
        assert words in dry.stdout
    fixed = thaw_here("doctor", "--home", home, "--fix")
    assert fixed.returncode == 3 and not (home / "networks/0123456789abcdef.keras").exists()
    assert "Repaired: damaged file" in fixed.stdout and "1 finding repaired, 1 left." in fixed.stdout
    (home / f"artifacts/demo/{'0' * 32}/artifacts/scores.json").unlink()
    (home / f"artifacts/demo/{'0' * 32}/artifacts").rmdir()
    (home / f"artifacts/demo/{'0' * 32}").rmdir()
    sound = thaw_here("doctor", "--home", home)
    assert sound.returncode == 0 and "Nothing is wrong." in sound.stdout


def test_no_home_is_said(thaw_here: Thaw, tmp_path: Path) -> None:
    done = thaw_here("doctor", "--home", tmp_path / "none")
    assert done.returncode == 2 and "There is no home of thaw in" in done.stderr and not (tmp_path / "none").exists()


def test_on_a_terminal_it_is_a_table(home: Path) -> None:
    console = Console(force_terminal=True, width=300, record=True, color_system=None)
    assert not run_doctor(home, Board(console), fix=False)
    text = console.export_text()
    assert "what repairs it" in text and "disk use" in text and "damaged file " in text
