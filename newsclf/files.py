"""Files that are there whole or not at all, whatever the process or its disk comes to while they are written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """The path of a file beside `path`, to be written inside, which then takes its place; its folder is made.

    After an error nothing is left of it, and `path` is what it was. Raises OSError.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
