"""The login database as a stream: whole while somebody writes to it, and put back in place."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "infra" / "mlflow" / "login.py"


def login(database: Path, word: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, SCRIPT, word],
        env={"NEWSCLF_LOGIN_DATABASE": str(database)},
        input=given,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "login.db"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        made.execute("CREATE TABLE permissions (user_id INTEGER)")
        made.commit()
    return path


def add(path: Path, number: int) -> None:
    """A user and a permission, together."""
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as opened, opened:
        opened.execute("PRAGMA synchronous = OFF")
        opened.execute("INSERT INTO users VALUES (?, ?)", (number, "x" * 2000))
        opened.execute("INSERT INTO permissions VALUES (?)", (number,))


def test_a_copy_comes_back_and_replaces_what_is_there(database: Path) -> None:
    for number in range(3):
        add(database, number)
    taken = login(database, "dump")
    assert taken.returncode == 0, taken.stderr
    for number in range(3, 9):
        add(database, number)
    assert login(database, "count").stdout == b"9\n"
    assert login(database, "load", taken.stdout).returncode == 0
    assert login(database, "count").stdout == b"3\n"


def test_a_copy_is_whole_while_somebody_writes(database: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            add(database, number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [login(database, "dump") for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    for number, copy in enumerate(copies):
        assert copy.returncode == 0, copy.stderr
        path = tmp_path / f"{number}.db"
        path.write_bytes(copy.stdout)
        with contextlib.closing(sqlite3.connect(path)) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert (
                opened.execute("SELECT COUNT(*) FROM users").fetchone()
                == opened.execute("SELECT COUNT(*) FROM permissions").fetchone()
            )


@pytest.mark.parametrize("given", [b"", b"no database at all"])
def test_what_is_no_login_database_is_not_put_in_its_place(database: Path, given: bytes) -> None:
    add(database, 1)
    done = login(database, "load", given)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert login(database, "count").stdout == b"1\n"


def test_before_the_first_start_there_are_no_users_and_no_copy(tmp_path: Path) -> None:
    assert login(tmp_path / "none.db", "count").stdout == b"0\n"
    done = login(tmp_path / "none.db", "dump")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"has the server ever run?" in done.stderr
    assert not (tmp_path / "none.db").exists()
