"""The layout, walked through the syntax trees: who may import whom, and where each heavy library lives."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("sweeps", "tracking", "trainer")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Where a library may be imported, as path prefixes from the root of the project.
HOMES = {
    "keras": ("trainer/",),
    "tensorflow": ("trainer/",),
    # Two files: models.py pulls in Keras (MLflow's Keras flavour does), and a report must do without it.
    "mlflow": ("tracking/store/connection.py", "tracking/store/registry.py"),
    "pandas": ("tracking/store/connection.py",),
    "optuna": ("sweeps/engines/optuna_", "sweeps/strategies/optuna_samplers.py", "tracking/best_mask/fanova.py"),
    "keras_tuner": ("sweeps/engines/keras_tuner_engine.py",),
    "matplotlib": ("tracking/figures/",),
    "typer": ("sweeps/cli.py",),
}

# What each package may import of ours; `None` means anything.
ALLOWED: dict[str, tuple[str, ...] | None] = {
    "trainer": ("trainer",),
    "tracking": ("tracking", "trainer.config", "trainer.results", "trainer.masks"),
    "sweeps": None,
}

HEAVY = ("keras", "tensorflow", "mlflow", "optuna", "matplotlib", "pandas", "scipy", "skimage", "sklearn",
         "keras_tuner")  # fmt: skip


def imports(source: str) -> Iterator[str]:
    """Dotted names that `source` imports anywhere, also inside functions; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom: write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def broken_rules(path: str, source: str) -> list[str]:
    """One sentence per import of `source` that the file `path` (from the root) may not make."""
    package = path.split("/")[0]
    allowed = ALLOWED.get(package)
    broken = []
    for name in imports(source):
        ours = name.split(".")[0] in PACKAGES
        if ours and allowed is not None and not any(is_within(name, module) for module in allowed):
            broken.append(f"{path} imports {name}, but {package} may only import {', '.join(allowed)}")
        for library, homes in HOMES.items():
            if is_within(name, library) and not path.startswith(homes):
                broken.append(f"{path} imports {library}, whose home is {' or '.join(homes)}")
    return broken


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way_and_libraries_stay_home(path: Path) -> None:
    assert broken_rules(path.relative_to(ROOT).as_posix(), path.read_text()) == []


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("trainer/training/fit.py", "import tracking.store.writer", "may only import"),
        ("trainer/training/fit.py", "def f():\n    from sweeps import cli", "may only import"),
        ("tracking/report/formats.py", "from trainer.files import locked", "may only import"),
        ("tracking/report/formats.py", "from trainer import files", "may only import"),
        ("tracking/report/formats.py", "import mlflow", "whose home is"),
        ("sweeps/cli.py", "from optuna.study import Study", "whose home is"),
        ("tracking/store/schema.py", "import mlflow.keras", "whose home is"),
        ("sweeps/run/worker.py", "import keras", "whose home is"),
        ("tracking/report/formats.py", "from trainer.config import UserError", None),
        ("sweeps/run/worker.py", "from trainer.training.fit import fit", None),
    ],
)
def test_the_rule_itself_can_fail(path: str, source: str, rule: str | None) -> None:
    broken = broken_rules(path, source)
    assert broken == [] if rule is None else rule in broken[0]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name == "__init__.py"], ids=lambda path: path.parent.name
)
def test_init_holds_a_docstring_only(path: Path) -> None:
    (statement,) = ast.parse(path.read_text()).body
    assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after running `code`."""
    report = "import sys; print('\\nLOADED', *{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import sweeps.cli",
        "import sys\nfrom sweeps.cli import main\nsys.argv = ['thaw', '--help']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code",
    ],
    ids=["import", "help"],
)
def test_the_command_line_starts_light(code: str) -> None:
    assert loaded_by(code).isdisjoint(HEAVY)
