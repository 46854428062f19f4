"""Progress of a long step: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

SECONDS_BETWEEN_LINES = 15.0


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """Yields a function that takes the number of units that were just finished."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=label, unit=f" {unit}", unit_scale=True) as bar:
            yield lambda count: (bar.update(count), None)[1]
        return
    done, told = 0, time.monotonic()

    def update(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            print(f"{label}: {done:,} of {total:,} {unit}", flush=True)

    yield update
