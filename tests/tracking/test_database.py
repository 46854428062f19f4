"""A database that cannot be used is told of at once, with the advice that goes with it; several starts make one.

Where else a path becomes a URI: the journal's store, a sweep's study, what children get, the UI. Each is tested there.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.store.db import utils
from sqlalchemy import text as text_of_sql
from sqlalchemy.orm import sessionmaker

from newsclf.errors import InputError
from newsclf.tracking import database, server
from newsclf.tracking.database import prepare, readable_by_mlflow, sqlite_path, sqlite_uri
from newsclf.tracking.run import open_run
from tests.tracking.conftest import Opened

NAMES = ["a b", "ä é 科", "50%", "a%20b", "a#b", "what?", "a&b=c;d", "a'b", "a+b", "%41?#%"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_becomes_a_uri_and_a_path_again(name: str) -> None:
    path = Path("/data") / name / "runs.db"
    assert sqlite_path(sqlite_uri(path)) == path


@pytest.mark.parametrize("name", NAMES)
def test_mlflow_opens_the_database_that_is_meant_and_leaves_nothing_beside_it(
    name: str, empty: Path, tmp_path: Path
) -> None:
    path = tmp_path / "there" / name / "runs.db"
    path.parent.mkdir(parents=True)
    shutil.copyfile(empty, path)
    uri = sqlite_uri(path)
    prepare(uri)
    run_id = MlflowClient(uri).create_run("0").info.run_id
    assert [one.name for one in (tmp_path / "there").iterdir()] == [name]
    with sqlite3.connect(path.as_uri(), uri=True) as connection:
        assert connection.execute("SELECT run_uuid FROM runs").fetchall() == [(run_id,)]


def test_what_is_no_file_of_sqlite() -> None:
    for uri in ("http://host", "postgresql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"):
        assert sqlite_path(uri) is None
    assert sqlite_path("sqlite:///runs.db") == Path("runs.db").absolute()
    assert sqlite_path("sqlite+pysqlite:////data/runs.db") == Path("/data/runs.db")


def test_a_folder_that_mlflow_would_decode_is_refused(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that was made from there: its files would lie elsewhere, and be gone with that place."""
    (tmp_path / "a%20b").mkdir()
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", opened.client.create_experiment("x", str(tmp_path / "a%20b" / "mlruns")))
    with pytest.raises(InputError, match=r"keep the files of .*/a%20b/.* in .*/a b/.*: rename the folder"):
        open_run("sweep", opened.config).__enter__()
    assert [name for name in NAMES if not readable_by_mlflow(Path("/data") / name)] == ["a%20b", "%41?#%"]


