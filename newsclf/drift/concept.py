"""Concept drift, P(y|x): texts are labelled in another way than those of the reference."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.drift.sketches import compare_sketches
from newsclf.profiling.summary import ColumnSummary
from newsclf.stats.multiple_testing import bonferroni
from newsclf.stats.two_sample import binned, compare_bins

NAME = "concept"
RETRAINABLE = True
MIN_EFFECT = 0.02  # of the rows
AS_BEFORE = "Labels mean what they meant in the reference."


def judge(batch: TextBatch, reference: HeldOut, shares: np.ndarray | None) -> Evidence:
    """Whether the labels of the batch agree with the reference's predictor as the reference's own do."""
    now, before = batch.labelled, reference.labelled
    if now is None or now.probabilities is None or before is None or before.probabilities is None:
        return not_judged(NAME, "It takes labels on both sides and a predictor to see it.")
    weights = reference.weights(shares)
    return compare(now.labels, now.probabilities, before.labels, before.probabilities, weights, reference.classes)


def judge_profiles(now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], _: bool = False) -> Evidence:
    """As `judge`, of the labels' probabilities that two profiles hold."""
    column = "label_probability"
    if column not in before or column not in now or now[column].values < 2:
        return not_judged(NAME, "It takes labels and predictions on both sides to see it.")
    p_value, _effect = compare_sketches(now[column], before[column])
    agreed, agreed_before = now["correct"].mean, before["correct"].mean
    changed = f"Labels agree with the predictor in {agreed:.1%} of the rows, {agreed_before:.1%} before."
    tested = (ColumnEffect(column, p_value, agreed - agreed_before),)
    return Evidence(NAME, p_value, agreed - agreed_before, "agreement", MIN_EFFECT, tested, changed, AS_BEFORE)


def compare(
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

    >>> labels, sure = np.arange(600) % 2, np.linspace(0.6, 0.9, 600)
    >>> probabilities = np.where(np.eye(2)[labels] == 1, sure[:, None], 1 - sure[:, None])
    >>> swapped = np.where(np.arange(600) % 10 == 0, 1 - labels, labels)
    >>> found = compare(swapped, probabilities, labels, probabilities, np.ones(600), ("Business", "World"))
    >>> found.p_value < 1e-6, round(found.effect, 2)
    (True, -0.1)
    """
    likely = probabilities[np.arange(len(labels)), labels]
    likely_before = reference_probabilities[np.arange(len(reference_labels)), reference_labels]
    p_value, _ = compare_bins(*binned(likely, likely_before, weights))
    agreed = probabilities.argmax(axis=1) == labels
    agreed_before = reference_probabilities.argmax(axis=1) == reference_labels
    now, before = float(agreed.mean()), float(np.average(agreed_before, weights=weights))
    tested = _by_class(labels, agreed, reference_labels, agreed_before, classes)
    changed = f"Labels agree with the reference's predictor in {now:.1%} of the rows, {before:.1%} before."
    if tested:
        changed += f" Most of all {tested[0].name} has changed."
    return Evidence(
        NAME,
        p_value,
        now - before,
        "agreement",
        MIN_EFFECT,
        tested,
        changed,
        AS_BEFORE,
    )


def _by_class(
    labels: np.ndarray,
    agreed: np.ndarray,
    reference_labels: np.ndarray,
    agreed_before: np.ndarray,
    classes: Sequence[str],
) -> tuple[ColumnEffect, ...]:
    """The change of agreement in each class that is on both sides (Fisher's exact test), surest first."""
    p_values, change = {}, {}
    for index, name in enumerate(classes):
        now, before = agreed[labels == index], agreed_before[reference_labels == index]
        if len(now) and len(before):
            table = [[now.sum(), (~now).sum()], [before.sum(), (~before).sum()]]
            p_values[name] = float(stats.fisher_exact(table).pvalue)
            change[name] = float(now.mean() - before.mean())
    corrected = bonferroni([*p_values.values()]).tolist()
    effects = [ColumnEffect(name, p, change[name]) for name, p in zip(p_values, corrected, strict=True)]
    return tuple(sorted(effects, key=lambda one: (one.p_value, -abs(one.effect))))
