"""One process at a time works on a sweep's folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.locks import FolderLock, held

HOLD = """
import sys, subprocess
from pathlib import Path
from newsclf.locks import held
with held(Path(sys.argv[1])) as lock:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0, pass_fds=(lock,))
    print("held", flush=True)
    child.wait()
"""


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
