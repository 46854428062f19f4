"""Files that are there whole or not at all, whatever the process or its disk comes to while they are written."""

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsclf.errors import InputError, disk_full


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """The path of a file beside `path`, to be written inside, which then takes its place; its folder is made.

    After an error nothing is left of it, and `path` is what it was; after a power cut it is either of the two. Who may
    read it stays. Raises OSError.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        if path.exists():
            shutil.copymode(path, unfinished)
        _to_the_disk(unfinished)
        os.replace(unfinished, path)
        with contextlib.suppress(OSError):  # not every file system does this for a folder
            _to_the_disk(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _to_the_disk(path: Path) -> None:
    """What was written is on the disk, and not only on its way there."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def filled_in_one_step(folder: Path, last: str) -> Iterator[Path]:
    """A folder inside `folder`, to be filled inside, whose entries then move up, `last` as the last of them.

    So the folder is whole as soon as it has that one. After an error nothing is left of them. Raises OSError.
    """
    unfinished = folder / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        for entry in sorted(unfinished.iterdir(), key=lambda entry: (entry.name == last, entry.name)):
            entry.replace(folder / entry.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_json(path: Path, values: Any, indent: int | None = None, option: str = "output_dir") -> None:
    """Write `values`, in one step.

    option: that has named the folder. A file that cannot be written is bad input then (InputError); an OSError where no
    option has ("") or the disk is full.
    """
    try:
        with in_one_step(path) as unfinished:
            unfinished.write_text(json.dumps(values, indent=indent) + "\n", encoding="utf-8")
    except OSError as error:
        if disk_full(error) or not option:
            raise
        raise InputError(f"{path} cannot be written ({error.strerror}): give another {option}") from None


def file_checksum(path: Path, algorithm: str = "sha256") -> str:
    """The hex digest of the file by one of hashlib's algorithms."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file; {} where there is none, or it cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
