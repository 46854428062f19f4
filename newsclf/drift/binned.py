"""Two samples of a number, compared in bins of the reference's own quantiles."""

from __future__ import annotations

import numpy as np
from scipy import stats

# Cuts at the reference's own quantiles. The narrow outer bins see a few texts that are unlike all others, which tests
# of the whole distribution (Kolmogorov and Smirnov's) do not.
LEVELS = np.array([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.995])
FEWEST = 4  # expected values of a bin, below which the chi-square approximation is not trusted


def binned(current: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Counts [bins] of the current values, shares [bins] of the reference's, and their effective number.

    The edges are the reference's quantiles; NaN (no text to measure) has a bin of its own.
    """
    there = ~np.isnan(reference)
    edges = np.unique(np.quantile(reference[there], LEVELS)) if there.any() else np.zeros(1)
    places = [np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x)) for x in (current, reference)]
    counts = np.bincount(places[0], minlength=len(edges) + 2).astype(float)
    shares = np.bincount(places[1], weights=weights, minlength=len(edges) + 2) / weights.sum()
    return counts, shares, effective_number(weights)


def compare_bins(counts: np.ndarray, shares: np.ndarray, number: float) -> tuple[float, float]:
    """Counts [bins] against shares [bins] of `number`: p-value (chi-square test of homogeneity), total variation."""
    table = np.stack([counts, shares * number])
    table = table[:, table.sum(axis=0) > 0]
    effect = float(np.abs(table[0] / table[0].sum() - table[1] / table[1].sum()).sum() / 2)
    if table.shape[1] < 2:
        return 1.0, effect
    # Neighbouring bins are joined until the approximation holds in each: ties can leave narrow ones.
    joined = [table[:, 0]]
    scale = table.sum(axis=1).min() / table.sum()
    for column in table.T[1:]:
        if joined[-1].sum() * scale < FEWEST:
            joined[-1] = joined[-1] + column
        else:
            joined.append(column)
    if len(joined) > 1 and joined[-1].sum() * scale < FEWEST:
        joined[-2:] = [joined[-2] + joined[-1]]
    if len(joined) < 2:
        return 1.0, effect
    return float(stats.chi2_contingency(np.stack(joined, axis=1), correction=False).pvalue), effect


def effective_number(weights: np.ndarray) -> float:
    """How many equally weighted rows tell as much as these (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
