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
    "jax": ("trainer/training/steps/jax_steps.py",),
    # Two files: registry.py pulls in Keras (MLflow's Keras flavour does), and a report must do without it.
    "mlflow": ("tracking/store/connection.py", "tracking/store/registry.py", "tracking/store/sqlite_runs.py"),
    "pandas": ("tracking/store/connection.py",),
    "optuna": ("sweeps/engines/optuna_", "sweeps/strategies/optuna_samplers.py", "tracking/best_mask/fanova.py"),
    "ray": ("sweeps/run/launchers/ray.py",),
    "keras_tuner": ("sweeps/engines/keras_tuner_engine.py",),
    "matplotlib": ("tracking/figures/",),
    "jinja2": ("tracking/report/html.py",),
    "typer": ("sweeps/cli.py",),
}

# What each folder may import of ours, itself apart: lazy and type-only imports count like any other. The folders of a
# package stand in one order, low to high, and every arrow points down.
TRAINER = (
    "trainer",
    "trainer/phantoms",
    "trainer/data/formats",
    "trainer/data/listing",
    "trainer/data/names",
    "trainer/data/pairing",
    "trainer/data/masks",
    "trainer/data",
    "trainer/network",
    "trainer/training/steps",
    "trainer/training",
    "trainer/neurons",
)
TRACKING = (
    "tracking",
    "tracking/store",
    "tracking/recording",
    "tracking/analysis",
    "tracking/best_mask",
    "tracking/summary",
    "tracking/figures",
    "tracking/report",
)
BELOW = ("sweeps/locks", "sweeps/environment", "sweeps/spec", "sweeps/strategies")
# What tracking may know of trainer.
WHOLE_FILES = "trainer.files"  # for what tracking keeps on disk itself, the spool
LIGHT = (
    *("trainer.candidate", "trainer.config", "trainer.errors", "trainer.foreign_arrays", "trainer.full_disk"),
    *("trainer.keys", "trainer.masks", "trainer.results"),
)
WALLS: dict[str, tuple[str, ...]] = {
    "trainer": (),
    "trainer/phantoms": ("trainer",),
    "trainer/data/formats": ("trainer",),
    "trainer/data/listing": ("trainer", "trainer/data/formats"),
    "trainer/data/names": ("trainer", "trainer/data/formats", "trainer/data/listing"),
    "trainer/data/pairing": ("trainer", "trainer/data/formats", "trainer/data/listing", "trainer/data/names"),
    "trainer/data/masks": ("trainer", "trainer/data/formats", "trainer/data/pairing"),
    "trainer/data": (
        "trainer",
        "trainer/phantoms",
        "trainer/data/formats",
        "trainer/data/listing",
        "trainer/data/names",
        "trainer/data/pairing",
        "trainer/data/masks",
    ),
    "trainer/network": ("trainer",),
    "trainer/training/steps": ("trainer",),
    "trainer/training": ("trainer", "trainer/phantoms", "trainer/data", "trainer/network", "trainer/training/steps"),
    "trainer/neurons": ("trainer", "trainer/network"),
    "tracking": LIGHT,
    "tracking/store": ("tracking", *LIGHT),
    "tracking/recording": ("tracking", "tracking/store", WHOLE_FILES, *LIGHT),
    "tracking/analysis": ("tracking", *LIGHT),
    "tracking/best_mask": ("tracking", "tracking/analysis", *LIGHT),
    "tracking/summary": ("tracking", "tracking/analysis", "tracking/best_mask", *LIGHT),
    "tracking/figures": ("tracking", "tracking/analysis", "tracking/best_mask", "tracking/summary", *LIGHT),
    "tracking/report": (*TRACKING[:-1], *LIGHT),
    "sweeps/locks": ("tracking", "trainer"),
    "sweeps/environment": ("sweeps/locks", "tracking", "trainer", "trainer/network"),
    "sweeps/spec": ("tracking", "trainer"),
    "sweeps/strategies": ("sweeps/spec", "tracking", "tracking/best_mask", "trainer"),
    "sweeps/engines": ("sweeps/locks", "sweeps/spec", "sweeps/strategies", "tracking", "trainer"),
    "sweeps/planning": (*BELOW, "tracking", "tracking/best_mask", "tracking/store", *TRAINER),
    "sweeps/run": (
        *BELOW,
        "sweeps/engines",
        "sweeps/planning",
        "tracking/best_mask",
        "tracking",
        "tracking/store",
        "tracking/recording",
        "tracking/figures",
        *TRAINER,
    ),
    "sweeps/run/launchers": (
        "sweeps/environment",
        "sweeps/spec",
        "sweeps/engines",
        "sweeps/run",
        "tracking",
        "trainer",
    ),
    "sweeps/doctor": (
        *BELOW,
        "sweeps/engines",
        "sweeps/planning",
        "tracking",
        "tracking/store",
        "tracking/recording",
        *TRAINER,
    ),
    "sweeps/doctor/checks": (
        *BELOW,
        "sweeps/doctor",
        "sweeps/engines",
        "tracking",
        "tracking/store",
        "tracking/recording",
        *TRAINER,
    ),
    "sweeps/commands": (
        *BELOW,
        "sweeps/doctor",
        "sweeps/doctor/checks",
        "sweeps/planning",
        "sweeps/run",
        "sweeps/run/launchers",
        *TRACKING,
        *TRAINER,
    ),
    "sweeps": (
        *BELOW,
        "sweeps/engines",
        "sweeps/planning",
        "sweeps/run",
        "sweeps/run/launchers",
        "sweeps/doctor",
        "sweeps/doctor/checks",
        "sweeps/commands",
        *TRACKING,
        *TRAINER,
    ),
}

