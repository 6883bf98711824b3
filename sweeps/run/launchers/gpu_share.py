"""How workers and GPUs belong together: a worker has some to itself, or several workers share each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from sweeps.environment.gpus import VISIBLE
from trainer.errors import UserError

SHARED = 0.9  # of a GPU's memory for all its workers; the rest is for CUDA and for the launcher, which prepares a sweep
CAP = "XLA_CLIENT_MEM_FRACTION"
FORMER_CAP = "XLA_PYTHON_CLIENT_MEM_FRACTION"  # JAX refuses both at once


@dataclass(frozen=True)
class GpuShare:
    """`gpus`: how many each worker has to itself; `per_gpu`: how many workers share each. 0: nobody said; not both.

    Workers that share a GPU have a part of its memory each, which JAX keeps to. TensorFlow has no variable for such a
    limit: each process takes what it needs when it needs it (`prepare_backend`), and nothing keeps one from taking all.
    """

    gpus: int = 0
    per_gpu: int = 0

    @property
    def is_said(self) -> bool:
        """Whether somebody asked for GPUs."""
        return bool(self.gpus or self.per_gpu)

    @property
    def option(self) -> str:
        """The option that asked."""
        return f"--per-gpu {self.per_gpu}" if self.per_gpu else f"--gpus-per-worker {self.gpus}"

    @property
    def of_one(self) -> float:
        """GPUs of one worker, as Ray counts them.

        >>> GpuShare(gpus=2).of_one, GpuShare(per_gpu=4).of_one, GpuShare().of_one
        (2, 0.25, 0)
        """
        return 1 / self.per_gpu if self.per_gpu else self.gpus

    def room(self, gpus: int) -> int:
        """How many workers so many GPUs hold."""
        return gpus // self.gpus if self.gpus else gpus * max(1, self.per_gpu)

    def check(self, workers: int, gpus: int) -> None:
        """Raise `UserError` where somebody asked for more than so many GPUs for these workers."""
        needed = workers * self.gpus if self.gpus else ceil(workers / max(1, self.per_gpu))
        if not self.is_said or needed <= gpus:
            return
        option = self.option.split()[0]
        if gpus:
            advice = f"Start fewer, or leave {option} out: then all workers share what there is."
        else:
            advice = f"Leave {option} out: then all workers train on the CPU."
        raise UserError(
            f"{_counted(workers, 'worker')} with {self.option} must have {_counted(needed, 'GPU')}, but this machine "
            f"shows {gpus or 'none'} (nvidia-smi -L, CUDA_VISIBLE_DEVICES). {advice}"
        )

    def environment(self, number: int, workers: int, gpus: Sequence[str]) -> dict[str, str]:
        """What shows worker `number`, from 1, its part of `gpus` alone. Where nobody said, all spread evenly."""
        if not gpus:
            return {}
        if self.gpus:
            own = gpus[(number - 1) * self.gpus : number * self.gpus]
            return {VISIBLE: ",".join(own), **memory_cap(1)}
        if self.per_gpu:
            return {VISIBLE: gpus[(number - 1) // self.per_gpu], **memory_cap(self.per_gpu)}
        return {VISIBLE: gpus[(number - 1) % len(gpus)], **memory_cap(ceil(workers / len(gpus)))}


NOTHING_SAID = GpuShare()


def memory_cap(sharing: int) -> dict[str, str]:
    """What keeps JAX to its part of a GPU's memory where `sharing` workers are on it; a cap of the user's own holds."""
    if CAP in os.environ or FORMER_CAP in os.environ:
        return {}
    return {CAP: f"{SHARED / sharing:.3f}"}


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
