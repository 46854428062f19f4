"""A journal that was damaged: what can be read of it goes on as a journal, and the rest is put aside.

A disk, or a machine without power, leaves a store cut, with pages of zeros or of something else, or without its log of
what was written last. Each table is read row by row, from either end up to where it cannot be; a row with a value of
another type than its column's is left out. What is put aside is the files as they were found.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from newsclf.errors import disk_full
from newsclf.files import read_json, write_json
from newsclf.messages import one_line
from newsclf.tracking.journal.sent import Sent
from newsclf.tracking.journal.store import DAMAGED, PARTS, Journal, empty_store, make_private, root

DAMAGE_TAG = "newsclf.journal_damage"
LOG = ("store.db-wal", "store.db-shm")
# Of MLflow's tables those that a run of ours has rows in. The last values of metrics follow from the metrics.
TABLES = (
    "experiments", "runs", "params", "tags", "metrics", "datasets", "inputs", "input_tags", "logged_models",
    "logged_model_params", "logged_model_tags", "logged_model_metrics",
)  # fmt: skip
RECORDS = ("params", "tags", "metrics", "logged_models")  # those that a person is told of
LAST_VALUES = (
    "INSERT OR REPLACE INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
    "SELECT key, value, timestamp, MAX(step), is_nan, run_uuid FROM metrics GROUP BY key"
)
RUN = {"name": "", "source_type": "LOCAL", "user_id": "", "status": "RUNNING", "lifecycle_stage": "active"}
NUMBERS = {"INT": (int,), "BOOL": (int,), "FLOAT": (int, float), "DOUBLE": (int, float), "REAL": (int, float)}


def damage(journal: Journal) -> dict[str, str]:
    """What is wrong, by the name of the file; empty where the journal is sound. The caller holds its lock."""
    found = {}
    if reason := _damage_of_store(journal):
        found["store.db"] = reason
    note = read_json(journal.folder / "run.json")
    if not note or any(note.get(name) != value for name, value in journal.note.items()):
        found["run.json"] = "it does not say what it should"
    if Sent.is_damaged(journal.folder / "sent.json"):
        found["sent.json"] = "it is not as it was written"
    return found


def mend(journal: Journal, wrong: dict[str, str]) -> str:
    """Make a sound journal of what can be read, and put what was found aside; in words, what that was.

    The caller holds the lock. What the server has got is asked for again where it cannot be known. Raises OSError.
    """
    aside, sent = _put_aside(journal), journal.sent
    read = _mend_store(journal, sent) if "store.db" in wrong else ""
    write_json(journal.folder / "run.json", journal.note, option="")
    sent.keep()
    make_private(journal.folder)
    listed = ", ".join(f"{name}: {reason}" for name, reason in wrong.items())
    run_id = str(journal.run["run_uuid"])
    text = f"its journal was damaged ({listed}){read}"
    MlflowClient(journal.uri).set_tag(run_id, DAMAGE_TAG, text)
    return f"{text}; as it was found it lies in {aside}"


def _damage_of_store(journal: Journal) -> str:
    if not (journal.folder / "store.db").is_file():
        return "it is not there"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal.folder / 'store.db'}?mode=rw", uri=True)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            runs = connection.execute("SELECT run_uuid FROM runs").fetchall()
            if answer != "ok" or len(runs) != 1:
                return one_line(answer) if answer != "ok" else "it has no run"
            for table in TABLES:
                fits = _fitting(connection, table)
                if not all(fits(row) for row in _dicts(connection, f"SELECT * FROM {table}")):
                    return f"a value in {table} is of another type"
        MlflowClient(journal.uri).get_run(str(runs[0][0]))
    except Exception as error:
        if disk_full(error) or "locked" in str(error):
            raise
        return one_line(error)
    return ""


def _put_aside(journal: Journal) -> Path:
    """Copies of the files as they were found."""
    aside = root() / DAMAGED / journal.id
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (*PARTS, *LOG):
        if (journal.folder / name).is_file() and not (aside / name).exists():
            shutil.copy2(journal.folder / name, aside / name)
    make_private(aside.parent)
    return aside


def _mend_store(journal: Journal, sent: Sent) -> str:
    """Put a store in place of the damaged one that has all rows that can be read; in words, how many."""
    folder, mended = journal.folder, journal.folder / ".mended.db"
    empty_store(mended, folder)
    with tempfile.TemporaryDirectory() as temporary, contextlib.closing(sqlite3.connect(mended)) as target, target:
        for name in ("store.db", *LOG):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, Path(temporary) / name)
        tables = {table: _readable(Path(temporary) / "store.db", target, table) for table in TABLES}
        run_id = _run_id(journal, sent, tables)
        tables["runs"] = [_run(journal, sent, target, run_id, tables["runs"])]
        models = [row for row in tables["logged_models"] if _is_there(row, folder)]
        tables["logged_models"] = models
        for table, rows in tables.items():
            for row in rows:
                _insert(target, table, {**row, **({"run_uuid": run_id} if "run_uuid" in row else {})})
        target.execute(LAST_VALUES)
    # What was sent is counted in rows of the store that was; all of it may be sent again.
    sent.keep(params=[], tags={}, inputs=0, metrics=0, model_metrics=0, ended=None)
    if engine := SqlAlchemyStore._engine_map.get(journal.uri):
        engine.dispose()
    for name in LOG:
        (folder / name).unlink(missing_ok=True)
    mended.replace(folder / "store.db")
    journal.rename(run_id, str(tables["runs"][0]["experiment_id"]))
    return ": read were " + ", ".join(f"{len(tables[table])} {table.replace('_', ' ')}" for table in RECORDS)


def _readable(path: Path, target: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """The rows of a damaged store's table that fit into that of a sound one."""
    fits, found = _fitting(target, table), dict[int, dict[str, Any]]()
    if not path.is_file():
        return []
    with contextlib.closing(sqlite3.connect(path)) as source:
        source.text_factory = lambda text: text.decode("utf-8", "replace")
        for order in ("ASC", "DESC"):
            with contextlib.suppress(sqlite3.Error):
                for row in _dicts(source, f"SELECT rowid AS place, * FROM {table} ORDER BY rowid {order}"):
                    if (place := row.pop("place")) in found:
                        break
                    found[place] = row
    return [found[place] for place in sorted(found) if fits(found[place])]


