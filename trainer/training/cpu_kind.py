"""Which kind of CPU this is, as far as numbers depend on it: its model, and the instructions that kernels may use.

oneDNN chooses its kernels by these instructions, and each set of kernels adds up in another order.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LONGEST = 80  # characters of a model's name
# Flags of /proc/cpuinfo, best first: what stands first here is what kernels use.
INSTRUCTIONS = (
    ("amx_tile", "AMX"),
    ("avx512f", "AVX-512"),
    ("avx2", "AVX2"),
    ("avx", "AVX"),
    ("sse4_2", "SSE4"),
    ("sve", "SVE"),
    ("asimd", "NEON"),
)
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")  # oneDNN's variable, and its former name


@cache
def cpu_kind() -> str:
    """The kind of this machine's CPU, such as `AMD EPYC 9R14, AVX-512`."""
    return _limited(_of_linux(Path("/proc/cpuinfo")) or _of_mac() or platform.machine() or "unknown", os.environ)


def _of_linux(path: Path) -> str:
    """The kind that /proc/cpuinfo tells; "" where there is none."""
    try:
        first = path.read_text("utf-8", "replace").partition("\n\n")[0]
    except OSError:
        return ""
    table = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    flags = (table.get("flags") or table.get("Features") or "").split()
    best = next((words for flag, words in INSTRUCTIONS if flag in flags), "")
    return ", ".join(filter(None, (_model(table), best)))


def _model(table: Mapping[str, str]) -> str:
    """The model's name without its clock rate; its numbers where a virtual machine hides the name, or none is told."""
    name = " ".join(table.get("model name", "").partition("@")[0].split())[:LONGEST]
    if any(letter.isdigit() for letter in name):
        return name
    keys = ("cpu family", "model") if name else ("CPU implementer", "CPU part")
    numbers = "/".join(table[key] for key in keys if key in table)
    return f"{name or 'ARM'} ({numbers})" if numbers else name


def _of_mac() -> str:
    if platform.system() != "Darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join(told.split())[:LONGEST]


def _limited(kind: str, environment: Mapping[str, str]) -> str:
    """A limit that the user set on the instructions makes another kind."""
    limit = next((environment[name] for name in LIMITS if environment.get(name)), "")
    return f"{kind}, at most {limit}" if limit and limit.upper() not in ("ALL", "DEFAULT") else kind
