"""One process at a time works in a folder: the one that holds its file `lock`."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsclf.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WAIT_SECONDS = 90.0  # more than a child gets to stop
BEHIND_ALL = 1 << 30  # Windows locks bytes, and lets nobody else read or write them: one where no text stands


def lock_file(opened: int, wait: bool) -> None:
    """Lock an open file, by its descriptor, for this process alone.

    Raises OSError where another process has it, which can be waited for. Raises InputError on a system that has
    neither of the two ways.
    """
    if fcntl is not None:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return
    try:
        import msvcrt
    except ImportError:
        raise InputError("this system has no lock for files that Python knows: run it on Linux, macOS or WSL") from None
    windows: Any = msvcrt
    while True:
        os.lseek(opened, BEHIND_ALL, os.SEEK_SET)
        try:
            windows.locking(opened, windows.LK_NBLCK, 1)
            return
        except OSError:
            if not wait:
                raise
            time.sleep(0.1)


class FolderLock:
    """The lock of a folder. It ends with the process, and with those that it has given the descriptor to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.descriptor: int | None = None

    def take(self) -> bool:
        """Whether this process has the lock now, or had it already. Raises FileNotFoundError without the folder."""
        if self.descriptor is None:
            opened = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                lock_file(opened, wait=False)
            except BaseException as error:
                os.close(opened)
                if not isinstance(error, OSError):
                    raise
            else:
                self.descriptor = opened
        return self.descriptor is not None

    def release(self) -> None:
        """Let others take it; without effect where this process has it not."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


@contextlib.contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """One process at a time is inside; the others wait. The file is there while one is. Raises OSError."""
    while True:
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        lock_file(opened, wait=True)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(opened), file.stat()):
                break
        os.close(opened)  # whoever had it has removed it
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()
        os.close(opened)


@contextlib.contextmanager
def held(folder: Path, wait: float = WAIT_SECONDS) -> Iterator[int]:
    """Hold the folder; yields the file descriptor that holds it, which children are given as well.

    So the folder of a call that was killed stays held until its children have stopped: that is waited for. Raises
    InputError when another process that lives holds it.
    """
    lock, file = FolderLock(folder), folder / "lock"
    end, told = time.monotonic() + wait, False
    while not lock.take():
        owner = _owner(file)
        if _lives(owner) or time.monotonic() > end:
            raise InputError(f"output_dir {folder}: process {owner} works in it: wait for it, or give another folder")
        if not told:
            print("waiting for the runs of the call that was killed to stop", flush=True)
            told = True
        time.sleep(0.2)
    assert lock.descriptor is not None
    try:
        file.write_text(str(os.getpid()), encoding="ascii")
        yield lock.descriptor
        file.write_text("", encoding="ascii")
    finally:
        lock.release()


def _owner(file: Path) -> int:
    """The process that has written its number into the lock; 0 where none has."""
    text = file.read_text(encoding="utf-8", errors="replace")[:20]
    return int(text) if text.isdigit() else 0


def _lives(process: int) -> bool:
    if process <= 0 or process == os.getpid():  # the number may have come round again
        return False
    if fcntl is None:  # Windows: a lock ends with its process, and a signal 0 would end the process
        return True
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