def _dicts(connection: sqlite3.Connection, query: str) -> Iterator[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [one[0] for one in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _fitting(connection: sqlite3.Connection, table: str) -> Any:
    """The function that says whether a row has values of the types of the table's columns."""
    columns = {row[1]: (row[2], row[3]) for row in connection.execute(f"PRAGMA table_info({table})")}
    types = {
        name: next((kinds for word, kinds in NUMBERS.items() if word in declared), (str,))
        for name, (declared, _) in columns.items()
    }

    def fits(row: dict[str, Any]) -> bool:
        return all(
            not columns[name][1] if value is None else type(value) in types[name]
            for name, value in row.items()
            if name in columns
        )

    return fits


def _run_id(journal: Journal, sent: Sent, tables: dict[str, list[dict[str, Any]]]) -> str:
    """The run's id: the one that the server has given, the journal's, or the one that most rows have."""
    seen = Counter(row["run_uuid"] for rows in tables.values() for row in rows if "run_uuid" in row)
    known = [name for name in (sent.run_id, journal.id) if name in seen]
    return str([*known, *(name for name, _ in seen.most_common(1)), sent.run_id, journal.id][0] or journal.id)


def _run(
    journal: Journal, sent: Sent, target: sqlite3.Connection, run_id: str, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """The row of the run; where it cannot be read, one that RUNS, and so is marked as lost when it is sent."""
    experiment = journal.note["experiment_id"] or sent.experiment_id
    default = RUN | {
        "run_uuid": run_id,
        "start_time": int(journal.note["created"] * 1000),
        "artifact_uri": str(journal.folder / "artifacts"),
        "experiment_id": int(experiment) if experiment.isdigit() else 0,
    }
    with contextlib.closing(sqlite3.connect(":memory:")) as scratch:
        schema = target.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
        scratch.execute(schema)
        for row in rows:
            if _insert(scratch, "runs", row):  # its checks: a status, a stage
                return row
    return default


def _is_there(model: dict[str, Any], folder: Path) -> bool:
    """Whether the model is one of the server's, or its files are where the row says."""
    place = model.get("artifact_location") or ""
    return not place or (Path(place).is_dir() and Path(place).is_relative_to(folder))


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> bool:
    """Whether the table takes the row."""
    names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})") if column[1] in row]
    places = ", ".join("?" for _ in names)
    try:
        connection.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({places})", [row[name] for name in names]
        )
    except sqlite3.Error:
        return False
    return True
