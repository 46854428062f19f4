"""Concept drift, P(y|x): texts are labelled in another way than those of the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from newsclf.drift.verdict import Moved, Evidence, bonferroni

LEAST = 0.02  # of the rows


def judge(
    labels: np.ndarray,
    predicted: np.ndarray,
    reference_labels: np.ndarray,
    reference_predicted: np.ndarray,
    classes: Sequence[str],
) -> Evidence:
    """Whether labels agree less, or more, with the reference's own predictor, class by class.

    All are class indices [rows]; the predictor has seen neither side. The test is Cochran's, Mantel's and
    Haenszel's over the classes (Mantel, Haenszel 1959), so that other class shares alone are no concept drift.
    The effect is the change of agreement at the reference's class shares, in -1..1.
    """
    tables = []
    for place in range(len(classes)):
        here, there = labels == place, reference_labels == place
        agreed, agreed_before = (predicted[here] == place).sum(), (reference_predicted[there] == place).sum()
        tables.append([[agreed, here.sum() - agreed], [agreed_before, there.sum() - agreed_before]])
    counts = np.array(tables, dtype=float)  # [classes, now/before, agreed/not]
    p_value = mantel_haenszel(counts)

    rows, before = counts[:, 0].sum(axis=1), counts[:, 1].sum(axis=1)
    both = (rows > 0) & (before > 0)
    if not both.any():
        return Evidence("concept", 1.0, 0.0, "agreement", LEAST, (), "", "No class is on both sides.")
    change = counts[both, 0, 0] / rows[both] - counts[both, 1, 0] / before[both]
    effect = float(np.average(change, weights=before[both]))
    single = {
        classes[place]: float(stats.fisher_exact(counts[place]).pvalue) for place in np.flatnonzero(both)
    }
    corrected = bonferroni(single)
    moved = tuple(
        sorted(
            (Moved(name, corrected[name], float(one)) for name, one in zip(single, change, strict=True)),
            key=lambda one: one.p_value,
        )
    )
    now, then = counts[:, 0, 0].sum() / rows.sum(), counts[:, 1, 0].sum() / before.sum()
    changed = (
        f"Labels agree with the reference's predictor in {now:.1%} of the rows, {then:.1%} before; "
        f"most of all {moved[0].name} has changed."
    )
    return Evidence(
        "concept", p_value, effect, "agreement", LEAST, moved, changed, "Labels mean what they meant in the reference."
    )


def mantel_haenszel(tables: np.ndarray) -> float:
    """p-value that the odds ratio is 1 in all 2x2 tables [strata, 2, 2], with a continuity correction."""
    total = tables.sum(axis=(1, 2))
    tables, total = tables[total > 1], total[total > 1]
    row, column = tables.sum(axis=2), tables.sum(axis=1)
    expected = row[:, 0] * column[:, 0] / total
    variance = (row.prod(axis=1) * column.prod(axis=1) / (total**2 * (total - 1))).sum()
    if variance == 0:
        return 1.0
    distance = max(0.0, abs(tables[:, 0, 0].sum() - expected.sum()) - 0.5)
    return float(stats.chi2.sf(distance**2 / variance, df=1))
