"""Inside `reused` freed memory stays with the process; afterwards it goes back to the system."""

import platform
import resource
from pathlib import Path

import pytest
import torch

from newsclf.model import allocator


def page_faults_of_a_tensor() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(4_000_000)  # 16 MB: 3,900 pages of 4 KB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not GNU's")
def test_freed_memory_is_used_again_and_given_back() -> None:
    with allocator.reused():
        for _ in range(20):  # until a freed place fits with its alignment
            page_faults_of_a_tensor()
        assert sum(page_faults_of_a_tensor() for _ in range(5)) < 1000
        torch.zeros(50_000_000)
        kept = resident_bytes()
    assert kept - resident_bytes() > 150_000_000
