"""Concept drift, P(y|x): texts are labelled in another way than those of the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from newsclf.drift.verdict import Evidence, Moved
from newsclf.stats.multiple_testing import bonferroni
from newsclf.stats.two_sample import binned, compare_bins

LEAST = 0.02  # of the rows


def judge(
    labels: np.ndarray,
    probabilities: np.ndarray,
    reference_labels: np.ndarray,
    reference_probabilities: np.ndarray,
    weights: np.ndarray,
    classes: Sequence[str],
) -> Evidence:
    """Whether the reference's own predictor finds the labels less, or more, likely than it found the reference's.

    labels: class indices [rows]; probabilities: calibrated predictions [rows, classes] for texts that the predictor
    has not seen, on either side. weights: [reference rows] that give the reference the current class shares, so that
    a change of them alone is no concept drift.
    Compared are the probabilities of the given labels, in bins of the reference: labels at random are not only wrong
    but unlikely, which shows more than the number of errors.
    The effect is the change of agreement (label equals prediction), in -1..1.
    """
    likely = probabilities[np.arange(len(labels)), labels]
    likely_before = reference_probabilities[np.arange(len(reference_labels)), reference_labels]
    p_value, _ = compare_bins(*binned(likely, likely_before, weights))
    agreed = probabilities.argmax(axis=1) == labels
    agreed_before = reference_probabilities.argmax(axis=1) == reference_labels
    now, before = float(agreed.mean()), float(np.average(agreed_before, weights=weights))
    moved = _by_class(labels, agreed, reference_labels, agreed_before, classes)
    changed = f"Labels agree with the reference's predictor in {now:.1%} of the rows, {before:.1%} before."
    if moved:
        changed += f" Most of all {moved[0].name} has changed."
    return Evidence(
        "concept",
        p_value,
        now - before,
        "agreement",
        LEAST,
        moved,
        changed,
        "Labels mean what they meant in the reference.",
    )


def _by_class(
    labels: np.ndarray,
    agreed: np.ndarray,
    reference_labels: np.ndarray,
    agreed_before: np.ndarray,
    classes: Sequence[str],
) -> tuple[Moved, ...]:
    """The change of agreement in each class that is on both sides (Fisher's exact test), surest first."""
    p_values, change = {}, {}
    for place, name in enumerate(classes):
        here, there = agreed[labels == place], agreed_before[reference_labels == place]
        if len(here) and len(there):
            table = [[here.sum(), (~here).sum()], [there.sum(), (~there).sum()]]
            p_values[name] = float(stats.fisher_exact(table).pvalue)
            change[name] = float(here.mean() - there.mean())
    corrected = bonferroni([*p_values.values()]).tolist()
    moved = [Moved(name, p, change[name]) for name, p in zip(p_values, corrected, strict=True)]
    return tuple(sorted(moved, key=lambda one: (one.p_value, -abs(one.effect))))
