"""Metric points: which a run has, and how many are sent at a time."""

from collections.abc import Sequence

from mlflow import MlflowClient
from mlflow.entities import Metric

POINTS_A_CALL = 1000  # MLflow's own limit


def send_points(client: MlflowClient, run_id: str, points: Sequence[Metric]) -> None:
    """Log the points to the run, in as many calls as MLflow needs."""
    for start in range(0, len(points), POINTS_A_CALL):
        client.log_batch(run_id, metrics=points[start : start + POINTS_A_CALL])


def logged_points(client: MlflowClient, run_id: str) -> set[tuple[str, int]]:
    """The (name, step) of every metric point that the run has."""
    names = client.get_run(run_id).data.metrics
    return {(name, point.step) for name in names for point in client.get_metric_history(run_id, name)}
