"""Prior drift, P(y): the shares of the classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from newsclf.drift.verdict import Evidence, Moved

LEAST = 0.05  # total variation
FEW = 5  # expected rows of a class below which the chi-square approximation is not trusted


def judge(
    current: np.ndarray,
    reference: np.ndarray,
    classes: Sequence[str],
    estimated: tuple[np.ndarray, np.ndarray] | None = None,
) -> Evidence:
    """Whether the classes have other shares than in the reference (chi-square test of homogeneity).

    current, reference: [classes] counts, of labels or of predicted labels on both sides. Equal shares of the
    classes give equal shares of predictions, so the test needs no correction; the size of the change does:
    estimated: class shares [classes] of the current rows, corrected for the predictor's confusions, and those of
        the reference; None where there are labels.
    The effect is the total variation, in 0..1.
    """
    p_value = homogeneity(np.stack([current, reference]))
    now, before = estimated or (current / current.sum(), reference / reference.sum())
    effect = float(np.abs(now - before).sum() / 2)
    order = np.argsort(-np.abs(now - before))
    moved = tuple(Moved(classes[place], p_value, float(now[place] - before[place])) for place in order[:10])
    most = order[0]
    how = "share" if estimated is None else "estimated share"
    changed = (
        f"The class shares moved by {effect:.1%} in all; most of all {classes[most]}, "
        f"{how} {now[most]:.1%} after {before[most]:.1%}."
    )
    return Evidence(
        "prior", p_value, effect, "total variation", LEAST, moved, changed, "The classes have the shares they had."
    )


def homogeneity(counts: np.ndarray) -> float:
    """p-value that the rows of counts [2, classes] have equal shares; rare classes are taken together."""
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    rare = expected.min(axis=0) < FEW
    table = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)]) if rare.any() else counts
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def corrected_shares(probabilities: np.ndarray, reference_shares: np.ndarray, steps: int = 1000) -> np.ndarray:
    """Class shares [classes] of rows without labels, by maximum likelihood.

    probabilities: [rows, classes], calibrated for rows in which the classes have `reference_shares`. A class that has
        none there is not estimated: its share stays 0.
    Source: Saerens, Latinne, Decaestecker 2002, Adjusting the outputs of a classifier to new a priori
    probabilities; with calibrated probabilities it corrects for the confusions (Alexandari et al. 2020).
    """
    shares = reference_shares.copy()
    there = reference_shares > 0
    # A row that speaks for no class at all tells nothing of their shares.
    given = np.where(there, np.maximum(probabilities, 1e-12), 0)
    for _ in range(steps):
        adjusted = given * np.divide(shares, reference_shares, out=np.zeros(len(shares)), where=there)
        adjusted /= adjusted.sum(axis=1, keepdims=True)
        last, shares = shares, adjusted.mean(axis=0)
        if np.abs(shares - last).max() < 1e-6:
            break
    return shares
