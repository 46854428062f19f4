"""Everything a tracking server holds, as plain values, so that two servers, or one at two times, can be compared."""

import hashlib
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import requests
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType


def content(client: MlflowClient, of: Collection[str] = ()) -> dict[str, Any]:
    """Experiments, runs with every point of every metric and the checksum of every artifact, registered models.

    of: the ids of the only runs that are read.
    """
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [experiment.experiment_id for experiment in experiments]
    return {
        "experiments": {one.name: (one.lifecycle_stage, one.artifact_location, one.tags) for one in experiments},
        "runs": {
            run.info.run_id: run_content(client, run)
            for run in _all_runs(client, ids)
            if not of or run.info.run_id in of
        },
        "models": {one.name: _model(client, one) for one in client.search_registered_models()},
    }


def run_content(client: MlflowClient, run: Run) -> dict[str, Any]:
    """One run. Its id is not part of it: runs of two servers can be compared."""
    info, data = run.info, run.data
    return {
        "info": (info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage),
        "parameters": data.params,
        "tags": data.tags,
        "metrics": {name: points(client, info.run_id, name) for name in data.metrics},
        "inputs": sorted(str(one.to_dictionary()) for one in (run.inputs.dataset_inputs if run.inputs else ())),
        "artifacts": checksums(client, info.run_id) if client.list_artifacts(info.run_id) else {},
    }


def points(client: MlflowClient, run_id: str, name: str) -> list[tuple[int, int, float]]:
    """Every point of a metric as (step, milliseconds, value), repeated ones too."""
    return sorted((one.step, one.timestamp, one.value) for one in client.get_metric_history(run_id, name))


def checksums(client: MlflowClient, run_id: str) -> dict[str, str]:
    """SHA-256 of each artifact of the run, as it is downloaded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(client.download_artifacts(run_id, "", folder))
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def users(uri: str, ca: Path, login: tuple[str, str]) -> dict[str, Any]:
    """Each user's permissions, as an administrator is shown them."""
    with requests.Session() as session:
        session.trust_env, session.verify, session.auth = False, str(ca), login

        def get(path: str, **parameters: str) -> Any:
            answer = session.get(f"{uri}/api/{path}", params=parameters, timeout=60)
            answer.raise_for_status()
            return answer.json()

        names = [user["username"] for user in get("2.0/mlflow/users/list")["users"]]
        return {name: get("3.0/mlflow/users/permissions/list", username=name) for name in names}


def _all_runs(client: MlflowClient, experiments: list[str]) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs(experiments, run_view_type=ViewType.ALL, page_token=token)
        found += page
        if not (token := page.token):
            return found


def _model(client: MlflowClient, model: Any) -> dict[str, Any]:
    versions = client.search_model_versions(f"name = '{model.name}'")
    described = {one.version: (one.source, one.run_id, one.status, one.tags, one.description) for one in versions}
    return {"versions": described, "aliases": dict(model.aliases), "tags": model.tags}
