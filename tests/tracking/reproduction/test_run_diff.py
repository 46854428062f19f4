"""Two runs are equal if every point is."""

import math
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from newsclf.tracking.reproduction.run_diff import (
    Difference,
    causes,
    differences,
    measures_the_machine,
    series_of,
    threads_of,
)

PACKAGES = ["torch==2.13.0", "numpy==1.26.4"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tmp_path_factory.mktemp('store') / 'runs.db'}")


def made(client: MlflowClient, device: str = "Some CPU, 2 threads") -> Run:
    run = client.create_run("0", tags={"newsclf.device_name": device, "newsclf.python": "3.11.7"})
    for step, value in enumerate((0.5, math.nan, 0.1 + 0.2)):
        client.log_metric(run.info.run_id, "val_loss", value, step=step)
    client.log_metric(run.info.run_id, "seconds/total", 12.0)
    return client.get_run(run.info.run_id)


@pytest.fixture
def series(client: MlflowClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(tmp_path))
    return series_of(made(client))


def test_what_measures_the_machine_is_left_out(series) -> None:
    assert list(series) == ["val_loss"]
    assert [step for step, _ in series["val_loss"]] == [0, 1, 2]
    names = ("seconds/training", "train_rows_per_second", "peak_gpu_memory_bytes", "peak_memory_bytes")
    assert all(map(measures_the_machine, names))
    assert not any(map(measures_the_machine, ("val_loss", "avg_test_acc", "rows/train", "epochs_run")))


def test_equal_is_equal_to_the_last_bit(series) -> None:
    assert differences(series, dict(series)) == []
    last = {"val_loss": [*series["val_loss"][:2], (2, 0.3)]}
    assert differences(series, last) == [Difference("val_loss", 3, 1, 2, 0.1 + 0.2, 0.3)]


def test_a_point_or_a_metric_that_is_missing_is_a_difference(series) -> None:
    assert differences(series, {"val_loss": series["val_loss"][:2]}) == [
        Difference("val_loss", 3, 1, 2, 0.1 + 0.2, None)
    ]
    assert [one.metric for one in differences(series, {**series, "val_acc": [(0, 1.0)]})] == ["val_acc"]
    later = {"val_loss": [(step + 1, value) for step, value in series["val_loss"]]}
    assert differences(series, later)[0].different == 3


def test_what_was_not_the_same_around_the_runs_is_named(client: MlflowClient) -> None:
    then, now = made(client), made(client, "Another CPU, 8 threads")
    assert causes(then, then, PACKAGES, PACKAGES) == []
    assert causes(then, now, PACKAGES, ["torch==2.12.1", "numpy==1.26.4", "wheel==1"]) == [
        "other hardware (Some CPU, now Another CPU)",
        "other number of threads (2, now 8)",
        "other package versions (torch 2.13.0, now 2.12.1, wheel missing, now 1)",
    ]
    assert (threads_of(then), threads_of(made(client, "Tesla T4"))) == (2, None)
