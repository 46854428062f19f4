"""How sure a score is, and whether two models differ on the same rows."""

import numpy as np
from scipy import stats

LEVEL = 0.95
MAX_COUNTS = 2_000_000  # that are held in memory at once, 8 bytes each


def bootstrap(labels: np.ndarray, predictions: list[np.ndarray], samples: int, seed: int) -> dict[str, np.ndarray]:
    """Accuracy and macro-F1 of each of several models on the same resamples of the rows.

    labels: [rows]; predictions: one [rows] of class indices a model.
    Returns accuracy and macro_f1, [models, samples] each, in 0..1. Rows are drawn with replacement (Efron 1979,
    Bootstrap Methods: Another Look at the Jackknife); all models see the same draws, so the difference of two rows of
    the result is the paired bootstrap.

    >>> labels = np.repeat([0, 1], 50)
    >>> draws = bootstrap(labels, [labels, np.zeros(100, int)], samples=1000, seed=0)["accuracy"]
    >>> draws.shape, draws.mean(axis=1).round(2).tolist()
    ((2, 1000), [1.0, 0.5])
    """
    random = np.random.default_rng(seed)
    rows, models = len(labels), len(predictions)
    classes = int(max(labels.max(), *(p.max() for p in predictions))) + 1
    # A resample is a count for each distinct (label, predictions) cell: rows in a cell are alike.
    cells, rows_in_cell = np.unique(np.stack([labels, *predictions]), axis=1, return_counts=True)
    result = {"accuracy": np.empty((models, samples)), "macro_f1": np.empty((models, samples))}
    one_hot = np.eye(classes)
    at_once = max(1, MAX_COUNTS // len(rows_in_cell))
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
    """The percentile interval [low, high] at LEVEL of bootstrap draws [samples] (Efron 1979).

    >>> low, high = interval(np.arange(1001))
    >>> round(low, 6), round(high, 6)
    (25.0, 975.0)
    """
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def mcnemar_p(labels: np.ndarray, first: np.ndarray, second: np.ndarray, alternative: str = "two-sided") -> float:
    """p-value of McNemar's exact test that two models err equally often on the same rows; 1 where they never differ.

    labels, first, second: [rows] class indices. alternative: "greater" asks whether the first errs less often.
    Source: McNemar 1947, Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages;
    the exact binomial form is valid for any number of rows on which just one model is right.

    >>> labels, first, second = np.zeros(8, int), np.zeros(8, int), np.array([1, 1, 1, 1, 1, 0, 0, 0])
    >>> mcnemar_p(labels, first, second), mcnemar_p(labels, first, second, "greater")
    (0.0625, 0.03125)
    """
    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((second == labels) & (first != labels)).sum())
    differing = only_first + only_second
    return 1.0 if differing == 0 else float(stats.binomtest(only_first, differing, 0.5, alternative).pvalue)


def paired_t_p(first: np.ndarray, second: np.ndarray, alternative: str = "two-sided") -> float:
    """p-value of the paired t-test that the means of first and second, [rows] each, are equal; 1 without any spread.

    alternative: "greater" asks whether the first mean is the greater one.
    Source: Student 1908, The Probable Error of a Mean.

    >>> first, second = np.array([2.0, 3.0, 4.0, 3.0]), np.array([1.0, 2.0, 2.0, 2.0])
    >>> round(paired_t_p(first, second), 4), round(paired_t_p(first, second, "greater"), 4)
    (0.0154, 0.0077)
    """
    gain = first - second
    if len(gain) < 2 or np.ptp(gain) == 0:
        return 1.0
    return float(stats.ttest_1samp(gain, 0.0, alternative=alternative).pvalue)
