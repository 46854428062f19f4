"""Keeping freed memory for the next batch instead of giving it back to the system."""

import contextlib
import ctypes
import sys
from collections.abc import Iterator

# mallopt's parameter numbers (malloc.h of the GNU C library), and the library's own values.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_TRIM_DEFAULT, _MMAP_DEFAULT = 128 * 1024, 65536


@contextlib.contextmanager
def reused() -> Iterator[None]:
    """Inside, memory that is freed stays with the process; afterwards it goes back to the system.

    The C library returns every large tensor to the system at once, and the next one of the same size is new
    memory, whose pages the kernel clears and maps one by one: up to a quarter of a training step in a virtual
    machine. Does nothing where the C library is another one. Also a decorator.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if tune is None:
        yield
        return
    tune(_MMAP_MAX, 0)
    tune(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        tune(_MMAP_MAX, _MMAP_DEFAULT)
        tune(_TRIM_THRESHOLD, _TRIM_DEFAULT)
        ctypes.CDLL(None).malloc_trim(0)
