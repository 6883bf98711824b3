"""The project as it is installed: the lock, the Makefile and CI agree with pyproject.toml."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
LOCKS = {path.name: path.read_text() for path in sorted(ROOT.glob("requirements*.lock"))}
MAKEFILE = (ROOT / "Makefile").read_text()
OPTIONAL = PYPROJECT["project"]["optional-dependencies"]
EXTRAS = sorted(OPTIONAL.keys() - {"dev"})
DIRECT = [*PYPROJECT["project"]["dependencies"], *OPTIONAL["dev"]]


def canonical(requirement: str) -> str:
    """Name of a requirement as the lock writes it: `Scikit_Image>=1 # why` is `scikit-image`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", requirement.strip())[0]).lower()


def pinned(lock: str = LOCK) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_registry_and_no_path(name: str) -> None:
    assert not re.search(r"://|^-|\s/|--index|--find-links", LOCKS[name], re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_every_line(name: str) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", LOCKS[name], flags=re.MULTILINE))
    assert len(entries) == len(pinned(LOCKS[name]))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_extra_has_a_lock_and_every_lock_an_extra() -> None:
    assert sorted(LOCKS) == sorted(["requirements.lock", *(f"requirements-{extra}.lock" for extra in EXTRAS)])
    assert re.search(r"^KNOWN_EXTRAS := (.*)$", MAKEFILE, re.MULTILINE)[1].split() == EXTRAS  # type: ignore[index]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_lock_of_an_extra_holds_what_it_adds_and_nothing_else(extra: str) -> None:
    added = pinned(LOCKS[f"requirements-{extra}.lock"])
    assert {canonical(requirement) for requirement in OPTIONAL[extra]} <= added.keys() | pinned().keys()
    assert added and not added.keys() & pinned().keys()


def test_extras_agree_on_what_they_share() -> None:
    held = [package for lock in LOCKS.values() for package in pinned(lock).items()]
    assert len(set(held)) == len(dict(held)) < len(held)


def test_cuda_is_asked_for_where_it_exists() -> None:
    lines = [line for lock in LOCKS.values() for line in lock.splitlines() if re.match("nvidia-|jax-cuda", line)]
    assert lines and [line for line in lines if "sys_platform == 'linux'" not in line] == []


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ("", []),
        ("dashboard", ["requirements-dashboard.lock"]),
        ("dashboard medical", ["requirements-dashboard.lock", "requirements-medical.lock"]),
    ],
)
def test_setup_adds_the_extras_that_are_asked_for(given: str, files: list[str]) -> None:
    renewed = [word for file in files for word in ("-W", file)]  # whether the extra is installed here or not
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "-o", ".venv/.stamp", *renewed, "setup", f"EXTRAS={given}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"pip install .*--require-hashes -r (\S+?);? ", done.stdout) == [
        each for file in files for each in (file, file)
    ]


def test_an_extra_that_does_not_exist_is_refused_with_those_that_do() -> None:
    done = subprocess.run(
        ["make", "-o", ".venv/.stamp", "setup", "EXTRAS=dashbord"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"thaw has no extra 'dashbord'. Extras: {' '.join(EXTRAS)}." in done.stderr


@pytest.mark.parametrize("requirement", DIRECT)
def test_every_dependency_is_in_the_lock(requirement: str) -> None:
    assert canonical(requirement) in pinned()


@pytest.mark.parametrize("requirement", [one for one in DIRECT if "==" in one])
def test_the_lock_holds_the_asked_version(requirement: str) -> None:
    name, version = requirement.split("==")
    assert f"{pinned()[name]}.".startswith(version.rstrip("*"))


def test_each_dependency_says_why() -> None:
    block = re.search(r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    assert [line for line in block[1].splitlines() if not re.search(r'",\s+# \S', line)] == []


def test_make_help_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in shown.stdout.splitlines()} == targets


@pytest.mark.parametrize("spec", ["ultrasound", "xray"])
def test_paths_with_spaces_and_quotes_reach_the_command(tmp_path: Path, spec: str) -> None:
    recorder = tmp_path / "thaw"
    recorder.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    recorder.chmod(0o755)
    given = "my pictures/it's"
    arguments = [f"BIN={tmp_path}", f"DATA={given}", "WORKERS=2", "-o", ".venv/.stamp"]  # -o: take it as up to date
    done = subprocess.run(
        ["make", "--no-print-directory", f"sweep-{spec}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["run", spec, "--data", given, "--workers", "2"]


def test_a_python_the_lock_does_not_hold_is_refused(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    done = subprocess.run(
        ["make", "setup", "PYTHON=/no/such/python"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "thaw needs Python 3.11 or 3.12" in done.stderr
    assert "/no/such/python is not one" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_clean_keeps_the_runs(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for folder in ("runs", ".venv", "sweeps/__pycache__", "trainer", "tracking", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "runs").exists()
    assert not (tmp_path / ".venv").exists() and not (tmp_path / "sweeps" / "__pycache__").exists()


def test_ci_is_executable_and_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = re.findall(r"^make (\S+)", script.read_text(), re.MULTILINE)
    assert commands == ["setup", "lint", "test-slow", "test"]  # each once; `make check` is the last three
    assert re.search(r"^check: lint test-slow test ", MAKEFILE, re.MULTILINE)


def test_all_code_and_the_shipped_specs_are_packaged() -> None:
    setuptools = PYPROJECT["tool"]["setuptools"]
    shipped = setuptools["package-data"]["sweeps"]
    assert shipped == ["spec/*.toml", "environment/keras/*.json"]
    assert all(list((ROOT / "sweeps").glob(pattern)) for pattern in shipped)
    assert setuptools["packages"]["find"]["include"] == ["sweeps*", "trainer*", "tracking*"]
    folders = {path.parent for package in ("sweeps", "trainer", "tracking") for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PYPROJECT["project"]["license"] == "Apache-2.0" and "Version 2.0, January 2004" in text
    assert "Copyright 2026 The thaw authors" in text
