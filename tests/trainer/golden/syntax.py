"""Which code the numbers come from, and its digests, blind to all that no number depends on.

Numeric are all modules that the `ROOTS` import, directly or through others, apart from `NOT_NUMERIC`. Each definition
of theirs has a digest of its own, of its syntax without docstrings, comments, imports, annotations and the words of
errors. Definitions are compared as a set, so a module may be moved, split or merged. What an import means is not in
the digest: golden results guard that.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = "trainer"
# Modules by file name, wherever they lie.
ROOTS = ("cases", "cross_validation", "folds", "pretraining", "refit")
NOT_NUMERIC = {
    "archive_sizes": "refuses and computes nothing",
    "arithmetic": "the versions themselves",
    "cache": "keeps arrays and makes none",
    "candidate": "what is tried: it stands in the keys by its values",
    "cpu_kind": "says what computes and computes nothing",
    "config": "what is asked for: it stands in the keys by its values",
    "device": "says what computes and computes nothing",
    "digests": "makes keys",
    "distances": "decides nothing and is kept in no ledger: measured anew from the predictions",
    "errors": "words",
    "files": "writes bytes that others made",
    "foreign_arrays": "reads what others made, and decides only whether",
    "keras_settings": "refuses and computes nothing",
    "keys": "makes keys",
    "ledger": "keeps results and makes none",
    "training_key": "makes keys",
    "versions": "makes keys",
}


def digests(root: Path) -> dict[str, str]:
    """Digest of every definition of the numeric modules below `root`, by the module's path and its own name."""
    return {name: digest for path in numeric_modules(root) for name, digest in _definitions(root, path)}


def numeric_modules(root: Path) -> list[Path]:
    """The files of the numeric modules. Raises `LookupError` where one of `ROOTS` or `NOT_NUMERIC` is no module."""
    files = {path.stem: path for path in sorted((root / PACKAGE).rglob("*.py")) if path.name != "__init__.py"}
    if missing := sorted({*ROOTS, *NOT_NUMERIC} - files.keys()):
        raise LookupError(f"No module of {PACKAGE} is called {', '.join(missing)}: name it anew in syntax.py.")
    reached: set[Path] = set()
    waiting = [files[name] for name in ROOTS]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.stem not in NOT_NUMERIC:
            reached.add(path)
            waiting += _imported(root, path)
    return sorted(reached)


def _imported(root: Path, path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            file = root.joinpath(*name.split(".")).with_suffix(".py")
            if name.startswith(f"{PACKAGE}.") and file.exists():
                yield file


def _definitions(root: Path, path: Path) -> Iterator[tuple[str, str]]:
    tree = _Normalised().visit(ast.parse(path.read_text("utf-8")))
    module = path.relative_to(root).as_posix()
    for number, statement in enumerate(tree.body):
        text = json.dumps(_plain(statement))
        yield f"{module}: {_name(statement, number)}", hashlib.sha256(text.encode()).hexdigest()[:12]


def _name(statement: ast.stmt, number: int) -> str:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return statement.name
    if isinstance(statement, ast.Assign):
        return ", ".join(ast.unparse(target) for target in statement.targets)
    return f"statement {number}"


class _Normalised(ast.NodeTransformer):
    """Takes out what no number depends on."""

    def visit_Import(self, node: ast.Import) -> None:
        """Where a name comes from changes when a module moves."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Where a name comes from changes when a module moves."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Imports for annotations are no arithmetic."""
        only_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if only_types else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings, of attributes too."""
        words = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if words else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """`x: int = 1` is `x = 1`; a field without a default keeps its name and its place."""
        bare = ast.Expr(node.target) if node.value is None else ast.Assign([node.target], node.value)
        return self.generic_visit(bare)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Which error, not its words."""
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)


def _plain(node: Any) -> Any:
    """A syntax tree as JSON holds it, the same in every version of Python: fields without a value are left out."""
    if isinstance(node, ast.AST):
        fields = {name: _plain(value) for name, value in ast.iter_fields(node) if name not in ("ctx", "kind")}
        return [type(node).__name__, {name: value for name, value in fields.items() if value not in (None, [])}]
    if isinstance(node, list):
        return [_plain(part) for part in node]
    return node if node is None or isinstance(node, (str, int)) else repr(node)


def changes(confirmed: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What the numeric code has that was not confirmed, and what it had; nothing for what has only moved."""
    new = {name for name, digest in now.items() if digest not in confirmed.values()}
    gone = {name for name, digest in confirmed.items() if digest not in now.values()}
    kinds = {"changed": new & gone, "new": new - gone, "gone": gone - new}
    return [f"{name} is {kind}" for kind, names in kinds.items() for name in sorted(names)]
