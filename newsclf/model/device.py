"""Which processor computes, and in which arithmetic."""

import contextlib
import dataclasses
import platform
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch

from newsclf.config.shared import ComputeOptions
from newsclf.errors import InputError

Options = TypeVar("Options", bound=ComputeOptions)


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


def resolved(config: Options) -> Options:
    """The options with the device and the arithmetic that `auto` stands for here. Raises InputError as `choose`."""
    device = choose(config.device).type
    precision = "bf16" if uses_bf16(config.precision, device) else "fp32"
    return dataclasses.replace(config, device=device, precision=precision)


def uses_bf16(precision: str, device: str) -> bool:
    """Whether matrix products are in bf16: asked for, or auto where the device has instructions for them."""
    return has_bf16(device) if precision == "auto" else precision == "bf16"


def has_bf16(device: str) -> bool:
    """Whether products in bf16 are faster than in float32: a GPU's, a CPU's with tiles (AMX) or AVX-512 for them.

    Without such instructions torch computes them by way of float32, which takes several times as long.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def peak_gpu_bytes() -> int:
    """The most GPU memory this process has held; 0 without one."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
