"""The server's start: its settings are filled in, and whatever is missing is one line, before the server runs."""

import configparser
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration  # each starts a process with MLflow in it

INFRA = Path(__file__).resolve().parents[2] / "infra"
Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(INFRA / "bucket"),
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path / 'runs.db'}",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "long-enough-for-it",
        "NEWSCLF_LOGIN_DATABASE": str(tmp_path / "login.db"),
        "NEWSCLF_DEFAULT_PERMISSION": "READ",
        "NEWSCLF_BUCKET": "mlflow",
        "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path) -> Start:
    def run(*command: str, **other: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, INFRA / "mlflow" / "start.py", *command],
            env=settings | other,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("newsclf: ")]
    assert "Traceback" not in done.stderr
    return line


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"MLFLOW_BACKEND_STORE_URI": ""}, "MLFLOW_BACKEND_STORE_URI is empty"),
        ({"MLFLOW_BACKEND_STORE_URI": "mysql+pymysql:no"}, "MLFLOW_BACKEND_STORE_URI cannot be read"),
        (
            {"MLFLOW_BACKEND_STORE_URI": "mysql+pymysql://u:hidden%s@127.0.0.1:9/m"},
            "u:***@127.0.0.1:9/m does not answer",
        ),
        ({"NEWSCLF_DEFAULT_PERMISSION": "ADMIN"}, "NEWSCLF_DEFAULT_PERMISSION is 'ADMIN': one of READ"),
        ({"MLFLOW_AUTH_ADMIN_PASSWORD": "short"}, "the admin password is shorter than 12"),
        ({"NEWSCLF_LOGIN_DATABASE": ""}, "NEWSCLF_LOGIN_DATABASE is empty"),
        ({}, "the bucket mlflow cannot be used: Could not connect to the endpoint"),
    ],
)
def test_what_is_missing_is_one_line(start: Start, other: dict[str, str], said: str) -> None:
    line = refused(start("mlflow", "server", **other))
    assert said in line
    assert "hidden" not in line


def test_tables_of_an_older_mlflow_are_refused_until_they_are_upgraded(start: Start, tmp_path: Path) -> None:
    from mlflow.store.db.utils import create_sqlalchemy_engine
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = create_sqlalchemy_engine(f"sqlite:///{tmp_path / 'runs.db'}")
    Base.metadata.create_all(engine)  # MLflow's first tables, of 2018
    engine.dispose()
    line = refused(start("mlflow", "server"))
    assert "of another MLflow (revision None): make backup, then docker compose run --rm mlflow upgrade" in line

    done = start("upgrade")
    assert done.returncode == 0, done.stderr
    assert "the bucket mlflow cannot be used" in refused(start("mlflow", "server")), "the tables are right now"


def test_the_login_settings_are_filled_in(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NEWSCLF_DEFAULT_PERMISSION", "EDIT")
    monkeypatch.syspath_prepend(str(INFRA / "mlflow"))
    login_settings = import_module("start").login_settings

    read = configparser.ConfigParser()
    read.read(login_settings(INFRA / "mlflow" / "basic_auth.ini", Path(settings["TMPDIR"])))
    assert read["mlflow"]["default_permission"] == "EDIT"
    assert read["mlflow"]["database_uri"] == f"sqlite:///{settings['NEWSCLF_LOGIN_DATABASE']}"
    assert "admin_password" not in read["mlflow"], "it comes from the environment"


def test_what_a_killed_server_has_put_down_is_removed_at_the_next_start(start: Start, tmp_path: Path) -> None:
    killed, runs, foreign = (tmp_path / name for name in ("newsclf-server-1", "newsclf-server-2", "tmp3"))
    for folder in (killed, runs, foreign):
        folder.mkdir()
        (folder / "half an upload").touch()
    held = os.open(runs, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    refused(start("mlflow", "server"))
    os.close(held)
    assert [folder.exists() for folder in (killed, runs, foreign)] == [False, True, True]
