"""A login in MLFLOW_TRACKING_URI is used, and is nowhere to be read: not printed, not stored, not in a report.

The places: last lines, warnings, errors, the journal's run.json and sent.json, what a run is called on its server,
the page that compares runs, what the sender and sync take for their server.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun
from mlflow.entities import RunData, RunInfo

from newsclf.config import SweepConfig
from newsclf.errors import InputError
from newsclf.tracking.journal import sender
from newsclf.tracking.journal.sender import Sender
from newsclf.tracking.journal.store import Journal, find
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.run import open_run
from newsclf.tracking.runs import compare_page, get_run, store_of
from newsclf.tracking.server import first_line
from newsclf.verbs import sync
from tests.tracking.conftest import Begin, Opened

PASSWORD = "p4ss/w0rd"
WRITTEN = "p4ss%2Fw0rd"
ADDRESS = "http://127.0.0.1:1"
LOGIN = f"http://ann:{WRITTEN}@127.0.0.1:1"


@pytest.fixture(autouse=True)
def login(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", LOGIN)


def secret_in(text: str) -> bool:
    return any(one in text for one in (PASSWORD, WRITTEN, "p4ss"))


def test_a_run_for_a_server_that_is_away(
    opened: Opened, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_run("sweep", dataclasses.replace(opened.config, send_timeout=0.0)) as run:
        run.finish({"best": 0.5})
    out = capsys.readouterr().out
    assert f"tracking server {ADDRESS} does not answer" in out
    assert not secret_in(out)
    kept = [path for top in (folder, tmp_path) for path in top.rglob("*") if path.is_file()]
    assert {"run.json", "store.db", "result.json"} <= {path.name for path in kept}
    assert [path for path in kept if secret_in(path.read_bytes().decode("latin-1"))] == []


def test_what_the_server_calls_a_run_and_where_it_is_read(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begin()
    upload = RunUpload(journal, LOGIN)
    there = MlflowRun(RunInfo("b" * 32, "3", "me", "RUNNING", 0, 1, "active"), RunData())
    monkeypatch.setattr("newsclf.tracking.journal.upload.experiment_of", lambda *_: "3")
    monkeypatch.setattr(upload.client, "search_runs", lambda *_, **__: [there])
    upload.create_remote_run()
    assert not secret_in((journal.folder / "sent.json").read_text())
    journal.remove()
    assert store_of(journal.id) == (LOGIN, "b" * 32), "the environment has the login"
    assert not secret_in(next(journal.folder.parent.glob("sent/*.json")).read_text())


def test_the_page_that_compares_runs() -> None:
    run = MlflowRun(RunInfo("a" * 32, "3", "me", "FINISHED", 0, 1, "active"), RunData())
    assert compare_page([run]).startswith(f"{ADDRESS}/#/compare-runs?")


@pytest.mark.parametrize("kept", [ADDRESS, LOGIN, f"http://bob:{'older'}@127.0.0.1:1"])
def test_sync_and_the_sender_log_in_again(begin: Begin, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    asked = []

    def send(journal: Journal, server: str) -> Iterator[int]:
        asked.append(server)
        yield 1

    waiting, busy = begin(), begin()
    waiting.release()
    (waiting.folder / "run.json").write_text((waiting.folder / "run.json").read_text().replace(ADDRESS, kept))
    monkeypatch.setattr(sender, "send_rest", send)
    monkeypatch.setattr(sync, "send_rest", send)
    assert list(Sender(RunUpload(busy, LOGIN))._earlier()) == [1]
    journal = find(waiting.id)
    assert journal is not None
    assert f"sent to {ADDRESS}" in sync.send(journal, sync.server_for(journal, ""), "run")
    assert asked == [LOGIN, LOGIN]


@pytest.mark.parametrize("uri", [f"nothing://ann:{WRITTEN}@host/db", f"postgresql://ann:{WRITTEN}@127.0.0.1:1/db"])
def test_errors_that_name_the_store(opened: Opened, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_MAX_RETRIES", "0")
    with pytest.raises(InputError) as refused, open_run("sweep", SweepConfig(strategy="grid")):
        pass
    assert not secret_in(str(refused.value))


def test_a_run_that_is_read_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Exception, match="127.0.0.1") as error:
        get_run("a" * 32)
    assert not secret_in(first_line(error.value))
