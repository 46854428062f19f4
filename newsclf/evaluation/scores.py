"""Scores of class probabilities against labels."""

from collections.abc import Sequence

import numpy as np

from newsclf.evaluation.metric_names import metric_part

BINS = 15


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """accuracy, macro_f1, log_loss (nats) and expected_calibration_error.

    labels: [rows] class indices; probabilities: [rows, classes], rows sum to 1.
    """
    predicted = probabilities.argmax(axis=1)
    return {
        "accuracy": accuracy(labels, predicted),
        "macro_f1": macro_f1(labels, predicted),
        "log_loss": log_loss(labels, probabilities),
        "expected_calibration_error": expected_calibration_error(labels, probabilities),
    }


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of minus the logarithm (nats) of the label's probability, which counts as 1e-15 at least."""
    chosen = np.clip(probabilities[np.arange(len(labels)), labels], 1e-15, 1.0)
    return float(-np.log(chosen).mean())


def accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Share of rows whose predicted class is the label; both are [rows] of class indices."""
    return float((predicted == labels).mean())


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Unweighted mean of F1 over the classes that occur among labels or predictions."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predicted, average="macro", zero_division=0))


def class_scores(labels: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """precision, recall and f1, each [classes]; 0 where it is undefined (no such row, never predicted)."""
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=np.arange(classes), zero_division=0
    )
    return {"precision": precision, "recall": recall, "f1": f1}


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equal-width confidence bins, weighted by rows.

    0 is calibrated, 1 the worst. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    _, confidence, accuracy, rows = calibration_curve(labels, probabilities, bins)
    return float((np.abs(confidence - accuracy) * rows).sum() / max(1, rows.sum()))


def calibration_curve(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(left edges, mean confidence, accuracy, rows) of each confidence bin, [bins] each; 0 in an empty bin."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = np.bincount(place, minlength=bins)
    divisor = np.maximum(rows, 1)
    mean_confidence = np.bincount(place, confidence, minlength=bins) / divisor
    accuracy = np.bincount(place, correct, minlength=bins) / divisor
    return np.arange(bins) / bins, mean_confidence, accuracy, rows


def average_precisions(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The area under the precision-recall curve of each class, [classes]; NaN where no row is of the class.

    It hangs on the order of a class's probabilities alone, not on where a line is drawn: 1 where every row of the class
    has a higher one than all others, the class's share of the rows where the order is random.
    """
    from sklearn.metrics import average_precision_score

    found = np.full(probabilities.shape[1], np.nan)
    for place in np.unique(labels):
        found[place] = average_precision_score(labels == place, probabilities[:, place])
    return found


def per_class_metrics(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], prefix: str = ""
) -> dict[str, float]:
    """{prefix}precision/<class>, {prefix}recall/<class>, {prefix}f1/<class>; see `metric_part`.

    And {prefix}average_precision/<class> of each class that has a row, with their mean as {prefix}average_precision.
    """
    per_class = class_scores(labels, probabilities.argmax(axis=1), len(classes))
    areas = average_precisions(labels, probabilities)
    metrics = {f"{prefix}average_precision": float(np.nanmean(areas))}
    return metrics | {
        f"{prefix}{score}/{metric_part(name)}": float(values[index])
        for score, values in {**per_class, "average_precision": areas}.items()
        for index, name in enumerate(classes)
        if np.isfinite(values[index])
    }
