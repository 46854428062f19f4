"""A journal for each test, and a store that stands for the server: copies, for MLflow takes seconds to make one."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.config import SweepConfig
from newsclf.tracking.journal import store
from newsclf.tracking.journal.store import Journal, create
from newsclf.tracking.run import Run, open_run

Begin = Callable[..., Journal]
VERB = "sweep"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store._template(tmp_path_factory.mktemp("empty"))


@pytest.fixture(autouse=True)
def folder(empty: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path_factory.mktemp("journal")
    shutil.copyfile(empty, own / empty.name)
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(own))
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    return own


@pytest.fixture
def begin() -> Begin:
    """A journal whose run has a tag, by its id and experiment."""

    def begin(run_id: str = "", experiment_id: str = "7") -> Journal:
        made = create("train", "http://127.0.0.1:1")
        MlflowClient(made.uri).create_run("0", tags={"newsclf.verb": "train"})
        made.rename(run_id or made.id, experiment_id)
        return made

    return begin


@pytest.fixture
def server(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A client of a database that stands for the server: what is sent to it is what a server would be sent."""
    shutil.copyfile(empty, tmp_path / "server.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "server.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", (str(tmp_path / "artifacts"),))
    uri = f"sqlite:///{tmp_path / 'server.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return MlflowClient(uri, uri)


@dataclass
class Opened:
    """What the test of a run needs: its client, and options whose files go to a folder of the test."""

    client: MlflowClient
    config: SweepConfig

    def runs(self) -> list[str]:
        return [run.info.status for run in self.client.search_runs(["0"])]


@pytest.fixture
def opened(server: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setattr(
        "newsclf.tracking.run.described", lambda log_diff: ({"newsclf.python": "3"}, {"a/freeze.txt": b"x==1"}, [])
    )
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return Opened(server, SweepConfig(strategy="grid", output_dir=str(tmp_path / "output")))


@pytest.fixture
def run(opened: Opened) -> Iterator[Run]:
    with open_run(VERB, opened.config) as run:
        yield run
