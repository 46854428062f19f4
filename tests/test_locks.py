"""One process at a time works on a sweep's folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsclf import locks
from newsclf.errors import InputError
from newsclf.locks import FolderLock, exclusive, held, lock_file

HOLD = """
import sys, subprocess
from pathlib import Path
from newsclf.locks import held
with held(Path(sys.argv[1])) as lock:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0, pass_fds=(lock,))
    print("held", flush=True)
    child.wait()
"""


INSIDE = """
import sys
from pathlib import Path
from newsclf.locks import exclusive
number = Path(sys.argv[2])
for _ in range(20):
    with exclusive(Path(sys.argv[1])):
        number.write_text(str(int(number.read_text()) + 1))
"""


def test_one_process_at_a_time_is_inside_and_the_file_goes_with_the_last(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0")
    command = [sys.executable, "-c", INSIDE, str(tmp_path / "lock"), str(tmp_path / "number")]
    for process in [subprocess.Popen(command) for _ in range(4)]:
        assert process.wait(60) == 0
    assert (tmp_path / "number").read_text() == "80"
    assert not (tmp_path / "lock").exists()
    with pytest.raises(FileNotFoundError), exclusive(tmp_path / "no" / "lock"):
        pass


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()  # type: ignore[union-attr]  # which ends its child
    process.kill()
    process.wait()


def test_a_second_process_is_refused_at_once(holder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"process {holder.pid} works in it"), held(tmp_path):
        pass


def test_of_a_process_that_was_killed_the_children_are_waited_for(holder, tmp_path: Path, capsys) -> None:
    holder.kill()
    holder.wait()
    with pytest.raises(InputError), held(tmp_path, wait=0.5):
        pass
    assert "waiting for the runs of the call that was killed" in capsys.readouterr().out
    holder.stdin.close()
    with held(tmp_path, wait=60) as lock:
        assert lock > 2


def test_it_can_be_held_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path):
            pass


def test_a_lock_is_had_by_one_and_given_back(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()
    second.release()
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "none").take()


class Msvcrt:
    """Windows' module, as far as it is used: a lock of a byte, which no other descriptor can take."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.locked: dict[int, int] = {}  # inode: descriptor
        self.refused = 0

    def locking(self, opened: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        assert os.lseek(opened, 0, os.SEEK_CUR) > 2**20, "whoever has the lock writes its number into the file"
        inode = os.fstat(opened).st_ino
        if self.locked.get(inode, opened) != opened and is_open(self.locked[inode]):
            self.refused += 1
            if self.refused > 2:
                os.close(self.locked[inode])
            raise PermissionError(13, "Permission denied")
        self.locked[inode] = opened


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Msvcrt:
    stand_in = Msvcrt()
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", stand_in)
    return stand_in


def test_windows_has_a_lock_too(windows: Msvcrt, tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_the_lock_of_windows_is_waited_for(windows: Msvcrt, tmp_path: Path) -> None:
    opened = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    lock_file(opened[0], wait=True)
    lock_file(opened[1], wait=True)
    assert windows.refused == 3
    os.close(opened[1])


def test_a_process_is_not_asked_on_windows_whether_it_lives(windows: Msvcrt, monkeypatch: pytest.MonkeyPatch) -> None:
    """os.kill(process, 0) ends it there, or every process of the console."""
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("killed"))
    assert locks._lives(os.getppid())


def test_without_any_lock_the_error_says_where_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with pytest.raises(InputError, match="this system has no lock for files .* Linux, macOS or WSL"):
        FolderLock(tmp_path).take()
