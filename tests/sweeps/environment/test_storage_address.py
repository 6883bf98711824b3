"""The address of a shared storage: where it may stand, and that a secret in it leaves the arguments at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.environment import storage_address
from sweeps.environment.home import Home
from sweeps.environment.storage_address import VARIABLE, hide_storage, resolve_storage, without_storage
from tests.component import needs_driver
from trainer.errors import UserError

ADDRESS = "postgresql+psycopg://ann:hush/hush@db.lab:5432/thaw"


@pytest.mark.parametrize(
    ("option", "variable", "wanted"),
    [
        (None, None, None),
        (None, "", ""),
        pytest.param(None, ADDRESS, ADDRESS, marks=needs_driver),
        pytest.param(ADDRESS, "postgresql+psycopg://other/thaw", ADDRESS, marks=needs_driver),
        pytest.param("postgresql://ann:p@h/d", None, "postgresql+psycopg://ann:p@h/d", marks=needs_driver),
        pytest.param("postgres://h/d", None, "postgresql+psycopg://h/d", marks=needs_driver),
        pytest.param("storage.txt", None, ADDRESS, marks=needs_driver),
        pytest.param(None, "storage.txt", ADDRESS, marks=needs_driver),
    ],
)
def test_the_address_ends_in_the_environment(
    option: str | None, variable: str | None, wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    private_file(tmp_path / "storage.txt", f"{ADDRESS}\n")
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    resolve_storage(option)
    assert os.environ.get(VARIABLE) == wanted


def private_file(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


@pytest.mark.parametrize(
    ("option", "text", "mode", "words"),
    [
        ("", None, 0o600, "must be the address of a PostgreSQL database"),
        ("sqlite:////tmp/hush.db", None, 0o600, "must be the address of a PostgreSQL database"),
        ("mysql://ann:hush@h/d", None, 0o600, r"got 'mysql://\*\*\*@h/d'"),
        ("postgresql://", None, 0o600, "must be the address"),
        ("postgresql://ann:hu@sh@h/d", None, 0o600, r"must be written with %40 for @,.*://\*\*\*@h/d"),
        ("missing.txt", None, 0o600, "cannot be read: No such file"),
        ("storage.txt", ADDRESS, 0o640, "its mode is 640. Run: chmod 600 storage.txt"),
        ("storage.txt", ADDRESS, 0o604, "only you may be able to read it"),
        ("storage.txt", "", 0o600, "must hold one address and nothing else"),
        ("storage.txt", f"{ADDRESS}\n{ADDRESS}", 0o600, "must hold one address"),
        ("storage.txt", ADDRESS + "x" * 5000, 0o600, "must hold one address"),
        ("storage.txt", "ann:hush", 0o600, "but got 'storage.txt'"),
        ("storage.txt", "mysql://ann:hush@h/d", 0o600, "but got 'storage.txt'"),
        (".", None, 0o600, "cannot be read: Is a directory"),
    ],
)
def test_what_is_no_address_is_refused_without_its_secret(
    option: str, text: str | None, mode: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        private_file(tmp_path / "storage.txt", text, mode)
    with pytest.raises(UserError, match=words) as refused:
        resolve_storage(option)
    assert "hush" not in str(refused.value) or "sqlite" in option
    assert VARIABLE not in os.environ


@needs_driver
def test_every_command_finds_the_address_in_the_file_that_the_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private_file(tmp_path / "storage.txt", ADDRESS)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "storage.txt"))
    assert Home(tmp_path).storage_url == Home(tmp_path).shared_storage == os.environ[VARIABLE] == ADDRESS


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ADDRESS)
    monkeypatch.setattr(storage_address, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="make setup EXTRAS=postgresql"):
        resolve_storage(None)


@pytest.mark.parametrize(
    ("words", "kept", "address"),
    [
        (["run", "smoke"], ["run", "smoke"], None),
        (["run", "--storage", "a", "smoke"], ["run", "smoke"], "a"),
        (["run", "--storage=a=b", "smoke"], ["run", "smoke"], "a=b"),
        (["--storage", "a", "--storage=b"], [], "b"),
        (["run", "--", "--storage", "a"], ["run", "--", "--storage", "a"], None),
        (["run", "--storage"], ["run", "--storage"], None),
        (["run", "--storages", "a"], ["run", "--storages", "a"], None),
    ],
)
def test_without_storage(words: list[str], kept: list[str], address: str | None) -> None:
    assert without_storage(words) == (kept, address)


def test_another_program_s_arguments_stay_and_only_a_secret_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    given = ["thaw", "run", "--storage", "storage.txt"]
    hide_storage(given)
    assert given == ["thaw", "run", "--storage", "storage.txt"] and VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, "before")
    given = ["thaw", "run", "--storage", ADDRESS, "smoke"]
    hide_storage(given)
    assert given == ["thaw", "run", "smoke"] and os.environ[VARIABLE] == ADDRESS


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows what ps shows")
def test_the_process_begins_anew_without_the_secret() -> None:
    code = (
        "import os, sys; from sweeps.environment.storage_address import hide_storage; hide_storage(sys.argv);"
        "print(sys.argv[1:], os.environ['THAW_STORAGE'], flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, "run", "--storage", ADDRESS, "it's"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"['run', \"it's\"] {ADDRESS}\n"
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode().split("\0")
        process.communicate()
    assert shown[-3:] == ["run", "it's", ""] and "hush" not in " ".join(shown)
