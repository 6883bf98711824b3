"""Do the tests bite? Draws small changes of the numeric modules, one operator at a time, and runs each module's tests.

`python tests/mutants.py --count 200 --seed 1` prints every change that no test notices, and the share that was noticed.
A changed module is only ever written into a copy of the tree. Texts, types, decorators, error messages and log lines
are left alone. A module is drawn first, then a kind of change, then a place, so that rare kinds count as much as
numbers do.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "tracking": "statistics",
    "tracking/analysis": "winners_curse per_image seeds contrasts comparisons",
    "tracking/best_mask": "block_effects candidates confounding gaussian_process pareto ranking",
    "sweeps/spec": "factorial_designs space",
    "sweeps/strategies": "axes greedy guided optuna_samplers propose",
    "sweeps/run": "early_stopping",
    "trainer": "masks results",
    "trainer/data": "augmentation folds subsample near_duplicates patients",
    "trainer/phantoms": "bmode breast_ultrasound chest_xray composites shapes thorax xray",
    "trainer/network": "blocks block_patterns batch_norm",
    "trainer/training": "fit losses metrics cross_validation ledger",
    "trainer/neurons": "fourier layers maximise",
}
MODULES = [f"{folder}/{name}.py" for folder, names in FOLDERS.items() for name in names.split()]
# What tests a module beside the test of its name.
MORE_TESTS = {"sweeps/strategies/optuna_samplers.py": ["tests/sweeps/strategies/test_contract.py"]}
# Imported once, before the forks that run the tests: each of them takes seconds.
HEAVY = ("scipy.ndimage", "scipy.linalg", "sklearn.model_selection", "skimage.transform", "optuna", "keras", "mlflow")
QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
PYTEST = ("-n0", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
COMPARISONS: dict[type[ast.cmpop], list[ast.cmpop]] = {
    ast.Lt: [ast.LtE(), ast.Gt()],
    ast.LtE: [ast.Lt(), ast.Gt()],
    ast.Gt: [ast.GtE(), ast.Lt()],
    ast.GtE: [ast.Gt(), ast.Lt()],
    ast.Eq: [ast.NotEq()],
    ast.NotEq: [ast.Eq()],
    ast.Is: [ast.IsNot()],
    ast.IsNot: [ast.Is()],
    ast.In: [ast.NotIn()],
    ast.NotIn: [ast.In()],
}
ARITHMETIC: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
    ast.FloorDiv: ast.Mult(),
    ast.Mod: ast.Mult(),
    ast.Pow: ast.Mult(),
    ast.BitAnd: ast.BitOr(),
    ast.BitOr: ast.BitAnd(),
    ast.BitXor: ast.BitOr(),
    ast.LShift: ast.RShift(),
    ast.RShift: ast.LShift(),
}
PAIRS = ("min max", "any all", "minimum maximum", "argmin argmax", "nanargmin nanargmax")
OPPOSITE = {one: other for pair in PAIRS for one, other in (pair.split(), pair.split()[::-1])}


@dataclass(frozen=True)
class Change:
    """One changed place of a module, before and after, and the whole changed source."""

    module: str
    kind: str
    line: int
    before: str
    after: str
    source: str


def changes(module: str) -> Iterator[Change]:
    """Every change of a module, in the order of its syntax tree."""
    tree = ast.parse((ROOT / module).read_text())
    for put, node, parent in list(_places(tree)):
        for kind, new in _changed(node, parent):
            put(new)
            before, after = (ast.unparse(part).split("\n")[0].strip() for part in (node, new))
            line = node.target.lineno if isinstance(node, ast.comprehension) else node.lineno
            yield Change(module, kind, line, before, after, ast.unparse(ast.fix_missing_locations(tree)))
            put(node)


Node = ast.expr | ast.stmt | ast.comprehension


def _places(parent: ast.AST) -> Iterator[tuple[Callable[[ast.AST], None], Node, ast.AST]]:
    """(a function that puts another node there, the node, its parent) of all that may change."""
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            if isinstance(child, Node):
                yield (
                    partial(setattr, parent, field) if index is None else partial(value.__setitem__, index),
                    child,
                    parent,
                )
            if not isinstance(child, ast.Raise):
                yield from _places(child)


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or "log" in ast.unparse(node.value).split("(")[0]
    return (
        isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    )


def _changed(node: Node, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(kind, changed copy) of one node."""
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    yield (
                        "comparison",
                        ast.Compare(node.left, [*node.ops[:place], other, *node.ops[place + 1 :]], node.comparators),
                    )
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_union(node, parent):
            yield "arithmetic", ast.BinOp(node.left, ARITHMETIC[type(node.op)], node.right)
        case ast.AugAssign():
            yield "arithmetic", ast.AugAssign(node.target, ARITHMETIC[type(node.op)], node.value)
            yield "statement", ast.Pass()
        case ast.BoolOp():
            yield "boolean", ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield "not" if isinstance(node.op, ast.Not) else "sign", node.operand
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield from (("constant", ast.Constant(value + step)) for step in (1, -1))
        case ast.Name(id=name) if name in OPPOSITE:
            yield "extreme", ast.Name(OPPOSITE[name], node.ctx)
        case ast.Attribute(attr=name) if name in OPPOSITE:
            yield "extreme", ast.Attribute(node.value, OPPOSITE[name], node.ctx)
        case ast.Slice(upper=ast.expr() as upper) if not isinstance(upper, ast.Constant):
            yield "slice", ast.Slice(node.lower, ast.BinOp(upper, ast.Sub(), ast.Constant(1)), node.step)
        case ast.IfExp():
            yield "condition", ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.comprehension() if node.ifs:
            yield "filter", ast.comprehension(node.target, node.iter, [], node.is_async)
        case ast.If():
            yield "guard", ast.If(ast.Constant(False), node.body, node.orelse)
        case ast.Return(value=ast.expr()) if not isinstance(parent, ast.FunctionDef):
            yield "statement", ast.Pass()
        case ast.Continue() | ast.Break() | ast.Expr(value=ast.Call()):
            yield "statement", ast.Pass()


