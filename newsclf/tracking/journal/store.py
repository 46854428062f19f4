"""The journal: each run's own small MLflow store on this machine, written first and copied to the server from there.

    <journal>/<id>/store.db   MLflow's tables, SQLite in WAL mode: what was logged stays, also after `kill -9`
    <journal>/<id>/artifacts  the run's files            models/   the models it has logged
    <journal>/<id>/run.json   which server it is for     sent.json  what that server has got (see sent.py)
    <journal>/<id>/lock       held by the process that writes the run, or sends it
    <journal>/sent/<id>.json  what a run that was opened without its server is called there
    <journal>/damaged/<id>/   what could not be read of a journal (see damage.py)

All of it is its user's alone: folders have the mode 700, files 600.

The id is the run's own, where no server has given it another. What MLflow's API can do is done by it. SQL on its tables
is left for what it cannot: to give a run the id, the experiment and the words that its server has for it, to read the
metric points that were logged after a certain one, and to open a store in milliseconds.
"""

import contextlib
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.version import VERSION

from newsclf.errors import InputError, disk_full
from newsclf.files import in_one_step, read_json, write_json
from newsclf.locks import FolderLock
from newsclf.tracking.database import sqlite_uri
from newsclf.tracking.journal.sent import Sent

SENT, DAMAGED = "sent", "damaged"  # folders beside those of the journals
PARTS = ("store.db", "run.json", "sent.json")
FAILURE_TAG = "newsclf.failure"
MENDS = "sync sends what can be read of it and puts the rest aside"
ENDED = ("FINISHED", "FAILED", "KILLED")
# A metric may be linked to a model that only the server has; the tables want to know each model. 1: PENDING.
MODELS_OF_THE_SERVER = """
CREATE TRIGGER models_of_the_server BEFORE INSERT ON logged_model_metrics
WHEN NOT EXISTS (SELECT 1 FROM logged_models WHERE model_id = NEW.model_id)
BEGIN
    INSERT INTO logged_models
        (model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,
         lifecycle_stage)
    VALUES (NEW.model_id, NEW.experiment_id, '', '', 0, 0, 1, 'active');
END
"""


def root() -> Path:
    """$NEWSCLF_JOURNAL_DIR, else newsclf/journal in the user's folder for state."""
    if chosen := os.environ.get("NEWSCLF_JOURNAL_DIR"):
        return Path(chosen).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser().absolute() / "newsclf" / "journal"


