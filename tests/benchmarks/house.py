"""The house in figures: how the code is laid out, counted from its syntax trees.

    python tests/benchmarks/house.py [CHECKOUT]

Figures to compare two commits by, not limits: modules, folders, the fullest folder, circles of imports (lazy and
type-only ones included), how often what should be resolved once is resolved, untyped contracts, formatter switched off,
function bodies, modules without a test of their name.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("sweeps", "trainer", "tracking")
ONCE = ("listed", "space_of", "network_of", "prepare_backend")


def modules(root: Path) -> dict[str, ast.Module]:
    """path from the root -> syntax tree of every module that is more than a docstring."""
    files = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py") if path.stem != "__init__")
    return {path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def imported(tree: ast.Module, known: set[str]) -> set[str]:
    """The modules of ours that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & known


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other."""
    reach = {node: set(after) for node, after in graph.items()}
    for middle in graph:
        for node in graph:
            if middle in reach[node]:
                reach[node] |= reach[middle]
    groups = {
        tuple(sorted(other for other in graph if other in reach[node] and node in reach[other])) for node in graph
    }
    return [list(group) for group in groups if len(group) > 1]


def bodies(tree: ast.Module) -> Iterator[int]:
    """Lines of every function's body, its docstring and inner functions' own lines left in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body
            if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                body = body[1:]
            yield body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]


def called(tree: ast.Module, name: str) -> int:
    """Calls of a function by its name."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sum(getattr(function, "id", getattr(function, "attr", "")) == name for function in calls)


def keyed(tree: ast.Module) -> int:
    """Subscripts with a literal key."""
    subscripts = (node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    return sum(isinstance(key, ast.Constant) and isinstance(key.value, str) for key in subscripts)


def main(root: Path) -> None:
    """Count and print."""
    trees = modules(root)
    dotted = {path: path.removesuffix(".py").replace("/", ".") for path in trees}
    names = set(dotted.values())
    graph = {dotted[path]: imported(tree, names) - {dotted[path]} for path, tree in trees.items()}
    folder = {dotted[path]: path.rpartition("/")[0] for path in trees}
    between: dict[str, set[str]] = {name: set() for name in folder.values()}
    for name, others in graph.items():
        between[folder[name]] |= {folder[other] for other in others} - {folder[name]}
    full, most = Counter(folder.values()).most_common(1)[0]
    lines = sorted(length for tree in trees.values() for length in bodies(tree))
    sources = {path: (root / path).read_text(encoding="utf-8") for path in trees}
    typed = {path: text for path, text in sources.items() if not path.startswith("trainer/")}
    tests = {path.name for path in (root / "tests").rglob("test_*.py")}
    untested = [path for path in trees if f"test_{Path(path).name}" not in tests]
    sizes = [len(text.splitlines()) for text in sources.values()]
    print(
        f"modules                        {len(trees)}, lines {statistics.median(sizes):.0f} median, {max(sizes)} most"
    )
    print(f"folders                        {len(set(folder.values()))}, most files in one {most} ({full})")
    print(f"circles of modules, of folders {len(circles(graph))}, {len(circles(between))}")
    for name in ONCE:
        print(f"calls of {name:<21} {sum(called(tree, name) for tree in trees.values())}")
    print(f"dict[str, Any] in tracking, sweeps        {sum(text.count('dict[str, Any]') for text in typed.values())}")
    print(f"literal-key subscripts in tracking, sweeps {sum(keyed(trees[path]) for path in typed)}")
    print(f"fmt: skip                      {sum(len(re.findall('fmt: skip', text)) for text in sources.values())}")
    print(
        f"body of a function             {statistics.median(lines):.0f} median, "
        f"{lines[int(0.9 * len(lines))]} p90, {lines[-1]} max"
    )
    print(f"modules without a test of their name {len(untested)} of {len(trees)}")
    for path in untested:
        print(f"    {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