def _is_union(node: ast.BinOp, parent: ast.AST) -> bool:
    """Whether it is a union of types, which no test evaluates."""
    return isinstance(node.op, ast.BitOr) and (isinstance(parent, ast.Module) or "None" in ast.unparse(node))


def drawn(modules: Sequence[str], count: int, seed: int) -> list[Change]:
    """`count` different changes: a module, a kind, a place, each alike; sorted."""
    pools: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for module in modules:
        for change in changes(module):
            pools[module, change.kind].append(change)
    rng = random.Random(seed)
    chosen: list[Change] = []
    while pools and len(chosen) < count:
        module = rng.choice(sorted({module for module, _ in pools}))
        key = rng.choice(sorted(key for key in pools if key[0] == module))
        chosen.append(pools[key].pop(rng.randrange(len(pools[key]))))
        if not pools[key]:
            del pools[key]
    return sorted(chosen, key=lambda change: (change.module, change.line))


def tests_of(module: str) -> list[str]:
    """What pytest runs for a module: its own examples, the test of its name, what `MORE_TESTS` adds."""
    path = Path(module)
    return [module, str("tests" / path.parent / f"test_{path.name}"), *MORE_TESTS.get(module, [])]


def run_tests(tree: Path, change: Change) -> None:
    """In a forked process: the module's tests in a copy of the tree that holds the changed source. Never returns."""
    code = 1
    try:
        os.chdir(tree)
        (tree / change.module).write_text(change.source)
        said = os.open(tree / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.environ["PYTHONPATH"] = sys.path[0] = str(tree)
        sys.dont_write_bytecode = True
        code = int(pytest.main([*PYTEST, *tests_of(change.module)]))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def outcomes(
    jobs: Sequence[Change], limits: Mapping[str, float], trees: Sequence[Path]
) -> Iterator[tuple[Change, bool, float]]:
    """(change, whether the tests still pass, seconds) as they end, one in each tree; what takes too long has failed.

    Every run is a fork of this process, which has imported what takes seconds and nothing of the tree.
    """
    waiting, free = list(reversed(jobs)), list(trees)
    running: dict[int, tuple[Change, Path, float]] = {}
    while waiting or running:
        while waiting and free:
            change, tree = waiting.pop(), free.pop()
            if not (process := os.fork()):
                run_tests(tree, change)
            running[process] = change, tree, time.monotonic()
        time.sleep(0.02)
        for process, (change, tree, started) in list(running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended and time.monotonic() - started > limits.get(change.module, 1800.0):
                os.kill(process, signal.SIGKILL)
                ended, status = os.waitpid(process, 0)
            if ended:
                yield change, status == 0, time.monotonic() - started
                shutil.copy2(ROOT / change.module, tree / change.module)
                del running[process]
                free.append(tree)


def main() -> None:
    """Draw, run, print what survived; exit 1 when less than 95 % was noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--modules", nargs="*", default=[""], help="parts of paths; all numeric modules if none")
    options = parser.parse_args()
    chosen = drawn(
        [one for one in MODULES if any(part in one for part in options.modules)], options.count, options.seed
    )
    os.environ.update(QUIET)
    for name in HEAVY:
        import_module(name)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        trees = [Path(folder) / str(number) for number in range(options.workers)]
        for tree in trees:
            shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "runs", "build", "dist"))
        touched = sorted({change.module for change in chosen})
        unchanged = [Change(one, "", 0, "", "", ast.unparse(ast.parse((ROOT / one).read_text()))) for one in touched]
        limits = {}
        for change, passed, seconds in outcomes(unchanged, {}, trees):
            if not passed:
                raise SystemExit(f"{change.module}: its tests fail without any change: {tests_of(change.module)}")
            limits[change.module] = 30 + 4 * seconds
        for change, passed, _ in outcomes(chosen, limits, trees):
            survivors += passed
            if passed:
                print(f"{change.module}:{change.line}: {change.kind}: {change.before}  ->  {change.after}", flush=True)
    noticed = len(chosen) - survivors
    print(f"{noticed} of {len(chosen)} changes were noticed ({100 * noticed / max(len(chosen), 1):.1f} %).")
    raise SystemExit(noticed < 0.95 * len(chosen))


if __name__ == "__main__":
    main()
