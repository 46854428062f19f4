"""`sweep` as it is typed: real children, stopped, killed and taken up again."""

import csv
import re
import signal
import subprocess
import time
from typing import Any

import pytest
import yaml
from mlflow.entities import Run

pytestmark = pytest.mark.integration

OF_THE_CLOCK = ("seconds", "run_id")
THREADS = "1"


@pytest.fixture(scope="module")
def train_options(tiny_encoder) -> dict[str, Any]:
    return {"encoder": str(tiny_encoder), "trainable_layers": 0, "epochs": 2, "num_samples": 60, "max_length": 32}


@pytest.fixture(scope="module")
def drawn(train_options) -> dict[str, Any]:
    """Three trials, drawn."""
    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}, "batch_size": [8, 16]}
    return {"strategy": "bayesian", "startup_trials": 1, "trials": 3, "train": train_options, "space": space}


def written(place, name: str, options: dict[str, Any]) -> dict[str, object]:
    """The options as a file, and a folder for the sweep."""
    file = place.folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(options))
    return {"config": file, "output_dir": place.folder / name}


def table(place, name: str) -> list[dict[str, str]]:
    with (place.folder / name / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def without_clock(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: text for name, text in row.items() if name not in OF_THE_CLOCK} for row in rows]


def trials(place, parent: str) -> list[Run]:
    return [run for run in place.runs() if run.data.tags.get("mlflow.parentRunId") == parent]


def parent_in(printed: str) -> str:
    found = re.search(r"^run +([0-9a-f]{32})$", printed, re.MULTILINE)
    assert found, printed
    return found[1]


