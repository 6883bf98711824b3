"""The kind of a CPU, from what Linux tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.training.cpu_kind import _limited, _of_linux, cpu_kind

INTEL = "model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\nflags\t: fpu avx avx2 avx512f amx_tile\n"
CLOUD = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t: 17\nmodel name\t: AMD EPYC\nflags\t: avx avx2 avx512f\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            f"processor\t: 0\n{INTEL}\nprocessor\t: 1\nmodel name\t: another\n",
            "Intel(R) Xeon(R) Platinum 8481C CPU, AMX",
        ),
        (CLOUD, "AMD EPYC (25/17), AVX-512"),
        (CLOUD.replace(" avx512f", ""), "AMD EPYC (25/17), AVX2"),
        (ARM, "ARM (0x41/0xd40), SVE"),
        (ARM.replace(" sve", ""), "ARM (0x41/0xd40), NEON"),
        ("flags\t: fpu\n", ""),
        ("", ""),
        (f"model name\t: {'x9' * 90}\n", "x9" * 40),
    ],
)
def test_of_linux(text: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert _of_linux(tmp_path / "cpuinfo") == kind


def test_this_machine_has_a_kind_and_a_limit_makes_another(tmp_path: Path) -> None:
    assert cpu_kind() and _of_linux(tmp_path / "missing") == ""
    assert _limited("A, AMX", {"ONEDNN_MAX_CPU_ISA": "AVX2"}) == "A, AMX, at most AVX2"
    assert _limited("A, AMX", {"DNNL_MAX_CPU_ISA": "all"}) == _limited("A, AMX", {}) == "A, AMX"
