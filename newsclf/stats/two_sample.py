"""Two samples of a number, compared in bins of the reference's own quantiles."""

from __future__ import annotations

from collections.abc import Sequence

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
    """Counts [bins] against shares [bins] of `number` rows: p-value and total variation.

    Two kinds of tests, combined: chi-square over all bins, for any change; and the shares below each of the cuts, for
    some texts at one end. The latter are Kolmogorov's and Smirnov's with every cut in units of its own standard error,
    so that ends count as much as the middle.
    """
    table = np.stack([counts, shares * number])
    table = table[:, table.sum(axis=0) > 0]
    effect = float(np.abs(table[0] / table[0].sum() - table[1] / table[1].sum()).sum() / 2)
    joined = _join(table)
    if joined.shape[1] < 2:
        return 1.0, effect
    any_change = float(stats.chi2_contingency(joined, correction=False).pvalue)
    cuts = _below_cuts(joined)
    return combine([any_change, *cuts], [1.0, *[1 / len(cuts)] * len(cuts)]), effect


def combine(p_values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """One p-value of several tests that depend on each other (Liu, Xie 2020, Cauchy combination test).

    Like the smallest one corrected for their number, but smaller where several tests agree.
    """
    if not len(p_values):
        return 1.0
    given = np.clip(np.asarray(p_values, float), 1e-300, 0.99)  # a p-value of 1 must not outweigh all others
    shares = np.ones(len(given)) if weights is None else np.asarray(weights, float)
    # tan((0.5 - p) pi) is 1 / (p pi) for small p, where the former has no digits left.
    terms = np.where(given < 1e-10, 1 / (given * np.pi), np.tan((0.5 - given) * np.pi))
    mean = float((shares * terms).sum() / shares.sum())
    return 1 / (mean * np.pi) if mean > 1e10 else float(stats.cauchy.sf(mean))


def _join(table: np.ndarray) -> np.ndarray:
    """Neighbouring columns of [2, bins] joined until FEWEST are expected in each: ties leave narrow ones."""
    scale = table.sum(axis=1).min() / table.sum()
    joined = [table[:, 0]]
    for column in table.T[1:]:
        if joined[-1].sum() * scale < FEWEST:
            joined[-1] = joined[-1] + column
        else:
            joined.append(column)
    if len(joined) > 1 and joined[-1].sum() * scale < FEWEST:
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


def effective_number(weights: np.ndarray) -> float:
    """How many equally weighted rows tell as much as these (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
