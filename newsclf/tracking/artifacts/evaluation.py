"""A model's scores, plots, predictions and worst errors into the run and its folder, for train and evaluate alike."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from newsclf.evaluation.concerns import of_scores
from newsclf.evaluation.errors_table import most_confident_errors
from newsclf.evaluation.plots import all_plots, losses
from newsclf.evaluation.predictions import FILE, Predictions
from newsclf.evaluation.scores import per_class_metrics, scores
from newsclf.tracking.run import Run


def log_report(
    run: Run,
    texts: Sequence[str],
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    prefix: str = "",
    identity: pd.DataFrame | None = None,
) -> dict[str, float]:
    """Log plots, predictions and the table of errors, and warn of what is a concern in the scores.

    The metrics are returned, as a caller may have to log its model first, whose id goes with them.
    labels: [rows] class indices; probabilities: [rows, classes]; identity: [rows] columns that tell the rows apart.
    """
    for name, figure in all_plots(labels, probabilities, classes).items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # a class name in a script the font lacks
            figure.savefig(run.folder / name)
        run.log_file(run.folder / name, "plots")
    Predictions.of(texts, labels, probabilities, classes).write(run.folder / FILE, identity)
    run.log_file(run.folder / FILE)
    errors = most_confident_errors(texts, labels, probabilities, classes, identity=identity)
    errors.to_csv(run.folder / "confident_errors.csv", index=False)
    if len(errors):
        run.log_table(errors, "confident_errors.json")
    run.warn(of_scores(labels, probabilities, classes))
    metrics = {f"{prefix}{name}": value for name, value in scores(labels, probabilities).items()}
    return metrics | per_class_metrics(labels, probabilities, classes, prefix)


def log_losses(run: Run, by_epoch: Sequence[tuple[float, float]], kept_epoch: int) -> None:
    """Log the chart of (train_loss, val_loss) of each epoch; kept_epoch: from 0. A diverged epoch leaves a gap."""
    if by_epoch:
        losses(by_epoch, kept_epoch).savefig(run.folder / "losses.png")
        run.log_file(run.folder / "losses.png", "plots")
