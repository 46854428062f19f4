"""Progress of a long step: a bar on a terminal, a few plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Protocol

SECONDS_BETWEEN_LINES = 15.0


class Update(Protocol):
    def __call__(self, count: int, note: str = "") -> None:
        """count: units that were just finished; note: what else there is to tell, which is shown at once."""


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "rows") -> Iterator[Update]:
    """Yields the function that is told of what is done."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=label, unit=f" {unit}", unit_scale=True) as bar:

            def advance(count: int, note: str = "") -> None:
                if note:
                    bar.set_postfix_str(note, refresh=False)
                bar.update(count)

            yield advance
        return
    done, told = 0, time.monotonic()

    def update(count: int, note: str = "") -> None:
        nonlocal done, told
        done += count
        if note or time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            print(f"{label}: {done:,} of {total:,} {unit}" + (f", {note}" if note else ""), flush=True)

    yield update
