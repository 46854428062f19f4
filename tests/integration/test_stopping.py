"""However a run ends, it does not stay RUNNING."""

import os
import signal
import time

import pytest

pytestmark = pytest.mark.integration

ENDLESS = {"epochs": 10_000, "patience": 0, "trainable_layers": 0}


@pytest.fixture(scope="module")
def options(tiny_encoder) -> dict[str, object]:
    return ENDLESS | {"encoder": tiny_encoder}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
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
