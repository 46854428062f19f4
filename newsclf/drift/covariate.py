"""Covariate drift, P(x): the texts themselves, by their columns and their directions in the embedding space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from newsclf.drift.verdict import Evidence, Moved
from newsclf.stats.multiple_testing import bonferroni, cauchy_combination
from newsclf.stats.two_sample import binned, compare_bins, hotelling

LEAST_SHARE = 0.02  # of the texts, in other bins than before
LEAST_SHIFT = 0.1  # standard deviations
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
    corrected = bonferroni([p if effect >= least else 1.0 for p, effect, least in found.values()]).tolist()
    # What moved too little, and what could not differ (all values alike), is evidence neither for nor against a drift.
    together = cauchy_combination([p if effect >= least else 0.5 for p, effect, least in found.values() if p < 1])
    columns = (Moved(name, p, effect) for p, (name, (_, effect, _)) in zip(corrected, found.items(), strict=True))
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
