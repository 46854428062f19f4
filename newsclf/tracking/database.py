"""An SQLite tracking database: whether it can be used, told before MLflow tries for minutes; and made once.

MLflow makes the tables of a database that is not there yet, and two processes that do so at once break each other.
"""

import contextlib
import os
import re
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import url2pathname

from alembic.script import ScriptDirectory
from mlflow import MlflowClient
from mlflow.store.db import utils
from sqlalchemy import event
from sqlalchemy.engine import Engine

from newsclf.errors import InputError
from newsclf.locks import exclusive
from newsclf.messages import listed

# As long as a busy machine may need to let each of twenty starts write: MLflow's own are 20, and 5 at a first contact.
LOCKED_SECONDS, OTHERS_SECONDS = 60.0, 60.0  # the latter as long as it takes to make the tables
QUIET_SECONDS = 5.0  # of them, until a person is told why nothing happens
TRIES = 3  # of MLflow's, to reach a database: each is longer than the one before, and its own ten are minutes
ELSEWHERE = "set MLFLOW_TRACKING_URI to another (sqlite:////<path>) or to a server"
MLFLOWS = {"experiments", "registered_models"}  # tables that MLflow makes first
HEADER = b"SQLite format 3\0"
_PATIENCE = "PRAGMA busy_timeout = {:.0f}"


def sqlite_uri(path: Path) -> str:
    """The URI of a database file, whatever its path has in it: SQLAlchemy decodes %xx and cuts at a question mark.

    >>> sqlite_uri(Path("/data/50%25 of what?/runs.db"))
    'sqlite:////data/50%2525 of what%3F/runs.db'
    """
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def sqlite_path(uri: str) -> Path | None:
    """The file of an SQLite URI, absolute; None for any other store, and for a database in memory.

    >>> sqlite_path("sqlite:////data/a%20b/runs.db?timeout=5")
    PosixPath('/data/a b/runs.db')
    """
    scheme, _, rest = uri.partition(":///")
    name = unquote(rest.partition("?")[0])
    if scheme.partition("+")[0] != "sqlite" or name in ("", ":memory:") or name.startswith("file:"):
        return None
    return Path(name).absolute()


def readable_by_mlflow(folder: Path) -> bool:
    """Whether MLflow keeps files where it says: it decodes %xx in a plain path.

    >>> readable_by_mlflow(Path("/data/100%")), readable_by_mlflow(Path("/data/a%20b"))
    (True, False)
    """
    return url2pathname(str(folder)) == str(folder)


def prepare(uri: str) -> None:
    """Make the database if it is not there. Raises InputError where it cannot be used, within seconds."""
    utils.MAX_RETRY_COUNT = TRIES
    _be_patient()
    path = sqlite_path(uri)
    if path is None:
        return
    _check(path, uri)
    literal = Path(uri.partition(":///")[2]).absolute().parent  # MLflow makes it, without decoding what it is called
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [folder for folder in (literal, *literal.parents) if not folder.exists()]
    try:
        if not _whole(path):
            _make(path, uri)
        MlflowClient(uri).search_experiments(max_results=1)
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _be_patient() -> None:
    """Let every connection of this process wait LOCKED_SECONDS for others that write, and not as long as MLflow says.

    SQLite has no queue: who waits asks now and then, and on a busy machine may be the last for long.
    """
    if not event.contains(Engine, "connect", _connected):
        event.listen(Engine, "connect", _connected)
        event.listen(Engine, "before_cursor_execute", _executing, retval=True)