class Journal:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.id = folder, folder.name
        self.uri = sqlite_uri(folder / "store.db")
        self._lock = FolderLock(folder)

    @property
    def note(self) -> dict[str, Any]:
        """verb, server ("": whichever is there when it is sent), experiment_id, experiment (a name, or ""), created.

        What cannot be read is as if it had not been said; created: s since 1970, as far as is known.
        """
        kept = read_json(self.folder / "run.json")
        words = ((name, kept.get(name)) for name in ("verb", "server", "experiment_id", "experiment"))
        created = kept.get("created")
        if not isinstance(created, int | float) or not created < inf:
            created = self.folder.stat().st_mtime if self.folder.is_dir() else 0.0
        return {name: text if isinstance(text, str) else "" for name, text in words} | {"created": created}

    @property
    def sent(self) -> Sent:
        """What the server has got, as it was kept last."""
        return Sent.load(self.folder / "sent.json")

    def take(self) -> bool:
        """Take the lock, which ends with the process; False while another one writes or sends the run."""
        try:
            if not self._lock.take():
                return False
        except FileNotFoundError:
            return False
        if not self.folder.is_dir():  # sent and removed, just before
            self.release()
            return False
        return True

    def release(self) -> None:
        # MLflow keeps every database open that it has read, and `sync` reads one after the other.
        if engine := SqlAlchemyStore._engine_map.get(self.uri):
            engine.dispose()
        self._lock.release()

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Raises InputError where the store is damaged."""
        try:
            with contextlib.closing(self._connection()) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if disk_full(error) or "locked" in str(error):
                raise
            raise InputError(f"its journal {self.folder} is damaged ({error}): {MENDS}") from error

    def write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """All of the statements, or none."""
        with contextlib.closing(self._connection()) as connection, connection:
            for statement, values in statements:
                connection.execute(statement, values)

    def _connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{(self.folder / 'store.db').as_uri()}?mode=rw", uri=True, timeout=60)
        connection.row_factory = sqlite3.Row
        return connection

    @property
    def run(self) -> sqlite3.Row:
        """The row of the run. Raises InputError where the store is damaged."""
        for row in self.rows("SELECT * FROM runs"):
            return row
        raise InputError(f"its journal {self.folder} is damaged (it has no run): {MENDS}")

    def rename(self, run_id: str, experiment_id: str) -> None:
        """Give the run, which has no more than words so far, its final ids and its folder of files."""
        experiment, now = int(experiment_id), int(time.time() * 1000)
        self.write(
            (
                "INSERT OR IGNORE INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
                "creation_time, last_update_time, workspace) SELECT ?, ?, artifact_location, 'active', ?, ?, workspace "
                "FROM experiments WHERE experiment_id = 0",
                (experiment, f"experiment {experiment}", now, now),
            ),
            (
                "UPDATE runs SET run_uuid = ?, experiment_id = ?, artifact_uri = ?",
                (run_id, experiment, str(self.folder / "artifacts")),
            ),
            ("UPDATE tags SET run_uuid = ?", (run_id,)),
            ("UPDATE params SET run_uuid = ?", (run_id,)),
        )

    def end_as_lost(self) -> None:
        """Mark the run, whose process has ended without a word, as FAILED."""
        reason = "the process ended without a word (killed, or the machine stopped)"
        if self.note.get("verb") == "train":
            reason += f": resume={self.run['run_uuid']} goes on with it"
        client, run_id = MlflowClient(self.uri), self.run["run_uuid"]
        client.set_tag(run_id, FAILURE_TAG, reason)
        client.set_terminated(run_id, "FAILED")

    def remove(self) -> None:
        """Once everything is sent. What the run is called on the server is kept, if that is another name."""
        sent, run_id = self.sent, self.run["run_uuid"]
        if sent.run_id != run_id:
            place = {"run_id": sent.run_id, "experiment_id": sent.experiment_id, "server": sent.server}
            (self.folder.parent / SENT).mkdir(mode=0o700, exist_ok=True)
            write_json(self.folder.parent / SENT / f"{run_id}.json", place, option="")
            make_private(self.folder.parent / SENT)
        self.discard()

    def discard(self) -> None:
        gone = self.folder.with_name(f".{self.id}.gone")
        os.replace(self.folder, gone)  # in one step: what is left of it is no journal
        shutil.rmtree(gone, ignore_errors=True)
        self.release()


def create(verb: str, server: str) -> Journal:
    """A folder with an empty store, its lock taken. Raises InputError where none can be made."""
    folder = root() / uuid.uuid4().hex
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    if sqlite_uri(folder) != f"sqlite:///{folder}":
        raise InputError(
            f"MLflow misreads % and ? in the path of the journal, {folder.parent}: set NEWSCLF_JOURNAL_DIR"
        )
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.parent.chmod(0o700)  # an earlier version has left it open
        unfinished.mkdir(mode=0o700)
        empty_store(unfinished / "store.db", folder)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "")
        experiment_id = "" if experiment else os.environ.get("MLFLOW_EXPERIMENT_ID", "")
        note = {"verb": verb, "server": server, "experiment": experiment, "experiment_id": experiment_id}
        write_json(unfinished / "run.json", note | {"created": time.time()}, option="")
        Sent(unfinished / "sent.json").keep()
        make_private(unfinished)
        os.replace(unfinished, folder)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if disk_full(error):
            raise
        raise InputError(
            f"the journal {folder.parent} cannot be written ({error}): set NEWSCLF_JOURNAL_DIR to another folder"
        ) from None
    journal = Journal(folder)
    journal.take()
    return journal


def journals() -> list[Journal]:
    """All that are not sent yet, the oldest first, damaged ones as well."""
    paths = (path for path in root().glob("[!.]*") if path.name not in (SENT, DAMAGED))
    found = [Journal(path) for path in paths if any(os.path.isfile(path / name) for name in PARTS)]
    return sorted(found, key=lambda journal: (journal.note["created"], journal.id))


def find(run_id: str) -> Journal | None:
    """The journal of a run that is not sent yet, by either of its ids."""
    for journal in journals():
        if run_id and run_id in (journal.id, journal.sent.run_id):
            return journal
    return None


def place_of(run_id: str) -> dict[str, str] | None:
    """run_id, experiment_id and server of a run that this machine has opened under another id."""
    return read_json(root() / SENT / f"{run_id}.json") or None


def empty_store(path: Path, folder: Path) -> None:
    """A store without runs, whose files will be in `folder`."""
    shutil.copyfile(_template(folder.parent), path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", (str(folder),))
        connection.execute(MODELS_OF_THE_SERVER)


def make_private(folder: Path) -> None:
    """What is in the folder is for its user alone: a run's files are as open as those that they are copies of."""
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def _template(folder: Path) -> Path:
    """An empty store. MLflow takes seconds to make its tables, so they are made once and copied for each run."""
    template = folder / f".empty-{VERSION}.db"
    if not template.is_file():
        with in_one_step(template) as unfinished:
            SqlAlchemyStore(sqlite_uri(unfinished), str(folder))._dispose_engine()
            with contextlib.closing(sqlite3.connect(unfinished)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")  # stays with the file and its copies
            unfinished.chmod(0o600)
    return template


@contextlib.contextmanager
def taken(journal: Journal) -> Iterator[bool]:
    """Whether the lock could be had; it is given back at the end."""
    held = journal.take()
    try:
        yield held
    finally:
        if held:
            journal.release()