@pytest.mark.parametrize("name", NAMES)
def test_the_projects_own_database_and_files_lie_in_its_folder_whatever_that_is_called(
    opened: Opened, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project = tmp_path / name
    project.mkdir()
    shutil.copyfile(empty, project / "mlflow.db")
    with sqlite3.connect(project / "mlflow.db") as connection:
        connection.execute("DELETE FROM experiments")  # as one that is not there yet: MLflow makes the first
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.delenv(server.ARTIFACT_ROOT, raising=False)
    monkeypatch.setattr(server, "PROJECT", project)
    monkeypatch.setattr(server, "EMBEDDED", sqlite_uri(project / "mlflow.db"))
    with open_run("sweep", opened.config) as run:
        run.log_text("x", "notes.txt")
    monkeypatch.delenv(server.ARTIFACT_ROOT)
    assert len(list(project.glob("mlruns/0/*/artifacts/notes.txt"))) == 1
    beside = {one.name for one in tmp_path.iterdir() if not one.name.startswith("server.db")}
    assert beside == {name, "output"}


def in_the_way(path: Path) -> None:
    path.parent.write_text("a file")


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no database\n" * 100)


def damaged(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE experiments (name)")
        connection.executemany("INSERT INTO experiments VALUES (?)", [("x" * 1000,)] * 100)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)


def another_programs(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name)")


def unwritable(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o500)


def unwritable_file(path: Path) -> None:
    path.parent.mkdir()
    sqlite3.connect(path).close()
    path.write_bytes(database.HEADER)
    path.chmod(0o400)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (in_the_way, "is below .*/there, which is a file: set MLFLOW_TRACKING_URI to another"),
        (a_folder, "is a folder: set MLFLOW_TRACKING_URI"),
        (text, "is a file of another kind, and no SQLite database: set MLFLOW_TRACKING_URI"),
        (damaged, "is damaged .*: bring a copy of it back"),
        (another_programs, "is the database of another program .tables songs.: set MLFLOW"),
        (unwritable, "cannot be made, as the folder .*/there cannot be written: set MLFLOW_TRACKING_URI"),
        (unwritable_file, "cannot be written .*: make both writable"),
    ],
)
def test_a_database_that_cannot_be_used(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "there" / "runs.db"
    damage(path)
    if damage in (unwritable, unwritable_file) and not os.getuid():
        pytest.skip("root may write everything; see the test below")
    with pytest.raises(InputError, match=f"the tracking database {path} {message}"):
        prepare(sqlite_uri(path))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("damage", [unwritable, unwritable_file])
def test_a_folder_of_another_user(damage: Callable[[Path], None]) -> None:
    # Not below pytest's own folder, which another session closes to other users.
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        _as_nobody(damage, folder)


def _as_nobody(damage: Callable[[Path], None], folder: Path) -> None:
    path = folder / "there" / "runs.db"
    damage(path)
    path.parent.chmod(0o755)
    code = "import os, sys; os.setuid(65534); from pathlib import Path\n"
    code = "import sys; from newsclf.tracking.database import _check; from pathlib import Path\n" + code
    code += "_check(Path(sys.argv[1]), 'sqlite:///' + sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert "cannot be written" in done.stderr.splitlines()[-1]


def test_a_locked_one_is_told_of(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "LOCKED_SECONDS", 0.2)
    monkeypatch.setattr(database, "QUIET_SECONDS", 0.1)
    shutil.copyfile(empty, tmp_path / "runs.db")
    with sqlite3.connect(tmp_path / "runs.db", isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match="is locked by another program .* end that one"):
            prepare(sqlite_uri(tmp_path / "runs.db"))
    assert capsys.readouterr().out == (
        f"waiting for the tracking database {tmp_path / 'runs.db'}, which another program has locked\n"
    )


def test_every_connection_waits_as_long_as_a_busy_machine_needs(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty starts beside 32 busy processes: MLflow's own 5 and 20 seconds were over before some of them could write.

    Where else a process waits for others: the first look at the file (the test above), the making of the tables
    (below), and a journal, which one process alone writes to.
    """
    shutil.copyfile(empty, tmp_path / "runs.db")
    uri = sqlite_uri(tmp_path / "runs.db")
    for seconds in (60.0, 90.0):
        monkeypatch.setattr(database, "LOCKED_SECONDS", seconds)
        prepare(uri)
        engine = utils.create_sqlalchemy_engine(uri)
        with engine.connect() as connection:  # as MLflow's first look at the tables
            assert connection.execute(text_of_sql("PRAGMA busy_timeout")).scalar() == 1000 * seconds
        maker = utils._get_managed_session_maker(sessionmaker(engine), "sqlite")
        with maker() as session:  # as every record is written
            assert session.execute(text_of_sql("PRAGMA busy_timeout")).scalar() == 1000 * seconds


def test_a_path_from_the_working_folder_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").touch()
    with pytest.raises(
        InputError, match=r"/data/runs.db \(a path from the working folder: four / begin one\) is below"
    ):
        prepare("sqlite:///data/runs.db")


SCHEMA = "UPDATE alembic_version SET version_num = '{}'"


@pytest.mark.parametrize(
    ("uri", "damage", "message"),
    [
        ("", SCHEMA.format("0123456789ab"), "a newer MLflow made it: start this from that environment"),
        ("", SCHEMA.format("451aebb31d03"), "an older MLflow made it: back it up, then `mlflow db upgrade`"),
        ("nothing://host/x", "", "MLFLOW_TRACKING_URI is http://<host> or .*four slashes"),
        ("sqlite://data/runs.db", "", "MLFLOW_TRACKING_URI is http://<host> or .*four slashes"),
        ("mssql://host/db", "", "install the driver of that database"),
        ("file:/tmp/runs", "", "mlflow migrate-filestore"),
    ],
)
def test_the_advice_is_that_of_the_error(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: Path, uri: str, damage: str, message: str
) -> None:
    if damage:
        path = tmp_path / "other.db"
        shutil.copyfile(empty, path)
        with sqlite3.connect(path) as connection:
            connection.execute(damage)
        uri = sqlite_uri(path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(InputError, match=message), open_run("sweep", opened.config):
        pass


START = """
import sys, time
from pathlib import Path
from newsclf.config import SweepConfig
from newsclf.tracking import run
run.described = lambda log_diff: ({}, {}, [])
folder, me, all_of_them = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(folder / f"ready.{me}").touch()
while len(list(folder.glob("ready.*"))) < all_of_them:
    time.sleep(0.01)
with run.open_run("sweep", SweepConfig(strategy="grid", output_dir=str(folder / f"out.{me}"))):
    pass
"""


def starts_at_once(folder: Path, number: int, **environment: str) -> list[str]:
    """What each process that begins a run at the same moment says on stderr."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(folder), str(me), str(number)],
            env=os.environ | {"PYTHONPATH": str(Path.cwd())} | environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for me in range(number)
    ]
    return [process.communicate(timeout=300)[1] if process.wait(300) else "" for process in processes]


@pytest.mark.integration
def test_several_starts_at_once_make_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    uri = sqlite_uri(tmp_path / "new" / "runs.db")
    assert starts_at_once(tmp_path, 6, MLFLOW_TRACKING_URI=uri, MLFLOW_EXPERIMENT_NAME="new") == [""] * 6
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("new")
    assert experiment is not None
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FINISHED"] * 6
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["runs.db"], "the lock is gone"
