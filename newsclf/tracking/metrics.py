"""What is logged once, however often a run was cut off and taken up again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from newsclf.tracking.server import tracking_uri


def logged_points(run_id: str) -> set[tuple[str, int]]:
    """The (name, step) of every metric point that the run has."""
    client = MlflowClient()
    names = client.get_run(run_id).data.metrics
    return {(name, point.step) for name in names for point in client.get_metric_history(run_id, name)}


def log_metrics(metrics: Mapping[str, float], model_id: str | None = None) -> None:
    """Log to the active run those of its numbers, each of which it has but once, that it has not got."""
    run = mlflow.active_run()
    assert run is not None
    there = mlflow.get_run(run.info.run_id).data.metrics
    mlflow.log_metrics({name: value for name, value in metrics.items() if name not in there}, model_id=model_id)


def log_table(table: pd.DataFrame, name: str) -> None:
    """Log a table to the active run. MLflow's own function would add its rows to those of a table that is there."""
    run = mlflow.active_run()
    assert run is not None
    get_artifact_repository(run.info.artifact_uri).delete_artifacts(name)
    mlflow.log_table(table, name)


def logged_model(run_id: str) -> str | None:
    """The id of the model that the active run has logged before it was cut off, if it had come so far."""
    for store in dict.fromkeys((mlflow.get_tracking_uri(), tracking_uri())):
        with contextlib.suppress(MlflowException):
            client = MlflowClient(store, store)
            experiment = client.get_run(run_id).info.experiment_id
            for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
                if model.status == "READY":
                    return str(model.model_id)
    return None
