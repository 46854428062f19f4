"""Several p-values: corrected for their number, or made one. p-values lie in 0..1; [tests] arrays keep their order."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def bonferroni(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values [tests] corrected for their number: the least of them is below x with a probability of at most x.

    Source: Dunn 1961, Multiple Comparisons Among Means.

    >>> bonferroni([0.01, 0.4, 0.5]).tolist()
    [0.03, 1.0, 1.0]
    """
    return np.minimum(1.0, np.asarray(p_values, float) * len(p_values))


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values [tests] corrected for their number: below alpha with at most that chance of any false one among them.

    The least is multiplied by their number, the next by one less, ..., and none is below one that was smaller before.
    Source: Holm 1979, A simple sequentially rejective multiple test procedure.

    >>> holm([0.01, 0.04, 0.03, 0.5]).round(3).tolist()
    [0.04, 0.09, 0.09, 0.5]
    """
    given = np.asarray(p_values, float)
    order = np.argsort(given, kind="stable")
    corrected = np.empty(len(given))
    steps = given[order] * np.arange(len(given), 0, -1)
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, steps))
    return corrected


def cauchy_combination(p_values: Sequence[float] | np.ndarray, weights: Sequence[float] | None = None) -> float:
    """One p-value of several tests that depend on each other; 1 for none. weights: [tests], above 0.

    Like the smallest one corrected for their number, but smaller where several tests agree.
    Source: Liu, Xie 2020, Cauchy Combination Test: A Powerful Test With Analytic p-Value Calculation Under Arbitrary
    Dependency Structures.

    >>> round(cauchy_combination([0.03, 0.03, 0.03]), 4)  # tests that say the same count once
    0.03
    >>> round(cauchy_combination([0.001, 0.5, 0.5, 0.5]), 4)
    0.004
    """
    if not len(p_values):
        return 1.0
    given = np.clip(np.asarray(p_values, float), 1e-300, 0.99)  # a p-value of 1 must not outweigh all others
    shares = np.ones(len(given)) if weights is None else np.asarray(weights, float)
    # tan((0.5 - p) pi) is 1 / (p pi) for small p, where the former has no digits left.
    terms = np.where(given < 1e-10, 1 / (given * np.pi), np.tan((0.5 - given) * np.pi))
    mean = float((shares * terms).sum() / shares.sum())
    return 1 / (mean * np.pi) if mean > 1e10 else float(stats.cauchy.sf(mean))
