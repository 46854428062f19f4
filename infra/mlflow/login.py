"""The login database (SQLite, at NEWSCLF_LOGIN_DATABASE) as a stream, and back.

python login.py dump > login.db     a consistent copy, while the server writes
python login.py load < login.db     the copy in its place
python login.py count               how many users it has; 0 where there is none yet
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from pathlib import Path


def copy(source: Path, target: Path) -> None:
    """Page by page, under SQLite's own locks: https://www.sqlite.org/backup.html"""
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other)


def dump(database: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder, "login.db")
        copy(database, taken)
        with taken.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


def load(database: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "login.db")
        with given.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        users(given)  # raises where this is no login database
        copy(given, database)


def users(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT COUNT(*) FROM users").fetchone()[0])


def main(arguments: list[str]) -> int:
    path = os.environ.get("NEWSCLF_LOGIN_DATABASE", "")
    if not path or arguments not in (["dump"], ["load"], ["count"]):
        print(__doc__, file=sys.stderr)
        return 2
    database = Path(path)
    if arguments == ["count"] and not database.exists():
        print(0)
        return 0
    if arguments == ["dump"] and not database.exists():
        print(f"there is no login database {database}: has the server ever run?", file=sys.stderr)
        return 2
    try:
        if arguments == ["count"]:
            print(users(database))
        else:
            {"dump": dump, "load": load}[arguments[0]](database)
    except (OSError, sqlite3.Error) as error:
        print(f"login.py {arguments[0]} {database}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no copy of the logins stays behind
    sys.exit(main(sys.argv[1:]))
