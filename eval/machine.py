"""The machine a figure was measured on: no figure is worth much without it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores`: those this process may use. `torch_threads`: None while torch is not loaded."""

    cpu: str
    cores: int
    torch_threads: int | None
    memory_gb: float | None
    system: str
    python: str

    def __str__(self) -> str:
        memory = "unknown memory" if self.memory_gb is None else f"{self.memory_gb:.0f} GB"
        threads = "torch not loaded" if self.torch_threads is None else f"{self.torch_threads} torch threads"
        return f"{self.cpu}, {self.cores} cores, {threads}, {memory}, {self.system}, Python {self.python}"


def machine() -> Machine:
    """This machine, now."""
    torch = sys.modules.get("torch")
    return Machine(
        cpu=_proc("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        torch_threads=torch.get_num_threads() if torch else None,
        memory_gb=_gigabytes(_proc("/proc/meminfo", "MemTotal")),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of this process in GB, now and at its highest; None where the system does not tell."""

    now_gb: float | None
    peak_gb: float | None


def memory() -> Memory:
    """Resident memory of this process, as Linux reports it."""
    status = "/proc/self/status"
    return Memory(_gigabytes(_proc(status, "VmRSS")), _gigabytes(_proc(status, "VmHWM")))


def _gigabytes(kilobytes: str | None) -> float | None:
    return int(kilobytes.split()[0]) * 1024 / 1e9 if kilobytes else None


def _proc(path: str, key: str) -> str | None:
    """The first `key: value` line of a /proc file; None where there is no such file or line."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == key), None)
