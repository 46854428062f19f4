"""`train folds=3` as it is typed: a run a fold, their mean, a fold that fails, and one that was cut off."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.entities import Run

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def options(tiny_encoder: Path) -> dict[str, Any]:
    return {
        "encoder": tiny_encoder,
        "trainable_layers": 0,
        "epochs": 2,
        "num_samples": 60,
        "max_length": 32,
        "folds": 2,
        "baseline": "false",
    }


def folds_of(place, parent: str) -> list[Run]:
    return [run for run in place.runs() if run.data.tags.get("mlflow.parentRunId") == parent]


def test_mean_and_interval_over_runs_of_their_own_and_a_resumed_one(place, options) -> None:
    folder = place.folder / "folds"
    done = place.run(*place.entry_point("train", {**options, "output_dir": folder}))
    assert done.returncode == 0, done.stderr
    printed = done.stdout
    assert "a cross-validation has no model of its own" in printed
    found = re.search(r"^run +([0-9a-f]{32})$", printed, re.MULTILINE)
    assert found, printed
    parent = found[1]
    run = place.client().get_run(parent)
    children = folds_of(place, parent)
    assert [run.info.status, *(child.info.status for child in children)] == ["FINISHED"] * 3
    assert {child.data.params["fold"] for child in children} == {"1", "2"}
    accuracies = [child.data.metrics["test_accuracy"] for child in children]
    assert run.data.metrics["cv_accuracy"] == pytest.approx(np.mean(accuracies))
    assert run.data.metrics["cv_accuracy_std"] == pytest.approx(np.std(accuracies, ddof=1))
    assert (
        run.data.metrics["cv_log_loss_low"] <= run.data.metrics["cv_log_loss"] <= run.data.metrics["cv_log_loss_high"]
    )
    rows = run.data.metrics["rows/train"] + run.data.metrics["rows/validation"]
    assert sum(child.data.metrics["rows/test"] for child in children) == rows
    with (folder / "folds.csv").open(newline="") as file:
        assert {row["run_id"] for row in csv.DictReader(file)} == {child.info.run_id for child in children}
    assert "model" not in {entry.path for entry in place.client().list_artifacts(parent)}

    # As if the parent had been killed: it goes on, and what is done stays done.
    place.client().set_terminated(parent, "KILLED")
    place.client().delete_run(children[0].info.run_id)
    again = place.run(*place.entry_point("train", {"resume": parent}))
    assert (again.returncode, again.stdout.count("(run ")) == (0, 2), again.stderr
    assert len(folds_of(place, parent)) == 2
    assert place.client().get_run(parent).info.status == "FINISHED"
