"""Files that are there whole or not at all, whatever the process or its disk comes to while they are written."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


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


def write_json(path: Path, values: Any, indent: int | None = None) -> None:
    """Write `values`, in one step. Raises OSError."""
    with in_one_step(path) as unfinished:
        unfinished.write_text(json.dumps(values, indent=indent) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file; {} where there is none, or it cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
