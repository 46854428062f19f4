"""Whether two samples come from one distribution: numbers in bins of the reference's own quantiles, or their mean."""

import numpy as np
from scipy import stats

from newsclf.stats.multiple_testing import cauchy_combination

# Cuts at the reference's own quantiles. The narrow outer bins see a few texts that are unlike all others, which tests
# of the whole distribution (Kolmogorov and Smirnov's) do not.
LEVELS = np.array([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.995])
MIN_EXPECTED = 4  # values of a bin, below which the chi-square approximation is not trusted
MIN_VARIANCE = 1e-9  # along a direction, which has 1 in the reference; none at all, where all texts are alike


def binned(current: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Counts [bins] of the current values, shares [bins] of the reference's, and their effective number.

    current, reference: [values] each; weights: [reference values], at least 0. The edges are the reference's quantiles
    at LEVELS; NaN (no text to measure) has a bin of its own, the last.

    >>> counts, shares, number = binned(np.array([0.0, 2.0, np.nan]), np.array([0.0, 1.0]), np.ones(2))
    >>> counts.sum(), counts[-1], shares.sum(), number
    (3.0, 1.0, 1.0, 2.0)
    """
    there = ~np.isnan(reference)
    edges = np.unique(np.quantile(reference[there], LEVELS)) if there.any() else np.zeros(1)
    places = [np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x)) for x in (current, reference)]
    counts = np.bincount(places[0], minlength=len(edges) + 2).astype(float)
    shares = np.bincount(places[1], weights=weights, minlength=len(edges) + 2) / weights.sum()
    return counts, shares, effective_number(weights)


def compare_bins(counts: np.ndarray, shares: np.ndarray, number: float) -> tuple[float, float]:
    """Counts [bins] against shares [bins] of `number` rows: p-value and total variation (0..1).

    Two kinds of tests, combined: chi-square over all bins, for any change; and the shares below each of the cuts, for
    some texts at one end. The latter are Kolmogorov's and Smirnov's with every cut in units of its own standard error,
    so that ends count as much as the middle.

    >>> p_value, effect = compare_bins(np.array([30.0, 70.0]), np.array([0.5, 0.5]), 100)
    >>> round(p_value, 4), round(effect, 4)
    (0.0039, 0.2)
    """
    table = np.stack([counts, shares * number])
    table = table[:, table.sum(axis=0) > 0]
    effect = float(np.abs(table[0] / table[0].sum() - table[1] / table[1].sum()).sum() / 2)
    joined = _join(table)
    if joined.shape[1] < 2:
        return 1.0, effect
    any_change = float(stats.chi2_contingency(joined, correction=False).pvalue)
    cuts = _below_cuts(joined)
    return cauchy_combination([any_change, *cuts], [1.0, *[1 / len(cuts)] * len(cuts)]), effect


def hotelling(current: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """p-value that both have one mean, and its shift in standard deviations (Mahalanobis distance).

    current, reference: [rows, directions] each; rows with NaN are left out. weights: [reference rows], at least 0.
    The shift is freed of what chance alone would give, at least 0. Too few rows for the test give (1, 0).
    Source: Hotelling 1931, The Generalization of Student's Ratio.

    >>> random = np.random.default_rng(0)
    >>> before, after = random.normal(0, 1, (9000, 3)), random.normal([0.5, 0, 0], 1, (9000, 3))
    >>> p_value, shift = hotelling(after, before, np.ones(9000))
    >>> p_value < 1e-20, round(shift, 1)
    (True, 0.5)
    """
    here = ~np.isnan(current).any(axis=1)
    there = ~np.isnan(reference).any(axis=1)
    current, reference, weights = current[here], reference[there], weights[there]
    n, width = len(current), current.shape[1]
    if min(n, len(reference)) < 2 or n + (m := effective_number(weights)) - width - 1 < 10:
        return 1.0, 0.0
    mean = np.average(reference, axis=0, weights=weights)
    scatter = (n - 1) * np.cov(current.T).reshape(width, width)
    scatter = scatter + (m - 1) * np.cov(reference.T, aweights=weights).reshape(width, width)
    variance = scatter / (n + m - 2) + MIN_VARIANCE * np.eye(width)
    difference = current.mean(axis=0) - mean
    distance = float(difference @ np.linalg.solve(variance, difference))
    statistic = distance * n * m / (n + m)
    f_value = statistic * (n + m - width - 1) / (width * (n + m - 2))
    by_chance = width * (1 / n + 1 / m)
    return float(stats.f.sf(f_value, width, n + m - width - 1)), float(np.sqrt(max(0.0, distance - by_chance)))


def effective_number(weights: np.ndarray) -> float:
    """How many equally weighted rows tell as much as rows of these weights, [rows] (Kish 1965, Survey Sampling).

    >>> effective_number(np.array([1.0, 1.0, 1.0, 0.0]))
    3.0
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def _join(table: np.ndarray) -> np.ndarray:
    """Neighbouring columns of [2, bins] joined until MIN_EXPECTED are expected in each: ties leave narrow ones."""
    scale = table.sum(axis=1).min() / table.sum()
    joined = [table[:, 0]]
    for column in table.T[1:]:
        if joined[-1].sum() * scale < MIN_EXPECTED:
            joined[-1] = joined[-1] + column
        else:
            joined.append(column)
    if len(joined) > 1 and joined[-1].sum() * scale < MIN_EXPECTED:
        joined[-2:] = [joined[-2] + joined[-1]]
    return np.stack(joined, axis=1)


def _below_cuts(table: np.ndarray) -> np.ndarray:
    """p-values [bins - 1] that the shares of [2, bins] below each cut are equal.

    Shares are compared after the arcsine transform, which makes their variance the same everywhere (Anscombe 1948).
    """
    rows = table.sum(axis=1)
    below = np.cumsum(table, axis=1)[:, :-1]
    # Anscombe's correction keeps the ends honest: a share of 0 in a few rows is not sure to be 0.
    angle = np.arcsin(np.sqrt((below + 0.375) / (rows[:, None] + 0.75)))
    return 2 * stats.norm.sf(np.abs(angle[0] - angle[1]) * 2 / np.sqrt((1 / rows).sum()))
