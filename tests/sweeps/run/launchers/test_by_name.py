"""Launchers by their names: what an option says, what is refused, and how many workers there may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweeps.run.launchers.by_name import NAMES, OWNERS, check_workers, make_launcher
from sweeps.run.launchers.gpu_share import GpuShare
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.launchers.none import NoLauncher
from sweeps.run.launchers.ray import RayLauncher
from sweeps.run.launchers.slurm import SlurmLauncher
from sweeps.spec.search_section import Search
from trainer.errors import UserError


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({"name": "local", "gpus": 2}, LocalLauncher(GpuShare(2))),
        ({"name": "local", "gpus": 1, "per_gpu": 1}, LocalLauncher(GpuShare(1))),
        ({"name": "local", "per_gpu": 3}, LocalLauncher(GpuShare(per_gpu=3))),
        ({"name": "none"}, NoLauncher()),
        ({"name": "ray"}, RayLauncher("auto")),
        (
            {"name": "ray", "address": "h:6379", "gpus": 1, "worker_home": Path("/x")},
            RayLauncher("h:6379", GpuShare(1), Path("/x")),
        ),
        ({"name": "ray", "per_gpu": 2}, RayLauncher(share=GpuShare(per_gpu=2))),
        ({"name": "slurm", "slurm": ["time=1"], "gpus": 1}, SlurmLauncher({"time": "1"}, 1)),
        ({"name": "slurm", "slurm": ["time=1"], "wait": True}, SlurmLauncher({"time": "1"}, wait=True)),
    ],
)
def test_each_gets_its_options(options: dict[str, Any], made: object) -> None:
    assert make_launcher(**options) == made


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "kubernetes"}, "must be one of local, ray, slurm, none"),
        ({"name": "local", "gpus": -1}, "--gpus-per-worker must be 0 or more"),
        ({"name": "local", "per_gpu": 0}, "--per-gpu must be 1 or more, but got 0"),
        ({"name": "local", "gpus": 1, "per_gpu": 2}, "--gpus-per-worker 1 gives.*--per-gpu 2 lets.*Give one of them"),
        ({"name": "slurm", "per_gpu": 2}, r"--per-gpu 2 is for --launcher local and ray.*--slurm gres=shard:1"),
        ({"name": "none", "per_gpu": 2}, "--per-gpu goes with --launcher local or ray, but the launcher is none"),
        ({"name": "local", "address": "auto"}, "--address goes with --launcher ray, but the launcher is local"),
        ({"name": "ray", "slurm": ["time=1"]}, "--slurm goes with --launcher slurm"),
        ({"name": "ray", "wait": True}, "--wait goes with --launcher slurm"),
        ({"name": "local", "worker_home": Path("/x")}, "--worker-home goes with --launcher ray or slurm"),
    ],
)
def test_what_is_not_its_own_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_launcher(**options)


def test_how_many_workers() -> None:
    local, array = LocalLauncher(), SlurmLauncher({"array": "1-40%8"})
    tuned = Search(engine="keras-tuner")
    assert check_workers(None, Search(), local) == local.default_workers() >= 1
    assert check_workers(None, Search(), array) == 40
    assert check_workers(None, tuned, array) == 1 and check_workers(3, Search(), array) == 3
    for workers, launcher, words in ((0, local, "at least 1"), (None, SlurmLauncher(), "--workers 8")):
        with pytest.raises(UserError, match=words):
            check_workers(workers, Search(), launcher)


def test_every_owner_is_a_launcher() -> None:
    assert {owner for owners in OWNERS.values() for owner in owners} <= set(NAMES)
