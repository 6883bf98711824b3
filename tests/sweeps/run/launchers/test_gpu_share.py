"""What each worker gets of the GPUs and of their memory."""

from __future__ import annotations

import pytest

from sweeps.run.launchers.gpu_share import CAP, FORMER_CAP, STEPS, GpuShare, memory_cap


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


@pytest.mark.parametrize("sharing", [1, 2, 3, 6, 7, 9, 64])
def test_all_that_share_a_gpu_have_room_on_ray_and_in_its_memory(sharing: int) -> None:
    of_one = GpuShare(per_gpu=sharing).of_one
    assert sharing * round(of_one * STEPS) <= STEPS < (sharing + 1) * round(of_one * STEPS) + sharing
    assert sharing * float(memory_cap(sharing)[CAP]) < 1
