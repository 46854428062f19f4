"""Secrets that `mlflow run` has logged go out of the run, and out of the files of its database."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from newsclf.tracking.forget import forget_secrets
from newsclf.tracking.run import report_early_end

LOGIN = "://ann:" + "hunter2hunter2@"
STORAGE = f"mysql{LOGIN}host/db"


@pytest.fixture
def run(server: MlflowClient) -> Run:
    made = server.create_run("0", tags={"mlflow.source.name": f"https{LOGIN}host/project.git", "mlflow.user": "ann"})
    for name, value in (("storage", STORAGE), ("misspelt", STORAGE), ("notify", "slack://a/b"), ("trials", "3")):
        server.log_param(made.info.run_id, name, value)
    return made


def test_only_what_holds_a_secret_is_removed(server: MlflowClient, run: Run) -> None:
    assert forget_secrets(server, run.info.run_id) == []
    data = server.get_run(run.info.run_id).data
    assert data.params == {"notify": "slack://a/b", "trials": "3"}
    assert data.tags["mlflow.source.name"] == "https://ann:***@host/project.git"
    assert data.tags["mlflow.user"] == "ann"


def test_it_is_in_no_file_any_more(server: MlflowClient, run: Run, tmp_path: Path) -> None:
    def held() -> list[str]:
        return [path.name for path in tmp_path.glob("server.db*") if b"hunter2hunter2" in path.read_bytes()]

    assert held()
    forget_secrets(server, run.info.run_id)
    assert held() == []


def test_an_option_is_removed_by_its_name(server: MlflowClient, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert report_early_end(run.info.run_id, "FAILED", "it is a secret", "notify")
    found = server.get_run(run.info.run_id)
    assert (found.info.status, found.data.params) == ("FAILED", {"trials": "3"})
    assert capfd.readouterr().err == ""


def test_a_server_takes_nothing_back_and_that_is_said(
    server: MlflowClient, run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("newsclf.tracking.forget.SqlAlchemyStore", type("Other", (), {}))
    assert forget_secrets(server, run.info.run_id) == ["misspelt", "storage"]
    report_early_end(run.info.run_id, "FAILED", "it is a secret", "")
    (line,) = capfd.readouterr().err.splitlines()
    assert f"run {run.info.run_id} has the option misspelt, storage as a parameter" in line
    assert "delete the run" in line
    assert "hunter2" not in line


def test_a_run_without_secrets_stays_as_it_is(server: MlflowClient) -> None:
    made = server.create_run("0")
    server.log_param(made.info.run_id, "dataset", "s3://bucket/a.csv")
    assert forget_secrets(server, made.info.run_id) == []
    assert server.get_run(made.info.run_id).data.params == {"dataset": "s3://bucket/a.csv"}
