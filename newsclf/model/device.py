"""Which processor computes, and in which arithmetic."""

import contextlib
import platform
from pathlib import Path
from typing import NamedTuple

import torch

from newsclf.errors import InputError


class Device(NamedTuple):
    type: str  # cpu, cuda, mps
    name: str


def choose(wanted: str) -> Device:
    """The device for the option `device`. Raises InputError where it is not there."""
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return Device("cuda", torch.cuda.get_device_name())
    if wanted in ("auto", "mps") and torch.backends.mps.is_available():
        return Device("mps", "Apple GPU")
    if wanted in ("auto", "cpu"):
        return Device("cpu", f"{_processor()}, {torch.get_num_threads()} threads")
    raise InputError(f"option device is {wanted}: there is no such device here; use auto or cpu")


def _processor() -> str:
    """Its model, which decides what the arithmetic's last bits are."""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def uses_bf16(precision: str, device: str) -> bool:
    """Whether matrix products are in bf16: asked for, or auto on a GPU that has it."""
    if precision == "auto":
        return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bf16"


def peak_gpu_bytes() -> int:
    """The most GPU memory this process has held; 0 without one."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
