"""Prior drift, P(y): the shares of the classes."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.profiling.summary import ColumnSummary

NAME = "prior"
RETRAINABLE = True
MIN_EFFECT = 0.05  # total variation
MIN_EXPECTED = 5  # rows of a class, below which the chi-square approximation is not trusted


def judge(batch: TextBatch, reference: HeldOut, shares: np.ndarray | None) -> Evidence:
    """Whether the classes have other shares than in the reference, by labels, else by predictions.

    shares: [classes] of the batch, see `class_shares`.
    """
    before = reference.labelled
    if before is None:
        return not_judged(NAME, "The reference has no labels.")
    if len(reference.classes) < 2:
        return not_judged(NAME, "The reference has one class only.")
    counts = reference.count(before.labels)
    if (known := batch.known_labels) is not None:
        if not len(known):
            return not_judged(NAME, "No label of the batch is one of the reference's.")
        return compare(reference.count(known), counts, reference.classes)
    if batch.predictions is None or before.probabilities is None or shares is None:
        return not_judged(NAME, "There are neither labels nor a predictor.")
    now, then = (reference.count(side.argmax(axis=1)) for side in (batch.predictions, before.probabilities))
    return compare(now, then, reference.classes, (shares, counts / counts.sum()))


def judge_profiles(now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], _: bool = False) -> Evidence:
    """As `judge`, of the labels that two profiles have counted, else of the predicted labels."""
    by_labels = compare_labels(now, before)
    return by_labels if by_labels.p_value is not None else compare_labels(now, before, "predicted_label")


def compare_labels(
    now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], column: str = "label"
) -> Evidence:
    """Whether the labels in a column of two profiles have other shares."""
    if column not in before or column not in now or not now[column].values:
        return not_judged(NAME, "The profiles have neither labels nor predicted labels.")
    classes = list(before[column].items)
    current = np.array([now[column].items.get(name, 0) for name in classes])
    if len(classes) < 2 or not current.sum():
        return not_judged(NAME, "The profiles have fewer than two classes in common.")
    return compare(current, np.array([before[column].items[name] for name in classes]), classes)


def compare(
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

    >>> found = compare(np.array([60, 40]), np.array([500, 500]), ("Business", "World"))
    >>> round(found.p_value, 3), round(found.effect, 3), found.tested[0].name
    (0.056, 0.1, 'Business')
    """
    p_value = homogeneity(np.stack([current, reference]))
    now, before = estimated or (current / current.sum(), reference / reference.sum())
    effect = float(np.abs(now - before).sum() / 2)
    order = np.argsort(-np.abs(now - before))
    tested = tuple(ColumnEffect(classes[index], p_value, float(now[index] - before[index])) for index in order[:10])
    most = order[0]
    how = "share" if estimated is None else "estimated share"
    changed = (
        f"The class shares moved by {effect:.1%} in all; most of all {classes[most]}, "
        f"{how} {now[most]:.1%} after {before[most]:.1%}."
    )
    otherwise = "The classes have the shares they had."
    return Evidence(NAME, p_value, effect, "total variation", MIN_EFFECT, tested, changed, otherwise)


def class_shares(batch: TextBatch, reference: HeldOut) -> np.ndarray | None:
    """[classes] shares in the batch: of its labels, else estimated; None where neither can be."""
    if (known := batch.known_labels) is not None and len(known):
        return reference.count(known) / len(known)
    if batch.predictions is None or reference.labelled is None:
        return None
    counts = reference.count(reference.labelled.labels)
    return corrected_shares(batch.predictions, counts / counts.sum())


def homogeneity(counts: np.ndarray) -> float:
    """p-value that the rows of counts [2, classes] have equal shares; rare classes are taken together.

    >>> round(homogeneity(np.array([[60, 40], [500, 500]])), 3)
    0.056
    """
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    rare = expected.min(axis=0) < MIN_EXPECTED
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

    >>> sure_of_the_first = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    >>> corrected_shares(sure_of_the_first, np.array([0.5, 0.5])).round(2).tolist()  # 0.7 would be their mean
    [0.81, 0.19]
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