HEAVY = [
    "keras",
    "tensorflow",
    "mlflow",
    "optuna",
    "matplotlib",
    "pandas",
    "scipy",
    "skimage",
    "sklearn",
    "keras_tuner",
]


def imports(source: str) -> Iterator[str]:
    """Dotted names that `source` imports anywhere, also inside functions; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom: write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str | None:
    """The module of ours that an imported name is, or lies in; None for other people's."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return None
    return next(
        (
            ".".join(parts[:end])
            for end in range(len(parts), 0, -1)
            if ROOT.joinpath(*parts[:end]).with_suffix(".py").exists()
        ),
        name,
    )


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def broken_rules(path: str, source: str) -> list[str]:
    """One sentence per import of `source` that the file `path` (from the root) may not make."""
    folder = path.rpartition("/")[0]
    broken = []
    for name in imports(source):
        module = module_of(name)
        allowed = (folder, *WALLS[folder])
        if module and not {module, module.rpartition(".")[0].replace(".", "/")} & set(allowed):
            broken.append(f"{path} imports {name}, but {folder} may only import {', '.join(allowed)}")
        for library, homes in HOMES.items():
            if is_within(name, library) and not path.startswith(homes):
                broken.append(f"{path} imports {library}, whose home is {' or '.join(homes)}")
    return broken


def test_every_folder_has_its_walls_and_no_arrow_points_up() -> None:
    assert {path.relative_to(ROOT).parent.as_posix() for path in FILES} <= WALLS.keys()
    order = list(WALLS)
    for folder, allowed in WALLS.items():
        assert all(
            target in (*LIGHT, WHOLE_FILES) or order.index(target) < order.index(folder) for target in allowed
        ), folder


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {
            module for name in imports(path.read_text()) if (module := module_of(name))
        }
        for path in FILES
    }
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for target in sorted(graph.get(module, ())):
                walk(target, (*way, module))
            done.add(module)

    for module in graph:
        walk(module, ())


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
        ("sweeps/run/worker.py", "def f():\n    from sweeps.commands.best import run", "may only import"),
        ("tracking/analysis/verdict.py", "from tracking.report import page", "may only import"),
        ("trainer/data/cases.py", "import trainer.network.unet", "may only import"),
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


def test_no_command_loads_keras_before_its_backend_is_prepared() -> None:
    """What TensorFlow says at its start would stand on the user's screen, and keras.json of the user's would hold."""
    after_it = {"masks", "train_again"}
    paths = sorted((ROOT / "sweeps" / "commands").glob("[a-z]*.py"))
    commands = [path.stem for path in paths if path.stem not in after_it]
    code = f"import sweeps.sweep\nfrom sweeps.commands import {', '.join(commands)}\nimport sweeps.run.worker"
    assert loaded_by(code).isdisjoint({"keras", "tensorflow"})
