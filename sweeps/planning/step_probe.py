"""Real training steps in a process of its own, as a worker runs them: `... -m sweeps.planning.step_probe SPEC MASKS`.

Only in a process of its own is the peak memory that of the step, and a step that does not fit ends this process, not
the launcher. SPEC is the resolved spec as JSON, MASKS those to count as a JSON list; the process prints one JSON object
per line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from sweeps.spec.load import Spec, as_table, from_table
from trainer.errors import UserError
from trainer.masks import Mask

if TYPE_CHECKING:
    from trainer.training.step_cost import Cost

Say = Callable[[str], None]


def measure_step(spec: Spec, masks: Sequence[Mask] = (), say: Say = lambda message: None) -> Cost:
    """Measure what a step of this spec costs here; `say` gets each stage. Raises `UserError` if it cannot be run.

    `masks`: those whose operations are to be counted.
    """
    listed = [[list(mask.blocks), mask.of] for mask in masks]
    command = [sys.executable, "-m", "sweeps.planning.step_probe", json.dumps(as_table(spec)), json.dumps(listed)]
    cost: Cost | None = None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", errors="replace"
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if line.startswith("{"):
                        stage, cost = _parse_line(line)
                        say(stage)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        error_text = errors.read()
    if cost is None:
        raise UserError(_failure_message(spec, process.returncode, error_text))
    return cost


def _parse_line(line: str) -> tuple[str, Cost | None]:
    """A line of the process: the stage that it is in, or what the step cost."""
    from trainer.training.step_cost import Cost

    fields = json.loads(line)
    return (fields["stage"], None) if "stage" in fields else ("", Cost(**fields))


def _failure_message(spec: Spec, code: int, errors: str) -> str:
    """Why a step failed: nearly always because the memory does not suffice."""
    model, batch = spec.settings.model, spec.settings.train.batch
    network = f"with {model.filters} filters" if model.path is None else f"through {model.name}"
    last = errors.strip().splitlines()[-1][:300] if errors.strip() else ""
    cause = f"the system ended it (signal {-code})" if code < 0 else f"it ended with code {code}: {last}"
    return (
        f"One training step of {batch} images, {model.size}x{model.size} {network}, must run here, "
        f"but {cause}. Most likely the memory does not suffice: set a smaller train.batch, model.filters or "
        "model.size, or use a machine with more."
    )


def main(arguments: list[str]) -> int:
    """Measure and print."""
    table, listed = map(json.loads, arguments)
    spec = from_table(table)
    from sweeps.environment.keras_backend import prepare_backend

    train = spec.settings.train
    prepare_backend(deterministic=train.deterministic, precision=train.precision)
    from trainer.network.user_model import network_of
    from trainer.training.step_cost import measured_cost

    def say(stage: str) -> None:
        print(json.dumps({"stage": stage}), flush=True)

    masks = [Mask(tuple(blocks), of) for blocks, of in listed]
    cost = measured_cost(network_of(spec.settings.model), spec.settings, masks, say)
    print(json.dumps(asdict(cost)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
