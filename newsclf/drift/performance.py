"""Performance: the predictor's accuracy, measured where there are labels, else estimated from its confidence."""

from __future__ import annotations

import numpy as np
from scipy import stats

from newsclf.drift.verdict import Evidence, Moved

LEAST = 0.02  # of the rows


def judge_measured(correct: np.ndarray, reference_correct: np.ndarray) -> Evidence:
    """Whether the accuracy has fallen: correct is [rows] of bool on each side (Fisher's exact test, one-sided)."""
    now, before = correct.mean(), reference_correct.mean()
    table = [[(~correct).sum(), correct.sum()], [(~reference_correct).sum(), reference_correct.sum()]]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    return evidence(float(now), float(before), p_value, "")


def judge_estimated(confidence: np.ndarray, reference_confidence: np.ndarray, reference_accuracy: float) -> Evidence:
    """Whether the accuracy has fallen, as far as calibrated confidence shows it.

    confidence: [rows] the calibrated probability of each row's predicted class. The mean of it estimates the
    accuracy (Guillory et al. 2021, Predicting with Confidence on Unseen Distributions: difference of confidences).
    Welch's t-test, one-sided.
    """
    fall = stats.ttest_ind(confidence, reference_confidence, equal_var=False, alternative="less")
    p_value = 1.0 if np.isnan(fall.pvalue) else float(fall.pvalue)
    now = reference_accuracy + float(confidence.mean() - reference_confidence.mean())
    return evidence(min(1.0, max(0.0, now)), reference_accuracy, p_value, "estimated ")


def evidence(now: float, before: float, p_value: float, how: str) -> Evidence:
    """The evidence that accuracies before and now make; how: "" or "estimated "."""
    changed = f"The {how}accuracy fell to {now:.1%} from {before:.1%}."
    otherwise = f"The {how}accuracy is {now:.1%}, {before:.1%} in the reference."
    moved = (Moved(f"{how}accuracy", p_value, now - before),)
    return Evidence("performance", p_value, now - before, "accuracy", LEAST, moved, changed, otherwise)
