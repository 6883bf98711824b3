"""What each worker gets of the GPUs and of their memory."""

from __future__ import annotations

import pytest

from sweeps.run.launchers.gpu_share import CAP, FORMER_CAP, GpuShare, memory_cap
from trainer.errors import UserError


@pytest.mark.parametrize(
    ("share", "workers", "gpus", "seen"),
    [
        (GpuShare(), 3, [], [{}, {}, {}]),
        (GpuShare(), 2, ["0"], [{"CUDA_VISIBLE_DEVICES": "0", CAP: "0.450"}] * 2),
        (GpuShare(), 1, ["4", "5"], [{"CUDA_VISIBLE_DEVICES": "4", CAP: "0.900"}]),
        (GpuShare(per_gpu=3), 1, ["4", "5"], [{"CUDA_VISIBLE_DEVICES": "4", CAP: "0.300"}]),
        (GpuShare(gpus=2), 1, ["4", "5"], [{"CUDA_VISIBLE_DEVICES": "4,5", CAP: "0.900"}]),
    ],
)
def test_what_a_worker_sees(share: GpuShare, workers: int, gpus: list[str], seen: list[dict[str, str]]) -> None:
    assert [share.environment(number + 1, workers, gpus) for number in range(workers)] == seen


def test_workers_that_nobody_dealt_out_spread_evenly() -> None:
    seen = [GpuShare().environment(number, 5, ["a", "b", "c", "d"]) for number in range(1, 6)]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in seen] == ["a", "b", "c", "d", "a"]
    assert {one[CAP] for one in seen} == {"0.450"}


@pytest.mark.parametrize("name", [CAP, FORMER_CAP])
def test_a_cap_of_the_users_own_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0.2")
    assert memory_cap(2) == {}


@pytest.mark.parametrize("sharing", [1, 2, 3, 7, 64])
def test_all_that_share_a_gpu_have_room_in_its_memory(sharing: int) -> None:
    assert 0.8 < sharing * float(memory_cap(sharing)[CAP]) < 1


@pytest.mark.parametrize(
    ("share", "workers", "gpus", "words"),
    [
        (
            GpuShare(gpus=2),
            3,
            4,
            r"3 workers with --gpus-per-worker 2 must have 6 GPUs, but this machine shows 4 \(nvidia-smi.*\)\. Start "
            "fewer, or leave --gpus-per-worker out: then all workers share what there is",
        ),
        (GpuShare(per_gpu=2), 3, 1, "3 workers with --per-gpu 2 must have 2 GPUs, but this machine shows 1"),
        (GpuShare(per_gpu=2), 1, 0, r"1 worker with .* 1 GPU, .* shows none .*\. Leave --per-gpu out: .* on the CPU"),
    ],
)
def test_more_workers_than_the_gpus_hold(share: GpuShare, workers: int, gpus: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        share.check(workers, gpus)


def test_as_many_workers_as_the_gpus_hold() -> None:
    GpuShare().check(9, 0)
    GpuShare(gpus=2).check(2, 4)
    GpuShare(per_gpu=2).check(3, 2)
