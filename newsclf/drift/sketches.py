"""Two samples of which only a profile's sketches are left: their bins and their means, compared."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from newsclf.profiling.summary import ColumnSummary
from newsclf.stats.two_sample import LEVELS, compare_bins


def compare_sketches(now: ColumnSummary, before: ColumnSummary) -> tuple[float, float]:
    """p-value and total variation (0..1), in bins of the profile before; missing values are a bin of their own."""
    edges = np.unique(before.quantile(LEVELS))
    counts, shares = (
        np.append(np.diff(side.cdf(edges), prepend=0, append=1) * side.values, side.nulls) for side in (now, before)
    )
    counts, shares = np.nan_to_num(counts).clip(0), np.nan_to_num(shares).clip(0)  # NaN: a side without values
    return compare_bins(counts / counts.sum() * _number(now), shares / shares.sum(), _number(before))


def shift_of_means(now: Sequence[ColumnSummary], before: Sequence[ColumnSummary]) -> tuple[float, float]:
    """As `stats.two_sample.hotelling`, from means and variances: directions are uncorrelated by their making."""
    difference = np.array([one.mean - other.mean for one, other in zip(now, before, strict=True)])
    n, m = now[0].values, before[0].values
    if n < 2:
        return 1.0, 0.0
    variance = np.array(
        [((n - 1) * one.std**2 + (m - 1) * other.std**2) / (n + m - 2) for one, other in zip(now, before, strict=True)]
    )
    distance = float((difference**2 / np.maximum(variance, 1e-12)).sum())
    p_value = float(stats.chi2.sf(distance * n * m / (n + m), len(difference)))
    return p_value, float(np.sqrt(max(0.0, distance - len(difference) * (1 / n + 1 / m))))


def _number(column: ColumnSummary) -> float:
    """The rows that would be as uncertain without a sketch: its error holds in 99 %, so 2.6 standard deviations."""
    error = column.rank_error / 2.6
    return 1 / (1 / column.rows + error**2 / 0.25)
