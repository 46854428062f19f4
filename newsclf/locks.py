"""One process at a time works in a folder, and it knows when the last child of the one before is gone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from newsclf.errors import InputError

WAIT_SECONDS = 90.0  # more than a child gets to stop


@contextlib.contextmanager
def held(folder: Path, wait: float = WAIT_SECONDS) -> Iterator[int]:
    """Hold the folder; yields the file descriptor that holds it, which children are given as well.

    So the folder of a call that was killed stays held until its children have stopped: that is waited for. Raises
    InputError when another process that lives holds it.
    """
    opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end, told = time.monotonic() + wait, False
        while not _taken(opened):
            owner = _owner(opened)
            if _lives(owner) or time.monotonic() > end:
                raise InputError(
                    f"output_dir {folder}: process {owner} works in it: wait for it, or give another folder"
                )
            if not told:
                print("waiting for the runs of the call that was killed to stop", flush=True)
                told = True
            time.sleep(0.2)
        os.truncate(opened, 0)
        os.pwrite(opened, str(os.getpid()).encode(), 0)
        yield opened
        os.truncate(opened, 0)
    finally:
        os.close(opened)


def _taken(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _owner(opened: int) -> int:
    text = os.pread(opened, 20, 0).decode(errors="replace")
    return int(text) if text.isdigit() else 0


def _lives(process: int) -> bool:
    if process <= 0 or process == os.getpid():  # the number may have come round again
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(process)


def _zombie(process: int) -> bool:
    with contextlib.suppress(OSError):  # no /proc: not Linux
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    return False
