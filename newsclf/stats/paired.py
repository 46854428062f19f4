"""How sure a score is, and whether two models differ on the same rows."""

from __future__ import annotations

import numpy as np

LEAST_PROBABILITY = 1e-6  # of a class that a model thought impossible: one row must not outweigh all others
LEVEL = 0.95
MOST_COUNTS = 2_000_000  # that are held in memory at once, 8 bytes each


def bootstrap(labels: np.ndarray, predictions: list[np.ndarray], samples: int, seed: int) -> dict[str, np.ndarray]:
    """Accuracy and macro-F1 of each of several models on the same resamples of the rows.

    labels: [rows]; predictions: one [rows] of class indices a model.
    Returns accuracy and macro_f1, [models, samples] each. Rows are drawn with replacement (Efron, 1979); all
    models see the same draws, so the difference of two rows of the result is the paired bootstrap.
    """
    random = np.random.default_rng(seed)
    rows, models = len(labels), len(predictions)
    classes = int(max(labels.max(), *(p.max() for p in predictions))) + 1
    # A resample is a count for each distinct (label, predictions) cell: rows in a cell are alike.
    cells, rows_in_cell = np.unique(np.stack([labels, *predictions]), axis=1, return_counts=True)
    result = {"accuracy": np.empty((models, samples)), "macro_f1": np.empty((models, samples))}
    one_hot = np.eye(classes)
    at_once = max(1, MOST_COUNTS // len(rows_in_cell))
    for start in range(0, samples, at_once):
        part = slice(start, min(start + at_once, samples))
        size = part.stop - part.start
        counts = random.multinomial(rows, rows_in_cell / rows, size=size).astype(float)  # [size, cells]
        support = counts @ one_hot[cells[0]]
        for model in range(models):
            predicted = one_hot[cells[model + 1]]
            hits = counts @ (predicted * one_hot[cells[0]])
            denominator = support + counts @ predicted
            f1 = np.divide(2 * hits, denominator, out=np.full(hits.shape, np.nan), where=denominator > 0)
            result["accuracy"][model, part] = hits.sum(axis=1) / rows
            result["macro_f1"][model, part] = np.nanmean(f1, axis=1)
    return result


def interval(draws: np.ndarray) -> tuple[float, float]:
    """The percentile interval [low, high] at LEVEL of bootstrap draws [samples]."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def mcnemar_p(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """p-value of McNemar's exact test that two models err equally often on the same rows.

    McNemar 1947; the exact binomial form is valid for any number of rows on which just one model is right.
    """
    return _binomial_p(labels, first, second, "two-sided")


def better_p(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """p-value of the same test with one side: that the first model errs no less often than the second."""
    return _binomial_p(labels, first, second, "greater")


def tempered(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Log-probability (nats) of each row's label, at the temperature at which their mean on these rows is highest.

    labels: [rows] class indices; probabilities: [rows, classes], which count as 1e-6 at least. A temperature (Guo et
    al. 2017, On Calibration of Modern Neural Networks) makes a model more or less sure and changes no prediction.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logs, rows = np.log(np.maximum(probabilities, LEAST_PROBABILITY)), np.arange(len(labels))

    def at(log_temperature: float) -> np.ndarray:
        return log_softmax(logs / np.exp(log_temperature), axis=1)[rows, labels]

    return at(minimize_scalar(lambda value: -at(value).mean(), bounds=(-4, 4), method="bounded").x)


def greater_p(first: np.ndarray, second: np.ndarray) -> float:
    """p-value of the one-sided paired t-test that the mean of the first, [rows], is no greater than the second's."""
    from scipy.stats import ttest_1samp

    gain = first - second
    return 1.0 if len(gain) < 2 or np.ptp(gain) == 0 else float(ttest_1samp(gain, 0.0, alternative="greater").pvalue)


def _binomial_p(labels: np.ndarray, first: np.ndarray, second: np.ndarray, alternative: str) -> float:
    from scipy.stats import binomtest

    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((second == labels) & (first != labels)).sum())
    differing = only_first + only_second
    return 1.0 if differing == 0 else float(binomtest(only_first, differing, 0.5, alternative).pvalue)
