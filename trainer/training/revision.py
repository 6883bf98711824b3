"""Which code and which libraries a number came from; the code by what it does, blind to comments and layout."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path


@cache
def revision(*modules: str) -> str:
    """Digest of modules by name, taken from their syntax trees with docstrings left out: 16 hex digits.

    It stands in the ledger's keys, so that a changed trainer never reuses what another one trained, and a reworded
    comment costs nobody a training.
    """
    trees = []
    for module in modules:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"No source for module '{module}'.")
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        trees.append(ast.dump(_without_docstrings(tree)))
    return hashlib.sha256("\n".join(trees).encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """The libraries and the machine kind that numbers depend on, known without importing any of them.

    `kernels`: TensorFlow's switch of oneDNN, whose sums are rounded in another order.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    found = {"backend": backend, "python": platform.python_version(), "machine": platform.machine()}
    if backend == "tensorflow":
        found["kernels"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default")
    for package in ("keras", backend, "numpy", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                node.body = body[1:]  # type: ignore[attr-defined]
    return tree
