"""However a run ends, it does not stay RUNNING."""

import os
import signal
import socket
import time

import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.integration

ENDLESS = {"epochs": 10_000, "patience": 0, "trainable_layers": 0}


@pytest.fixture(scope="module")
def options(tiny_encoder) -> dict[str, object]:
    return ENDLESS | {"encoder": tiny_encoder}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_in_training_kills_the_run(number, code, place, options):
    process = place.start(*place.entry_point("train", options))
    place.await_line(process, "epoch 2/")
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == code
    assert error.splitlines()[-1] == "train: stopped; the run is marked KILLED"
    assert "Traceback" not in error
    run = place.runs()[0]
    assert run.info.status == "KILLED"
    assert run.data.tags["newsclf.failure"] == f"stopped by signal {number.value}"
    assert "val_loss" in run.data.metrics  # what was measured before stays


def test_a_terminal_that_closes_on_mlflow_run_kills_the_run(place, options):
    process = place.start(*place.mlflow_command("train", options))
    place.await_line(process, "epoch 2/")
    os.killpg(process.pid, signal.SIGHUP)  # `mlflow run` itself is gone at once, and marks nothing
    process.communicate(timeout=60)
    end = time.monotonic() + 30
    while place.statuses()[0] == "RUNNING" and time.monotonic() < end:
        time.sleep(0.2)
    assert place.statuses()[0] == "KILLED"


def test_a_server_that_does_not_answer_is_told_of_the_stop_later(place, options):
    """It accepts the connection, and says nothing: whether it has made a run nobody can know."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = place.start(*place.entry_point("train", options), MLFLOW_TRACKING_URI=uri)
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 143
    assert error.splitlines()[-1] == "train: stopped; the run is marked KILLED"
    assert "(stopped before it began): make sync sends them" in out
    (folder,) = (path for path in (place.folder / "journal").iterdir() if (path / "run.json").is_file())
    (run,) = MlflowClient(f"sqlite:///{folder / 'store.db'}").search_runs(["0"])
    assert (run.info.status, run.data.tags["newsclf.failure"]) == ("KILLED", "stopped by signal 15")


def test_ctrl_c_on_mlflow_run_kills_the_run(place, options):
    process = place.start(*place.mlflow_command("train", options))
    place.await_line(process, "epoch 2/")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    process.communicate(timeout=60)
    assert process.returncode != 0
    # `mlflow run` marks it FAILED in between: see newsclf/tracking/status_guard.py.
    end = time.monotonic() + 30
    while place.statuses()[0] != "KILLED" and time.monotonic() < end:
        time.sleep(0.2)
    assert place.statuses()[0] == "KILLED"


def test_a_fault_after_training_fails_the_run_and_says_why(place, options):
    folder = place.folder / "blocked"
    process = place.start(*place.entry_point("train", options | {"epochs": 20, "output_dir": folder}))
    place.await_line(process, "epoch 1/")
    (folder / "confusion_matrix.png").mkdir()  # is in the way of the plot
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in error
    assert str(folder) in error.splitlines()[-1]
    run = place.runs()[0]
    assert run.info.status == "FAILED"
    assert "Is a directory" in run.data.tags["newsclf.failure"]


def test_nothing_stays_running(place):
    assert sorted(set(place.statuses())) == ["FAILED", "KILLED"]
