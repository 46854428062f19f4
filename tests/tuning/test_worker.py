"""What a worker of a sweep knows without starting a run."""

import os

import pytest
from mlflow.entities import Metric, Run, RunData, RunInfo

from newsclf.errors import InputError
from newsclf.tuning import worker
from newsclf.tuning.worker import aim_of, threads_for_each


def run(**metrics: float) -> Run:
    info = RunInfo("r" * 32, "0", "u", "FINISHED", 0, 1, "active", "/tmp")
    return Run(info, RunData([Metric(name, value, 0, 0) for name, value in metrics.items()], [], []))


@pytest.fixture
def series(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the run has logged of its aim, epoch by epoch."""
    values: list[float] = []
    monkeypatch.setattr(worker, "metric_points", lambda *_: [Metric("m", v, 0, e) for e, v in enumerate(values)])
    return values


def test_the_aim_is_that_of_the_kept_epoch(series: list[float]) -> None:
    series[:] = [0.5, 0.9, 0.7]
    assert aim_of(run(val_acc=0.7, kept_epoch=2, epochs_run=3), "val_acc") == 0.9


def test_an_aim_that_is_logged_once_is_what_it_is(series: list[float]) -> None:
    series[:] = [0.8]
    assert aim_of(run(test_accuracy=0.8, kept_epoch=2, epochs_run=3), "test_accuracy") == 0.8
    assert aim_of(run(test_accuracy=0.8, kept_epoch=1, epochs_run=1), "test_accuracy") == 0.8


def test_an_aim_that_is_not_logged_by_epoch_is_its_last_value(series: list[float]) -> None:
    series[:] = [0.5, 0.9]
    assert aim_of(run(speed=0.9, kept_epoch=1, epochs_run=3), "speed") == 0.9


def test_an_aim_that_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(InputError, match=r"option aim is x: run r+ has logged no such metric, but a, b"):
        aim_of(run(b=1, a=2), "x")


def test_trials_share_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert [threads_for_each(parallel) for parallel in (1, 2, 3, 16)] == [None, 4, 2, 1]
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert threads_for_each(2) == 3
