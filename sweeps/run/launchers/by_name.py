"""The launchers by their names, and how many workers a sweep may have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sweeps.run.launchers.contract import Launcher
from sweeps.run.launchers.gpu_share import GpuShare
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.launchers.none import NoLauncher
from sweeps.run.launchers.ray import RayLauncher
from sweeps.run.launchers.sbatch_script import parse_options
from sweeps.run.launchers.slurm import SlurmLauncher
from sweeps.spec.search_section import Search
from trainer.errors import UserError

NAMES = ("local", "ray", "slurm", "none")
OWNERS = {
    "--address": ("ray",),
    "--slurm": ("slurm",),
    "--wait": ("slurm",),
    "--worker-home": ("ray", "slurm"),
    "--per-gpu": ("local", "ray"),
}


def make_launcher(
    name: str,
    *,
    address: str | None = None,
    gpus: int = 0,
    per_gpu: int | None = None,
    slurm: Sequence[str] = (),
    wait: bool = False,
    worker_home: Path | None = None,
) -> Launcher:
    """The launcher called `name`, with its options. Raises `UserError` for another name, and for an option that is not
    the launcher's.
    """
    if name not in NAMES:
        raise UserError(f"--launcher must be one of {', '.join(NAMES)}, but got {name!r}.")
    share = _share(name, gpus, per_gpu)
    given = {
        "--address": address,
        "--slurm": slurm,
        "--wait": wait,
        "--worker-home": worker_home,
        "--per-gpu": per_gpu,
    }
    for option, owners in OWNERS.items():
        if given[option] and name not in owners:
            raise UserError(f"{option} goes with --launcher {' or '.join(owners)}, but the launcher is {name}.")
    if name == "none":
        return NoLauncher()
    if name == "ray":
        return RayLauncher(address or "auto", share, worker_home)
    if name == "slurm":
        return SlurmLauncher(parse_options(slurm), gpus, wait, worker_home)
    return LocalLauncher(share)


def _share(name: str, gpus: int, per_gpu: int | None) -> GpuShare:
    """What each worker gets of the GPUs. Raises `UserError` for numbers that give none, and for both ways at once."""
    if gpus < 0:
        raise UserError(f"--gpus-per-worker must be 0 or more, but got {gpus}.")
    if per_gpu is None:
        return GpuShare(gpus)
    if per_gpu < 1:
        raise UserError(f"--per-gpu must be 1 or more, but got {per_gpu}.")
    if name == "slurm":
        raise UserError(
            f"--per-gpu {per_gpu} is for --launcher local and ray: on SLURM the cluster shares its GPUs itself, where "
            "it does. Ask for a part as your cluster calls it, such as --slurm gres=shard:1."
        )
    if gpus and per_gpu > 1:
        raise UserError(
            f"--gpus-per-worker {gpus} gives each worker GPUs of its own, --per-gpu {per_gpu} lets workers share one. "
            "Give one of them."
        )
    return GpuShare(gpus) if gpus else GpuShare(per_gpu=per_gpu)


def check_workers(workers: int | None, search: Search, launcher: Launcher) -> int:
    """How many workers; None: as many as the launcher has room for, or the one that KerasTuner takes. Raises
    `UserError` for less than one, and for more where KerasTuner searches.
    """
    one_process_only = search.engine == "keras-tuner"
    if workers is None:
        return 1 if one_process_only else launcher.default_workers()
    if workers < 1:
        raise UserError(f"--workers must be at least 1, but got {workers}.")
    if one_process_only and workers > 1:
        raise UserError(
            f"--workers must be 1 where 'search.engine' is 'keras-tuner', but got {workers}: KerasTuner's searches "
            "know one process only. Leave --workers out, or set search.engine=optuna."
        )
    return workers