def _connected(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(_PATIENCE.format(LOCKED_SECONDS * 1000))


def _executing(_: object, cursor: Any, statement: str, parameters: Any, *rest: object) -> tuple[str, Any]:
    if statement.startswith(_PATIENCE.partition("{")[0]) and isinstance(cursor, sqlite3.Cursor):
        statement = _PATIENCE.format(LOCKED_SECONDS * 1000)
    return statement, parameters


def _make(path: Path, uri: str) -> None:
    """Let MLflow make the tables, by one process at a time."""
    with exclusive(path.with_name(f"{path.name}.lock")):
        end = time.monotonic() + OTHERS_SECONDS
        while not _whole(path):
            try:
                MlflowClient(uri).search_experiments(max_results=1)
            except Exception:  # an `mlflow run` makes it at this moment, or an older one is there
                if _whole(path) or time.monotonic() > end or not _being_made(path):
                    raise
                time.sleep(0.5)


def _check(path: Path, uri: str) -> None:
    """Raises InputError where the file cannot be opened, made or written."""
    relative = "" if uri.partition(":///")[2].startswith("/") else " (a path from the working folder: four / begin one)"
    where = f"the tracking database {path}{relative}"
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir() or path.is_dir():
        kind = "a folder" if path.is_dir() else f"below {folder}, which is a file"
        raise InputError(f"{where} is {kind}: {ELSEWHERE}")
    if not path.exists():
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{where} cannot be made, as the folder {folder} cannot be written: {ELSEWHERE}")
        return
    try:
        with path.open("rb") as file:
            head = file.read(len(HEADER))
        if head and head != HEADER:
            raise InputError(f"{where} is a file of another kind, and no SQLite database: {ELSEWHERE}")
        try:
            tables = _tables(path, QUIET_SECONDS)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            print(f"waiting for {where}, which another program has locked", flush=True)
            tables = _tables(path, LOCKED_SECONDS - QUIET_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{where} {_reason(error, path)}") from None
    if tables and not tables & MLFLOWS:
        raise InputError(
            f"{where} is the database of another program (tables {listed(sorted(tables), 3)}): {ELSEWHERE}"
        )


def _tables(path: Path, wait: float) -> set[str]:
    """The names of its tables. Raises sqlite3.Error where it cannot be written, or others write for `wait` seconds."""
    with contextlib.closing(sqlite3.connect(_plain(path), uri=True, timeout=max(0.0, wait))) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.execute("BEGIN IMMEDIATE")  # as the first record will: writable, and not locked
        connection.rollback()
    return tables


def _reason(error: Exception, path: Path) -> str:
    said = str(error)
    if "locked" in said:
        return f"is locked by another program for {LOCKED_SECONDS:.0f} s now: end that one (lsof {path} names it)"
    if isinstance(error, PermissionError) or "readonly" in said or "unable to open" in said:
        return f"cannot be written ({said}), or its folder cannot: make both writable, or {ELSEWHERE}"
    if "malformed" in said or "not a database" in said:
        return f"is damaged ({said}): bring a copy of it back, or {ELSEWHERE}"
    return f"cannot be used ({said}): {ELSEWHERE}"


def _whole(path: Path) -> bool:
    """Whether the tables are there, down to the first experiment, which MLflow makes last."""
    if not path.is_file():
        return False
    query = "SELECT (SELECT COUNT(*) FROM experiments) AND (SELECT COUNT(*) FROM alembic_version)"
    try:
        with contextlib.closing(sqlite3.connect(_plain(path, "ro"), uri=True, timeout=LOCKED_SECONDS)) as connection:
            return bool(connection.execute(query).fetchone()[0])
    except sqlite3.Error:
        return False


def _being_made(path: Path) -> bool:
    """Whether another process may be making it: nobody has logged into it so far."""
    try:
        with contextlib.closing(sqlite3.connect(_plain(path, "ro"), uri=True, timeout=LOCKED_SECONDS)) as connection:
            return not connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0]
    except sqlite3.Error:
        return True


def _plain(path: Path, mode: str = "rw") -> str:
    """A URI of SQLite's own, which does not make the file."""
    return f"{path.as_uri()}?mode={mode}"


def advice(error: BaseException) -> str:
    """What to do about an error of MLflow's at the first contact with a store."""
    text = str(error)
    if (found := re.search(r"out-of-date database schema \(found version (\w+)", text)) and _is_older(found[1]):
        return f"an older MLflow made it: back it up, then `mlflow db upgrade` with its URI, or {ELSEWHERE}"
    if found or "locate revision" in text:
        return f"a newer MLflow made it: start this from that environment, or {ELSEWHERE}"
    if any(sign in text for sign in ("unsupported URI", "Could not parse", "Invalid SQLite URL")):
        return (
            "MLFLOW_TRACKING_URI is http://<host> or https://<host> for a server, sqlite:////<path> (four slashes), "
            "postgresql:// or mysql:// for a database"
        )
    if isinstance(error, ModuleNotFoundError):
        return f"install the driver of that database, or {ELSEWHERE}"
    if "maintenance mode" in text:
        return "MLflow has given up folders of files: `mlflow migrate-filestore` makes an SQLite database of one"
    return f"check that it is there, and its login; or {ELSEWHERE}"


def _is_older(revision: str) -> bool:
    """Whether the installed MLflow knows this state of its tables."""
    scripts = ScriptDirectory.from_config(utils._get_alembic_config(db_url=""))
    return revision in {script.revision for script in scripts.walk_revisions()}
