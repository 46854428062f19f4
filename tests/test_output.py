"""Output that nobody reads ends no work: a pipe whose reader has ended, a terminal that is gone; stdout and stderr."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import newsclf

ROOT = Path(newsclf.__file__).parents[1]
WORK = """
import sys
from newsclf.output import outlive_readers
outlive_readers()
stream = getattr(sys, sys.argv[1])
sys.stdin.readline()
for number in range(3000):
    print("a line of some length", number, file=stream, flush=number % 2 == 0)
open(sys.argv[2], "w").write("done")
"""


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_work_goes_on_when_the_reader_has_gone(name: str, tmp_path: Path) -> None:
    command, pipe = [sys.executable, "-c", WORK, name, str(tmp_path / "end")], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        stream = getattr(process, name)
        stream.close()
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        other = process.stderr if name == "stdout" else process.stdout
        assert other is not None
        assert other.read() == b""
    assert process.returncode == 0
    assert (tmp_path / "end").read_text() == "done"


def test_the_work_goes_on_when_the_terminal_has_gone(tmp_path: Path) -> None:
    leader, terminal = os.openpty()
    command = [sys.executable, "-c", WORK, "stdout", str(tmp_path / "end")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=terminal, start_new_session=True) as process:
        os.close(terminal)
        os.close(leader)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
    assert process.returncode == 0
    assert (tmp_path / "end").read_text() == "done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_still_an_error(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", WORK, "stdout", str(tmp_path / "end")],
            cwd=ROOT, input=b"\n", stdout=full, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert os.strerror(errno.ENOSPC).encode() in done.stderr
    assert not (tmp_path / "end").exists()


def test_every_character_is_printed_somehow() -> None:
    program = "from newsclf.output import outlive_readers\noutlive_readers()\nprint('科技 \\ud800 é')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "latin-1"}
    )
    assert done.stdout == b"\\u79d1\\u6280 \\ud800 \xe9\n"


def test_closed_streams_stay_closed() -> None:
    program = "from newsclf.output import outlive_readers\noutlive_readers()\nprint('x')"
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{program}" >&- 2>&-'], cwd=ROOT)
    assert done.returncode == 0
