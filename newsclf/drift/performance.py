"""Performance: the predictor's accuracy, measured where there are labels, else estimated from its confidence."""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.profiling.summary import ColumnSummary

NAME = "performance"
RETRAINABLE = True
MIN_EFFECT = 0.02  # of the rows


def judge(batch: TextBatch, reference: HeldOut, _: np.ndarray | None = None) -> Evidence:
    """Whether the accuracy of the reference's predictor has fallen, by labels, else by its confidence."""
    before = reference.labelled
    if before is None or before.probabilities is None or batch.predictions is None:
        return not_judged(NAME, "There is no predictor with labels to measure it by.")
    correct = before.probabilities.argmax(axis=1) == before.labels
    if (now := batch.labelled) is not None and now.probabilities is not None:
        return compare_measured(now.labels == now.probabilities.argmax(axis=1), correct)
    return compare_estimated(batch.predictions.max(axis=1), before.probabilities.max(axis=1), float(correct.mean()))


def judge_profiles(now: Mapping[str, ColumnSummary], before: Mapping[str, ColumnSummary], _: bool = False) -> Evidence:
    """As `judge`, of the means and variances that two profiles hold."""
    for column, how in (("correct", ""), ("confidence", "estimated ")):
        if column in before and column in now and min(now[column].values, before[column].values) > 1:
            new, old = now[column], before[column]
            fall = stats.ttest_ind_from_stats(
                new.mean, new.std, new.values, old.mean, old.std, old.values, False, alternative="less"
            )
            p_value = 1.0 if np.isnan(fall.pvalue) else float(fall.pvalue)
            return evidence(new.mean, old.mean, p_value, how)
    return not_judged(NAME, "The profiles hold no predictions.")


def compare_measured(correct: np.ndarray, reference_correct: np.ndarray) -> Evidence:
    """Whether the accuracy has fallen: correct is [rows] of bool on each side (Fisher's exact test, one-sided).

    >>> found = compare_measured(np.arange(100) < 80, np.arange(1000) < 900)
    >>> round(found.p_value, 4), found.changed
    (0.0035, 'The accuracy fell to 80.0% from 90.0%.')
    """
    now, before = correct.mean(), reference_correct.mean()
    table = [[(~correct).sum(), correct.sum()], [(~reference_correct).sum(), reference_correct.sum()]]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    return evidence(float(now), float(before), p_value, "")


def compare_estimated(confidence: np.ndarray, reference_confidence: np.ndarray, reference_accuracy: float) -> Evidence:
    """Whether the accuracy has fallen, as far as calibrated confidence shows it.

    confidence: [rows] the calibrated probability of each row's predicted class. The mean of it estimates the
    accuracy (Guillory et al. 2021, Predicting with Confidence on Unseen Distributions: difference of confidences).
    Welch's t-test, one-sided.

    >>> found = compare_estimated(np.linspace(0.6, 1.0, 200), np.linspace(0.7, 1.0, 1000), reference_accuracy=0.9)
    >>> found.p_value < 1e-4, found.changed
    (True, 'The estimated accuracy fell to 85.0% from 90.0%.')
    """
    fall = stats.ttest_ind(confidence, reference_confidence, equal_var=False, alternative="less")
    p_value = 1.0 if np.isnan(fall.pvalue) else float(fall.pvalue)
    now = reference_accuracy + float(confidence.mean() - reference_confidence.mean())
    return evidence(min(1.0, max(0.0, now)), reference_accuracy, p_value, "estimated ")


def evidence(now: float, before: float, p_value: float, how: str) -> Evidence:
    """The evidence that accuracies (0..1) before and now make; how: "" or "estimated ".

    >>> evidence(0.8, 0.9, 0.001, "").otherwise
    'The accuracy is 80.0%, 90.0% in the reference.'
    """
    changed = f"The {how}accuracy fell to {now:.1%} from {before:.1%}."
    otherwise = f"The {how}accuracy is {now:.1%}, {before:.1%} in the reference."
    tested = (ColumnEffect(f"{how}accuracy", p_value, now - before),)
    return Evidence(NAME, p_value, now - before, "accuracy", MIN_EFFECT, tested, changed, otherwise)
