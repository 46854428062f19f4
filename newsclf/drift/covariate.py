"""Covariate drift, P(x): the texts themselves, by their columns and their directions in the embedding space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from newsclf.drift.verdict import Evidence, Moved, bonferroni
from newsclf.stats.two_sample import binned, combine, compare_bins, effective_number

LEAST_SHARE = 0.02  # of the texts, in other bins than before
LEAST_SHIFT = 0.1  # standard deviations
LEAST_VARIANCE = 1e-9  # along a direction, which has 1 in the reference; none at all, where all texts are alike
DIRECTIONS = "directions"  # the name of all directions together
# Columns of a profile that another one shows better, and with which it would be tested twice.
SAID_BY_OTHERS = ("ends_in_punctuation", "words", "tokens")
SAID_OF = {
    "characters": "length",
    "ending": "last word",
    "surprise": "choice of words",
    "rarity": "choice of words",
    "distance": "distance to the reference's texts",
    DIRECTIONS: "subject",
}


def judge(current: pd.DataFrame, reference: pd.DataFrame, weights: np.ndarray) -> Evidence:
    """Whether the texts come from another distribution than the reference's.

    current, reference: one row a text; columns as in the profile, the directions as `direction_<n>`.
    weights: [reference rows] that give the reference the current class shares, so that a change of them alone is
    no covariate drift.
    Every column is tested by itself in bins of the reference, the directions together by Hotelling's test of their
    mean; their p-values are combined.
    """
    columns = [str(name) for name in reference]
    along = [name for name in columns if name.startswith("direction_")]
    single = [name for name in columns if name not in along and not name.startswith("distance_to_")]
    single = [name for name in single if name not in SAID_BY_OTHERS]
    found: dict[str, tuple[float, float, float]] = {}  # p-value, effect, the least effect that counts
    for name in single:
        p_value, moved = compare_bins(*binned(current[name].to_numpy(), reference[name].to_numpy(), weights))
        found[name] = (p_value, moved, LEAST_SHARE)
    if along:
        p_value, shift = hotelling(current[along].to_numpy(), reference[along].to_numpy(), weights)
        found[DIRECTIONS] = (p_value, shift, LEAST_SHIFT)
    return evidence(found)


def evidence(found: Mapping[str, tuple[float, float, float]]) -> Evidence:
    """One piece of evidence from the columns' (p-value, effect, least effect); an effect below its least is none."""
    counted = {name: p if effect >= least else 1.0 for name, (p, effect, least) in found.items()}
    corrected = bonferroni(counted)
    # What moved too little, and what could not differ (all values alike), is evidence neither for nor against a drift.
    together = combine([p if effect >= least else 0.5 for p, effect, least in found.values() if p < 1])
    columns = (Moved(name, corrected[name], effect) for name, (_, effect, _) in found.items())
    moved = tuple(sorted(columns, key=lambda one: (one.p_value, -one.effect)))
    first = moved[0]
    unit, size = "share of texts", f"in {first.effect:.1%} of the texts"
    if first.name == DIRECTIONS:
        unit, size = "standard deviations", f"by {first.effect:.2f} standard deviations"
    names = [one.name for one in moved if one.p_value <= 0.01][:5] or [first.name]
    changed = f"The texts are others: their {SAID_OF.get(first.name, first.name)} moved {size} ({', '.join(names)})."
    return Evidence(
        "covariate",
        together if any(effect >= least for _, effect, least in found.values()) else 1.0,
        first.effect,
        unit,
        0.0,
        moved,
        changed,
        "The texts are like the reference's.",
    )


def hotelling(current: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """p-value that both have one mean, and its shift in standard deviations (Mahalanobis distance).

    Hotelling's two-sample test on [rows, directions]; rows with NaN are left out. The shift is freed of what chance
    alone would give, at least 0.
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
    variance = scatter / (n + m - 2) + LEAST_VARIANCE * np.eye(width)
    difference = current.mean(axis=0) - mean
    distance = float(difference @ np.linalg.solve(variance, difference))
    statistic = distance * n * m / (n + m)
    f_value = statistic * (n + m - width - 1) / (width * (n + m - 2))
    by_chance = width * (1 / n + 1 / m)
    return float(stats.f.sf(f_value, width, n + m - width - 1)), float(np.sqrt(max(0.0, distance - by_chance)))
