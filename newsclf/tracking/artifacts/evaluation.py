"""A model's scores, plots, predictions and worst errors into the run and its folder, for train and evaluate alike."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np

from newsclf.evaluation.errors_table import most_confident_errors
from newsclf.evaluation.plots import all_plots
from newsclf.evaluation.predictions import FILE, Predictions
from newsclf.evaluation.scores import per_class_metrics, scores
from newsclf.tracking.metrics import log_table


def log_report(
    texts: Sequence[str],
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    folder: Path,
    prefix: str = "",
) -> dict[str, float]:
    """Plots, predictions and the table of errors are logged; the metrics are returned for the caller to log.

    labels: [rows] class indices; probabilities: [rows, classes].
    """
    for name, figure in all_plots(labels, probabilities, classes).items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # a class name in a script the font lacks
            figure.savefig(folder / name)
        mlflow.log_artifact(str(folder / name), "plots")
    Predictions.of(texts, labels, probabilities, classes).write(folder / FILE)
    mlflow.log_artifact(str(folder / FILE))
    errors = most_confident_errors(texts, labels, probabilities, classes)
    errors.to_csv(folder / "confident_errors.csv", index=False)
    if len(errors):
        log_table(errors, "confident_errors.json")
    metrics = {f"{prefix}{name}": value for name, value in scores(labels, probabilities).items()}
    return metrics | per_class_metrics(labels, probabilities, classes, prefix)
