"""Metric points: their names, and how many are sent in a call."""

from typing import Any

import pytest
from mlflow.entities import Metric
from mlflow.utils.validation import _validate_metric_name

from newsclf.evaluation.metric_names import metric_name
from newsclf.tracking.metrics import POINTS_A_CALL, send_points


class Client:
    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def log_batch(self, run_id: str, metrics: list[Metric]) -> None:
        assert run_id == "a run"
        self.calls.append([point.step for point in metrics])


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (1000, 1), (1001, 2)])
def test_every_point_is_sent_once_and_in_order(count: int, calls: int) -> None:
    client: Any = Client()
    send_points(client, "a run", [Metric("loss", 0.5, 0, step) for step in range(count)])
    assert len(client.calls) == calls
    assert [step for call in client.calls for step in call] == list(range(count))
    assert all(len(call) <= POINTS_A_CALL for call in client.calls)


@pytest.mark.parametrize(
    ("name", "logged"),
    [
        ("covariate/p_value", "covariate/p_value"),
        ("f1/R:26:B", "f1/R:26:B"),
        ("share/Sci?Tech", "share/Sci:3f:Tech"),
        ("/at the/ends/", ":2f:at the/ends:2f:"),
        ("a/../b", "a/:2e::2e:/b"),
        ("x" * 200, "x" * 200),
    ],
)
def test_mlflow_takes_the_name(name: str, logged: str) -> None:
    assert metric_name(name) == logged
    _validate_metric_name(logged)
