"""train with MLFLOW_TRACKING_URI: everything goes to a real `mlflow server`, artifacts too."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.tracking.test_database import starts_at_once

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(place) -> str:
    folder = place.folder / "server"
    folder.mkdir()
    stores = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts")
    artifacts = ("--artifacts-destination", folder / "artifacts")
    return place.serve("mlflow", "server", *stores, *artifacts, ready="/health", MLFLOW_TRACKING_URI=None)


@pytest.fixture(scope="module")
def trained(server, place, tiny_encoder):
    options = {"encoder": tiny_encoder, "num_samples": 80, "epochs": 2, "register": "news"}
    done = place.mlflow_run("train", options, MLFLOW_TRACKING_URI=server)
    assert done.returncode == 0, done.stderr
    (run,) = MlflowClient(server).search_runs(["0"])
    return run, done.stdout


def test_the_run_is_on_the_server_and_nowhere_else(trained, server, place):
    run, printed = trained
    assert run.info.status == "FINISHED"
    assert run.data.tags["newsclf.verb"] == "train"
    assert (run.data.metrics["epochs_run"], run.data.params["num_samples"]) == (2, "80")
    assert len(MlflowClient(server).get_metric_history(run.info.run_id, "val_loss")) == 2
    assert len(run.inputs.dataset_inputs) == 3
    assert place.runs() == []
    assert not list(place.project.glob("ml*"))[1:]  # MLproject alone: no mlflow.db, no mlruns
    assert f"{server}/#/experiments/0/runs/{run.info.run_id}" in printed


def test_artifacts_go_through_the_server(trained, server, tmp_path):
    run, _ = trained
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    folder = Path(MlflowClient(server).download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert (folder / "plots" / "confusion_matrix.png").stat().st_size > 1000
    result = json.loads((folder / "result.json").read_text())
    assert result["metrics"]["test_accuracy"] == run.data.metrics["test_accuracy"]


def test_the_model_is_evaluated_from_the_server(trained, server, in_process, monkeypatch):
    run, _ = trained
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert in_process("evaluate", model=f"runs:/{run.info.run_id}/model") == 0
    measured = MlflowClient(server).search_runs(["0"])[0]
    assert measured.data.tags["newsclf.model_run_id"] == run.info.run_id
    assert measured.data.metrics["accuracy"] == run.data.metrics["test_accuracy"]


def test_new_experiments_by_name_at_once_are_made_once_and_lose_no_run(server, tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        own = {"NEWSCLF_JOURNAL_DIR": str(tmp_path / "journal"), "MLFLOW_EXPERIMENT_NAME": name}
        assert starts_at_once(tmp_path / name, 6, MLFLOW_TRACKING_URI=server, **own) == [""] * 6
        client = MlflowClient(server)
        experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        assert [run.info.status for run in runs] == ["FINISHED"] * 6


def test_the_model_is_registered_when_the_server_has_it(trained, server):
    run, _ = trained
    version = MlflowClient(server).get_model_version_by_alias("news", "challenger")
    assert (version.run_id, version.status) == (run.info.run_id, "READY")
    assert version.tags["newsclf.data_fingerprint"] == run.data.tags["newsclf.data_fingerprint"]