@pytest.fixture(scope="module")
def whole(place, drawn) -> tuple[str, str]:
    """A sweep that nobody disturbs, by `mlflow run`: what it printed, its run."""
    done = place.mlflow_run("sweep", written(place, "whole", drawn), OMP_NUM_THREADS=THREADS, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout, parent_in(done.stdout)


def test_the_trials_are_nested_runs_of_train(whole, place):
    _, parent = whole
    runs = trials(place, parent)
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    assert {run.data.tags["newsclf.trial"] for run in runs} == {"1", "2", "3"}
    assert {run.data.tags["mlflow.project.entryPoint"] for run in runs} == {"train"}
    assert {run.data.params["epochs"] for run in runs} == {"2"}
    assert len({run.data.params["learning_rate"] for run in runs}) == 3


def test_the_table_has_the_best_on_top_and_is_what_the_runs_have_logged(whole, place):
    _, parent = whole
    rows, runs = table(place, "whole"), {run.info.run_id: run for run in trials(place, parent)}
    values = [float(row["val_acc"]) for row in rows]
    assert values == sorted(values, reverse=True)
    for row in rows:
        run = runs[row["run_id"]]
        assert (row["state"], row["learning_rate"]) == ("complete", run.data.params["learning_rate"])
        history = place.client().get_metric_history(run.info.run_id, "val_acc")
        assert (
            float(row["val_acc"])
            == sorted(history, key=lambda point: point.step)[int(run.data.metrics["kept_epoch"]) - 1].value
        )
    run = place.client().get_run(parent)
    assert run.data.metrics["best/val_acc"] == values[0]
    assert run.data.tags["newsclf.best_run_id"] == rows[0]["run_id"]
    logged = {file.path for folder in ("", "plots") for file in place.client().list_artifacts(parent, folder)}
    assert {"table.csv", "result.json", "plots/parallel_coordinates.png"} <= logged


def test_it_says_how_far_it_is_and_where_to_compare(whole):
    printed, _ = whole
    assert re.search(r"1 of 3 trials, best val_acc 0\.\d+ \(trial 1\), about \d+ (s|min) left", printed)
    assert "#/compare-runs?runs=" in printed


def test_a_second_call_runs_nothing_and_has_the_same_table(whole, place):
    _, before = whole
    rows, count = table(place, "whole"), len(place.runs())
    options = {"config": place.folder / "whole.yaml", "output_dir": place.folder / "whole"}
    done = place.run(*place.entry_point("sweep", options))
    assert done.returncode == 0, done.stderr
    assert table(place, "whole") == rows
    assert len(place.runs()) == count + 1
    assert len(trials(place, parent_in(done.stdout))) == 3  # they hang under the newest run of the sweep
    assert trials(place, before) == []


def test_killed_and_started_again_it_has_the_same_table_and_no_trial_twice(whole, place, drawn):
    options = written(place, "killed", drawn)
    process = place.start(*place.entry_point("sweep", options), OMP_NUM_THREADS=THREADS)
    place.await_line(process, "trial 2:")
    process.kill()
    process.communicate()
    done = place.run(*place.entry_point("sweep", options), OMP_NUM_THREADS=THREADS, timeout=400)
    assert done.returncode == 0, done.stderr
    rows = table(place, "killed")
    assert without_clock(rows) == without_clock(table(place, "whole"))
    statuses = [run.info.status for run in trials(place, parent_in(done.stdout))]
    assert sorted(statuses) == ["FINISHED"] * 3 + ["KILLED"]
    assert "RUNNING" not in place.statuses()
    (lost,) = [run for run in place.runs() if "goes on with the sweep" in run.data.tags.get("newsclf.failure", "")]
    assert lost.info.status == "FAILED"


def test_bad_trials_are_stopped_early_and_broken_ones_tried_again(place, train_options):
    runs = [{"learning_rate": 1e-2}, {"learning_rate": 1e-8}, {"learning_rate": 1e-2, "encoder": "/nowhere"}]
    given = {"strategy": "list", "aim": "val_loss", "pruner": "median", "startup_trials": 1, "retries": 1, "runs": runs}
    given["train"] = train_options | {"patience": 0, "epochs": 60}
    done = place.mlflow_run("sweep", written(place, "pruned", given), OMP_NUM_THREADS=THREADS, timeout=400)
    assert done.returncode == 0, done.stderr
    rows = table(place, "pruned")
    assert [row["state"] for row in rows] == ["complete", "pruned", "failed"]
    assert rows[2]["failed_before"] == "1"
    assert "encoder '/nowhere' is no folder" in rows[2]["failure"]
    by_trial = {run.data.tags["newsclf.trial"]: run for run in trials(place, parent_in(done.stdout))}
    assert by_trial["2"].info.status == "KILLED"
    assert re.match(r"after epoch \d+, at val_loss", by_trial["2"].data.tags["newsclf.pruned"])
    assert by_trial["2"].data.metrics["val_loss"] > by_trial["1"].data.metrics["val_loss"]
    assert "epochs_run" not in by_trial["2"].data.metrics
    assert by_trial["3"].info.status == "FAILED"


def test_ctrl_c_stops_the_sweep_and_its_trials_two_at_a_time(place, drawn):
    endless = drawn | {"train": drawn["train"] | {"epochs": 10_000, "patience": 0}, "parallel": 2}
    process = place.start(*place.entry_point("sweep", written(place, "stopped", endless)))
    place.await_line(process, "trial 2:")
    log = place.folder / "stopped" / "trials" / "0001-0.log"
    while "epoch 1/" not in log.read_text():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert error.splitlines()[-1] == "sweep: stopped; the run is marked KILLED"
    parent = next(run for run in place.runs() if run.data.tags["newsclf.verb"] == "sweep")
    children = trials(place, parent.info.run_id)
    assert [run.info.status for run in [parent, *children]] == ["KILLED"] * 3
    assert "RUNNING" not in place.statuses()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "list", "runs": [{"epohcs": 1}]}, "runs, number 1: unknown option epohcs: did you mean epochs?"),
        (
            {"strategy": "list", "runs": [{"epochs": 1}], "storage": "mysql://a:secret@b/c"},
            "into $NEWSCLF_SWEEP",
        ),
        ({"strategy": "list", "runs": [{"epochs": 1}], "name": "a/b"}, "option name is 'a/b'"),
        ({"strategy": "list", "runs": [{"epochs": 1}], "tracking": "offline"}, "option tracking is offline"),
    ],
)
def test_bad_input_ends_it_before_any_trial(given, message, place):
    count = len(place.runs())
    done: subprocess.CompletedProcess[str] = place.run(*place.entry_point("sweep", written(place, "bad", given)))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(place.runs()) == count


def test_an_aim_that_is_not_logged_is_told_after_the_first_trial(place, train_options):
    runs = [{"learning_rate": 1e-2}, {"learning_rate": 1e-3}]
    given = {"strategy": "list", "aim": "val_accuracy", "runs": runs, "train": train_options | {"epochs": 1}}
    done = place.run(*place.entry_point("sweep", written(place, "aim", given)), OMP_NUM_THREADS=THREADS)
    assert done.returncode == 2
    assert "option aim is val_accuracy: run" in done.stderr
    assert "val_acc," in done.stderr
    assert not list((place.folder / "aim" / "trials").glob("0002*"))
