"""Mangled inputs, each read by thaw and judged: `python -m tests.fuzz [--cases 10000] [--seed 0]`.

Every case must be read as before, as a reading without thaw reads it, or be refused in words: no traceback, no hang, no
file half-written. Cases run in a process of its own, whose memory is limited; one that dies is a failure, and the next
goes on behind it. A failing case is run again by its seed and number, which the table's lines say; `--keep FOLDER`
keeps its mutated input. Ends with 1 where anything fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import tests.conftest  # noqa: F401  # the surroundings of the tests, set before anything heavy is imported
from tests.fuzz.judging import SECONDS, VERDICTS, Judged, judged
from tests.fuzz.shelf import KINDS, kind_of

SPARE_BYTES = 6 * 2**30  # beyond what the process holds before the first case


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="only the one with this number")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default: 0)")
    parser.add_argument("--kind", action="append", help=f"only cases of this kind: {', '.join(k.name for k in KINDS)}")
    parser.add_argument("--keep", type=Path, help="folder for the mutated inputs of cases that fail, or of --case")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # the process that runs the cases
    given = parser.parse_args()
    first, end = (given.case, given.case + 1) if given.case is not None else (given.first, given.first + given.cases)
    numbers = [n for n in range(first, end) if not given.kind or kind_of(n).name in given.kind]
    if given.here:
        return run_here(given.seed, numbers, given.keep)
    found = []
    for one in run_apart(given.seed, numbers, sys.argv[1:]):
        found.append(one)
        if one.verdict == "FAILED" or given.case is not None:
            print(f"\n{one.kind}, seed {given.seed}, number {one.number}: {one.verdict}\n{one.why}")
            print(f"python -m tests.fuzz --seed {given.seed} --case {one.number} --keep FOLDER", flush=True)
            if given.keep and given.case is None and one.verdict == "FAILED":
                judged(kind_of(one.number), given.seed, one.number, given.keep / str(one.number))
    print(f"\nseed {given.seed}, {len(found)} cases, each within {SECONDS:g} s\n{table(found)}")
    return any(one.verdict == "FAILED" for one in found)


def run_here(seed: int, numbers: Sequence[int], keep: Path | None) -> int:
    """Run cases in this process: a line of JSON before each and one behind it."""
    if any(kind_of(number).name == "network" for number in numbers):
        from sweeps.environment.keras_backend import prepare_backend

        prepare_backend()
        import trainer.network.user_model  # noqa: F401
    limit_memory()
    for number in numbers:
        print(json.dumps({"begins": number}), flush=True)
        print(
            json.dumps(asdict(judged(kind_of(number), seed, number, keep if len(numbers) == 1 else None))), flush=True
        )
    return 0


def run_apart(seed: int, numbers: Sequence[int], arguments: Sequence[str]) -> Iterator[Judged]:
    """Run cases in a process of their own, and go on in another one behind a case that ends it."""
    rest = list(numbers)
    while rest:
        begun, last = None, ""
        command = [sys.executable, "-m", "tests.fuzz", *without(arguments), "--here", "--first", str(rest[0])]
        command += ["--cases", str(rest[-1] - rest[0] + 1)]
        # Into a file: a pipe that nobody empties would stop the process.
        with (
            tempfile.TemporaryFile("w+", errors="replace") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                if "begins" in said:
                    begun = said["begins"]
                else:
                    rest.pop(0)
                    yield Judged(**said)
            process.wait()
            errors.seek(0)
            last = errors.read()[-3000:]
        if rest and rest[0] != begun:
            raise SystemExit(f"The process that runs the cases did not begin: {last}")
        if rest:
            number = rest.pop(0)
            yield Judged(kind_of(number).name, number, "FAILED", 0, f"ended the process ({process.returncode}): {last}")


def without(arguments: Sequence[str]) -> list[str]:
    """The arguments that the process of the cases takes over: not which ones."""
    kept, skipped = [], False
    for word in arguments:
        name = word.partition("=")[0]
        if skipped:
            skipped = False
        elif name in ("--cases", "--first", "--case") or (name == "--keep" and "--case" not in arguments):
            skipped = "=" not in word
        else:
            kept.append(word)
    return kept


def limit_memory() -> None:
    """Let a case that asks for gigabytes fail in this process instead of filling the machine. Linux only."""
    import resource

    import sweeps.cli  # noqa: F401  # what is imported here is paid for once
    import trainer.data.survey  # noqa: F401

    status = Path("/proc/self/status")
    if status.exists():
        held = int(status.read_text().split("VmSize:")[1].split()[0]) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (held + SPARE_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))


def table(found: Sequence[Judged]) -> str:
    """A line for each kind: how many cases, what became of them, and the slowest in seconds."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.kind][one.verdict] += 1
        counts["all"][one.verdict] += 1
    lines = [f"{'kind':24}{'cases':>7}" + "".join(f"{verdict:>12}" for verdict in VERDICTS) + "  slowest"]
    for kind in (*(kind.name for kind in KINDS if kind.name in counts), "all"):
        cells = "".join(f"{counts[kind][verdict]:12}" for verdict in VERDICTS)
        slow = max((one for one in found if kind in (one.kind, "all")), key=lambda one: one.seconds, default=None)
        slowest = f"{slow.seconds:8.2f} s (number {slow.number})" if slow else ""
        lines.append(f"{kind:24}{sum(counts[kind].values()):7}{cells}{slowest}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
