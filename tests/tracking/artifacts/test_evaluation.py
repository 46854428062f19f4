"""What a model's predictions leave in a run."""

import numpy as np
import pandas as pd
import pytest

from newsclf.evaluation.predictions import FILE, Predictions
from newsclf.tracking.artifacts.evaluation import log_losses, log_report
from newsclf.tracking.run import Run

LABELS = np.array([0, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.4, 0.6]])


def files(run: Run, folder: str = "") -> set[str]:
    return {entry.path for entry in run.client.list_artifacts(run.id, folder)}


def test_numbers_are_handed_back_and_the_rest_is_logged(run: Run) -> None:
    metrics = log_report(run, ["a", "b", "c", "d"], LABELS, PROBABILITIES, ("x", "y"), prefix="test_")
    assert metrics["test_accuracy"] == 0.75
    assert metrics["test_recall/x"] == 0.5
    assert run.client.get_run(run.id).data.metrics == {}
    assert files(run) >= {FILE, "confident_errors.json", "plots"}
    assert files(run, "plots") == {f"plots/{name}.png" for name in ("confusion_matrix", "calibration", "per_class")}
    kept = Predictions.read(run.folder / FILE)
    np.testing.assert_allclose(kept.probabilities, PROBABILITIES, atol=1e-6)
    errors = pd.read_csv(run.folder / "confident_errors.csv")
    assert errors["text"].tolist() == ["b"]


def test_without_an_error_there_is_no_table_of_them(run: Run) -> None:
    metrics = log_report(run, ["a", "c"], LABELS[[0, 2]], PROBABILITIES[[0, 2]], ("x", "y"))
    assert metrics["accuracy"] == pytest.approx(1)
    assert "confident_errors.json" not in files(run)


def test_the_chart_of_losses_is_logged_where_there_are_losses(run: Run) -> None:
    log_losses(run, (), 0)  # of a training that goes on from a checkpoint without them
    assert files(run, "plots") == set()
    log_losses(run, ((0.9, 0.8), (0.5, 0.6)), 1)
    assert files(run, "plots") == {"plots/losses.png"}
