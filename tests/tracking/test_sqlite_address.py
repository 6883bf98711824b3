"""Addresses of SQLite: what SQLAlchemy, which MLflow and Optuna ask, reads out of them is the path itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tracking.sqlite_address import address_of, file_of

NAMES = [
    "plain",
    "a b",
    "why?",
    "why?mode=ro&cache=shared",
    "a#b",
    "%41",
    "100%",
    "a&b;c",
    "'\"`",
    "[1] {x} $HOME ~ !*",
    "ann@host:5432",
    "file:x",
    ":memory:",
    "back\\slash",
    "a+b=c,d",
    "-home",
    "Mu\u0308ller",
    "M\u00fcller",
    "\u5fc3 \U0001f9e1",
    "two\nlines",
    "x" * 200,
]


@pytest.mark.parametrize("name", NAMES)
def test_any_path_comes_back(name: str) -> None:
    path = Path("/home") / name / "mlflow.db"
    address = address_of(path)
    assert make_url(address).database == str(path) and not make_url(address).query
    assert file_of(address) == path


def test_the_file_is_made_there_and_nothing_beside_it(tmp_path: Path) -> None:
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir()
        engine = create_engine(address_of(folder / "x.db"))
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (x)"))
        engine.dispose()
        assert (folder / "x.db").stat().st_size
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:////a b/mlflow.db", Path("/a b/mlflow.db")),
        ("sqlite:////a%20b/mlflow.db", Path("/a b/mlflow.db")),
        ("sqlite:///mlflow.db", Path("mlflow.db")),
        ("sqlite:///:memory:", None),
        ("sqlite:///", None),
        ("sqlite:////a/mlflow.db?timeout=5", None),
        ("postgresql://host/db", None),
        ("http://127.0.0.1:5000", None),
    ],
)
def test_the_file_behind_an_address(uri: str, file: Path | None) -> None:
    assert file_of(uri) == file
