"""A run with one of everything, small and the same each time, and whether a server has all of it, once."""

import hashlib
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import LoggedModel, LoggedModelOutput, Run, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.config import SweepConfig
from newsclf.tracking.environment import UNCOMMITTED
from newsclf.tracking.run import open_run

STEPS = 30
FILES = {f"code/{number}.py": f"number = {number}\n" for number in range(5)} | {"model.safetensors": "weights " * 5000}


def make(name: str, send_timeout: float, tracking: str = "auto") -> int:
    """Make it; the exit code. name: of the registered model."""
    config = SweepConfig(strategy="grid", output_dir="out", send_timeout=send_timeout, tracking=tracking)
    with open_run("sweep", config) as run:
        for step in range(STEPS):
            run.log_metrics({"loss": 1 / (step + 1), "val_loss": 2 / (step + 1)}, step=step)
        run.tag({"newsclf.model": f"runs:/{run.id}/model"})
        for data in ("train", "test"):
            source = HTTPDatasetSource("http://127.0.0.1/news.csv")
            run.log_input(MetaDataset(source, data), data)  # type: ignore[abstract]
        run.log_text("first", "report.html")
        run.log_text("again", "report.html")  # of the same size
        run.log_text("notes", "notes/one.txt")
        model = run.client.create_logged_model(run.experiment_id, "model", run.id, params={"layers": "3"})
        run.client.log_outputs(run.id, [LoggedModelOutput(model.model_id, 4)])
        for path, text in FILES.items():
            file = Path(model.artifact_location) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (Path(model.artifact_location) / "MLmodel").write_text(f"run_id: {run.id}\nmodel_id: {model.model_id}\n")
        run.client.finalize_logged_model(model.model_id, "READY")
        run.log_metrics({"accuracy": 0.75}, model_id=model.model_id)
        run.register(name)
        run.finish({"accuracy": 0.75})
    return 0


def found(client: MlflowClient, experiment: str, name: str) -> dict[str, Any]:
    """All that the server has of the experiment's runs, models and versions; `EXPECTED` where it is there once."""
    there = client.get_experiment_by_name(experiment)
    if there is None:
        return {}
    ids = [there.experiment_id]
    everything = client.search_runs(ids, run_view_type=ViewType.ALL)
    runs = [run for run in everything if run.info.lifecycle_stage == "active"]
    models = list(client.search_logged_models(ids))
    known = {model.model_id for model in models}
    versions = client.search_model_versions(f"name = '{name}'")
    return {
        "running": [run.info.run_id for run in everything if run.info.status == "RUNNING"],
        "runs": [_content(client, run) for run in runs],
        "models": [(model.name, str(model.status), model.params, checksums(client, model)) for model in models],
        "model metrics": [sorted((one.key, one.value) for one in model.metrics or []) for model in models],
        "outputs": [[(one.model_id in known, one.step) for one in _outputs(run)] for run in runs],
        "versions": [(version.run_id in {run.info.run_id for run in runs}, version.status) for version in versions],
        "challenger": [str(version) for version in client.get_registered_model(name).aliases.values()]
        == [str(version.version) for version in versions]
        if versions
        else None,
    }


def _outputs(run: Run) -> list[LoggedModelOutput]:
    return run.outputs.model_outputs if run.outputs else []


def _content(client: MlflowClient, run: Run) -> dict[str, Any]:
    history = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    folder = Path(client.download_artifacts(run.info.run_id, ""))
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {
        "status": run.info.status,
        "params": run.data.params["strategy"],
        "model tag": run.data.tags["newsclf.model"] == f"runs:/{run.info.run_id}/model",
        "points": {name: sorted((one.step, one.value) for one in points) for name, points in history.items()},
        "inputs": sorted(one.dataset.name for one in (run.inputs.dataset_inputs if run.inputs else [])),
        "report": (folder / "report.html").read_text(),
        "files": sorted(files - {UNCOMMITTED}),
    }


def checksums(client: MlflowClient, model: LoggedModel) -> dict[str, str]:
    server = client.tracking_uri
    root = Path(get_artifact_repository(model.artifact_location, server, server).download_artifacts(""))
    paths = [path for path in root.rglob("*") if path.is_file() and path.name != "MLmodel"]
    return {str(path.relative_to(root)): _checksum(path.read_bytes()) for path in sorted(paths)}


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


EXPECTED = {
    "running": [],
    "runs": [
        {
            "status": "FINISHED",
            "params": "grid",
            "model tag": True,
            "points": {
                "loss": [(step, 1 / (step + 1)) for step in range(STEPS)],
                "val_loss": [(step, 2 / (step + 1)) for step in range(STEPS)],
                "accuracy": [(0, 0.75)],
            },
            "inputs": ["test", "train"],
            "report": "again",
            "files": ["config.yaml", "environment/freeze.txt", "notes/one.txt", "report.html", "result.json"],
        }
    ],
    "models": [("model", "READY", {"layers": "3"}, {name: _checksum(FILES[name].encode()) for name in sorted(FILES)})],
    "model metrics": [[("accuracy", 0.75)]],
    "outputs": [[(True, 4)]],
    "versions": [(True, "READY")],
    "challenger": True,
}
