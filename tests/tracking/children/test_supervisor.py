"""A child ends with the process that wants it, along with all that it has started."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# What a child starts: it says that it runs, and writes how it was ended.
GRANDCHILD = """
import signal, sys, time
from pathlib import Path
def end(number, _):
    time.sleep(0.3)
    Path(sys.argv[1]).write_text(str(number))
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("runs", flush=True)
while True:
    time.sleep(0.1)
"""
COMMAND = [sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"]
CHILD = [sys.executable, "-m", "newsclf.tracking.children.supervisor"]
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
child.wait()
"""


def started(words: list[str], **how: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **how)  # type: ignore[call-overload]
    assert process.stdout.readline() == "runs\n"
    return process


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return tmp_path / "ended"


def test_a_command_that_ends_by_itself_hands_on_its_code_and_output() -> None:
    done = subprocess.Popen(
        [*CHILD, sys.executable, "-c", "print('well'); raise SystemExit(7)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert done.stdout is not None
    assert done.stdout.read() == b"well\n"
    assert done.wait() == 7


def test_closing_its_input_ends_all_of_it_and_it_waits_for_that(ended: Path) -> None:
    command = [*CHILD, *COMMAND, "-c", GRANDCHILD, str(ended)]
    child = started(command, stdin=subprocess.PIPE, start_new_session=True)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=60) == 128 + signal.SIGTERM
    assert ended.read_text() == str(signal.SIGTERM.value)


def test_it_ends_when_the_parent_is_killed(ended: Path) -> None:
    command = [*CHILD, *COMMAND, "-c", GRANDCHILD, str(ended)]
    parent = started([sys.executable, "-c", PARENT, *command])
    parent.kill()
    parent.wait()
    end = time.monotonic() + 60
    while not ended.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert ended.read_text() == str(signal.SIGTERM.value)


def test_nothing_is_started_for_a_parent_that_is_gone_already(ended: Path) -> None:
    done = subprocess.run([*CHILD, "touch", str(ended)], stdin=subprocess.DEVNULL, start_new_session=True)
    assert done.returncode == 128 + signal.SIGTERM
    assert not ended.exists()
