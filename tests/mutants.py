"""Do the tests bite? Draws small changes of the numeric modules, one operator at a time, and runs each module's tests.

`python tests/mutants.py --count 200 --seed 1` prints every change that no test notices, and the share that was noticed.
A changed module is only ever written into a copy of the tree. Strings, annotations, decorators, error texts and log
lines are left alone. A module is drawn first, then a kind of change, then one place: rare kinds count as much as
constants do.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "tracking/statistics.py",
    *(f"tracking/analysis/{name}.py" for name in ("winners_curse", "per_image", "seeds", "contrasts", "comparisons")),
    *(f"tracking/best_mask/{name}.py" for name in ("block_effects", "confounding", "gaussian_process", "pareto")),
    *(f"sweeps/spec/{name}.py" for name in ("factorial_designs", "space")),
    *(f"sweeps/strategies/{name}.py" for name in ("axes", "greedy", "guided", "optuna_samplers", "propose")),
    "sweeps/run/early_stopping.py",
    "trainer/masks.py",
    *(f"trainer/data/{name}.py" for name in ("augmentation", "folds", "subsample", "near_duplicates", "patients")),
    *(f"trainer/phantoms/{name}.py" for name in ("bmode", "breast_ultrasound", "chest_xray", "composites")),
    *(f"trainer/phantoms/{name}.py" for name in ("shapes", "thorax", "xray")),
    *(f"trainer/network/{name}.py" for name in ("blocks", "block_patterns", "batch_norm")),
    *(f"trainer/training/{name}.py" for name in ("fit", "losses", "metrics", "cross_validation", "ledger")),
    *(f"trainer/neurons/{name}.py" for name in ("fourier", "layers", "maximise")),
)
# The tests of a module beside the one of its name.
TESTS = {
    "sweeps/strategies/propose.py": ["tests/sweeps/strategies/test_contract.py"],
    "sweeps/strategies/optuna_samplers.py": ["tests/sweeps/strategies/test_contract.py"],
}
HEAVY = ("scipy.ndimage", "scipy.linalg", "sklearn.model_selection", "skimage.transform", "optuna", "keras", "mlflow")
SURROUNDINGS = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1",
                "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "MPLBACKEND": "agg", "TF_ENABLE_ONEDNN_OPTS": "1"}  # fmt: skip
OPTIONS = ("-n0", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum",
           "argmin": "argmax", "argmax": "argmin", "nanargmax": "nanargmin", "nanargmin": "nanargmax"}  # fmt: skip
LEFT_ALONE = ("annotation", "returns", "decorator_list", "type_params")


@dataclass(frozen=True)
class Change:
    """One changed place of a module: what stood there, what stands there instead, and the whole changed source."""

    module: str
    kind: str
    line: int
    before: str
    after: str
    source: str


def changes(module: str, source: str) -> list[Change]:
    """Every change of a module, in the order of its syntax tree."""
    tree = ast.parse(source)
    found = []
    for parent, field, index, node in list(_places(tree)):
        for kind, new in _changed(node, parent):
            _put(parent, field, index, new)
            before, after = (ast.unparse(part).split("\n")[0] for part in (node, new))
            found.append(Change(module, kind, node.lineno, before, after, ast.unparse(ast.fix_missing_locations(tree))))
            _put(parent, field, index, node)
    return found


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.expr | ast.stmt]]:
    """(parent, field, index in a list, node) of all that may change: no annotation, text, error or log line."""
    for field, value in ast.iter_fields(node):
        if field in LEFT_ALONE:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield node, field, index, child
            if not isinstance(child, ast.Raise):
                yield from _places(child)


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or "log" in ast.unparse(node.value).split("(")[0]
    return (
        isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    )


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _changed(node: ast.expr | ast.stmt, parent: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """(kind, changed copy) of one node."""
    match node:
        case ast.Compare():
            for position, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    new = copy.deepcopy(node)
                    new.ops[position] = other()
                    yield "comparison", new
        case ast.BinOp(op=operation) if type(operation) in ARITHMETIC and not _is_type(node, parent):
            yield "arithmetic", ast.BinOp(node.left, ARITHMETIC[type(operation)](), node.right)
        case ast.AugAssign(op=operation):
            yield "arithmetic", ast.AugAssign(node.target, ARITHMETIC[type(operation)](), node.value)
            yield "statement", ast.Pass()
        case ast.BoolOp(op=operator):
            yield "boolean", ast.BoolOp(ast.And() if isinstance(operator, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield "not" if isinstance(node.op, ast.Not) else "sign", node.operand
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield from (("constant", ast.Constant(value + step)) for step in (1, -1))
        case ast.Name(id=name) if name in SWAPPED:
            yield "extreme", ast.Name(SWAPPED[name], node.ctx)
        case ast.Attribute(attr=name) if name in SWAPPED:
            yield "extreme", ast.Attribute(node.value, SWAPPED[name], node.ctx)
        case ast.Slice(upper=ast.expr() as upper) if not isinstance(upper, ast.Constant):
            yield "slice", ast.Slice(node.lower, ast.BinOp(upper, ast.Sub(), ast.Constant(1)), node.step)
        case ast.IfExp():
            yield "condition", ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            for position in (place for place, loop in enumerate(node.generators) if loop.ifs):
                new = copy.deepcopy(node)
                new.generators[position].ifs = []
                yield "filter", new
        case ast.If():
            yield "guard", ast.If(ast.Constant(False), node.body, node.orelse)
        case ast.Return(value=ast.expr()) if not isinstance(parent, ast.FunctionDef):
            yield "statement", ast.Pass()
        case ast.Continue() | ast.Break() | ast.Expr(value=ast.Call()):
            yield "statement", ast.Pass()


def _is_type(node: ast.BinOp, parent: ast.AST) -> bool:
    """Whether it is a union of types, which the tests never evaluate."""
    return isinstance(node.op, ast.BitOr) and (isinstance(parent, ast.Module) or "None" in ast.unparse(node))


def drawn(modules: Sequence[str], count: int, seed: int) -> list[Change]:
    """`count` different changes: a module, a kind, a place, each alike."""
    pools: dict[str, dict[str, list[Change]]] = {}
    for module in modules:
        pools[module] = defaultdict(list)
        for change in changes(module, (ROOT / module).read_text()):
            pools[module][change.kind].append(change)
    rng, chosen = random.Random(seed), []
    while len(chosen) < count and pools:
        module = rng.choice(sorted(pools))
        kind = rng.choice(sorted(pools[module]))
        chosen.append(pools[module][kind].pop(rng.randrange(len(pools[module][kind]))))
        if not pools[module][kind]:
            del pools[module][kind]
        if not pools[module]:
            del pools[module]
    return sorted(chosen, key=lambda change: (change.module, change.line))


def tests_of(module: str) -> list[str]:
    """What pytest runs for a module: its own examples, the test of its name, what `TESTS` adds."""
    path = Path(module)
    own = Path("tests") / path.parent / f"test_{path.name}"
    found = [module, *([str(own)] if (ROOT / own).exists() else []), *TESTS.get(module, [])]
    if len(found) == 1:
        raise SystemExit(f"{module} has no tests: there is no {own}, and TESTS names none.")
    return found


def failed(tree: Path, module: str, source: str) -> None:
    """Run the module's tests in this process, in a copy of the tree that holds this source; never returns."""
    code = 1
    try:
        os.chdir(tree)
        (tree / module).write_text(source)
        said = os.open(tree / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(said, descriptor)
        sys.path[0], sys.dont_write_bytecode = str(tree), True
        os.environ["PYTHONPATH"] = str(tree)
        code = int(pytest.main([*OPTIONS, *tests_of(module)]))
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def verdicts(jobs: Sequence[Change], limits: Mapping[str, float], trees: Sequence[Path]) -> Iterator[tuple[Change, bool, float]]:
    """(change, whether the tests of its module still pass, seconds), as they end; too slow is no pass.

    Every run is a fork of this process, which has imported what takes seconds and nothing of the tree.
    """
    waiting, running, free = list(reversed(jobs)), {}, list(trees)
    while waiting or running:
        while waiting and free:
            change, tree = waiting.pop(), free.pop()
            if not (process := os.fork()):
                failed(tree, change.module, change.source)
            running[process] = change, tree, time.monotonic()
        time.sleep(0.02)
        for process, (change, tree, started) in list(running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            took = time.monotonic() - started
            if not ended and took > limits.get(change.module, 600.0):
                os.kill(process, signal.SIGKILL)
                ended, status = os.waitpid(process, 0)
            if ended:
                del running[process]
                shutil.copy2(ROOT / change.module, tree / change.module)
                free.append(tree)
                yield change, status == 0, took


def main() -> None:
    """Draw, run, print what survived; exit 1 when less than 95 % was noticed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--modules", nargs="*", default=[], help="parts of paths; all numeric modules if none")
    options = parser.parse_args()
    modules = [module for module in MODULES if not options.modules or any(part in module for part in options.modules)]
    chosen = drawn(modules, options.count, options.seed)
    os.environ.update(SURROUNDINGS)
    for name in HEAVY:
        import_module(name)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        trees = [Path(folder) / str(number) for number in range(options.workers)]
        for tree in trees:
            shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "runs", "build", "dist"))
        limits = {}
        touched = sorted({change.module for change in chosen})
        whole = [Change(name, "", 0, "", "", ast.unparse(ast.parse((ROOT / name).read_text()))) for name in touched]
        for change, passed, took in verdicts(whole, {}, trees):
            if not passed:
                said = (trees[0] / "said.txt").read_text()
                raise SystemExit(f"{said}The tests of {change.module} fail without any change.")
            limits[change.module] = 20 + 4 * took
        for change, survived, _ in verdicts(chosen, limits, trees):
            survivors += survived
            if survived:
                print(f"{change.module}:{change.line}: {change.kind}: {change.before}  ->  {change.after}", flush=True)
    caught = len(chosen) - survivors
    print(f"{caught} of {len(chosen)} changes were noticed ({100 * caught / max(len(chosen), 1):.1f} %).")
    raise SystemExit(caught < 0.95 * len(chosen))


if __name__ == "__main__":
    main()
