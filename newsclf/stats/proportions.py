"""Many shares at once: of how many rows each of a thousand things is true, here and there."""

from __future__ import annotations

import numpy as np
from scipy import stats

LEVEL = 0.05  # of all tests together: what cannot fall below its part of it by any outcome is not counted as a test
ROUGHLY = 0.02  # above this rough p-value nothing is surely another share, and the exact one is not computed


def exact_p_values(now: np.ndarray, rows: int, before: np.ndarray, before_rows: float) -> np.ndarray:
    """p-values [things], two-sided and corrected for their number, that each share is the same here and there.

    now: [things] rows of `rows` here; before: [things] of `before_rows` there (of weighted rows an effective number,
    which need not be whole). The hypergeometric test (Fisher 1935, The Logic of Inductive Inference), doubled, and
    Bonferroni's correction over those things alone that could become significant at all (Tarone 1990, A Modified
    Bonferroni Method for Discrete Data): what stands in a few texts only costs nothing.

    >>> found = exact_p_values(np.array([30, 50, 1]), 100, np.array([1, 55, 0]), 100)
    >>> found[0] < 1e-6, found[1:].tolist()
    (True, [1.0, 1.0])
    """
    there_rows = max(1, round(before_rows))
    # Rounded towards the share that is here, so that a part of a row is never what makes a difference.
    there = np.where(now / rows > before / before_rows, np.ceil(before), np.floor(before))
    there = np.clip(there, 0, there_rows).astype(np.int64)
    both = now + there
    tests = _testable(both, rows, there_rows)
    share = both / (rows + there_rows)
    spread = np.sqrt(np.maximum(share * (1 - share) * (1 / rows + 1 / there_rows), 1e-300))
    rough = 2 * stats.norm.sf(np.abs(now / rows - there / there_rows) / spread)
    close = np.flatnonzero((rough < ROUGHLY) & (both > 0))
    p_values = np.ones(len(now))
    population, marked = rows + there_rows, both[close]
    above = stats.hypergeom.sf(now[close] - 1, population, marked, rows)
    below = stats.hypergeom.cdf(now[close], population, marked, rows)
    p_values[close] = np.minimum(1.0, 2 * np.minimum(above, below) * tests)
    return p_values


def _testable(both: np.ndarray, rows: int, there_rows: int) -> int:
    """How many of the things, that are true of `both` [things] rows, could fall below LEVEL divided by this number."""
    counts = np.arange(int(both.max(initial=0)) + 1)
    population = rows + there_rows
    all_here = stats.hypergeom.pmf(np.minimum(counts, rows), population, counts, rows)
    none_here = stats.hypergeom.pmf(np.maximum(0, counts - there_rows), population, counts, rows)
    least = 2 * np.minimum(all_here, none_here)
    at_least = np.bincount(both, minlength=len(counts))[::-1].cumsum()[::-1]  # things of this many rows and more
    enough = np.flatnonzero(least * at_least <= LEVEL)
    return int(max(1, at_least[enough[0]])) if len(enough) else max(1, len(both))
