"""How far a number that is measured on few rows may be off by chance: what the gate's limits have to allow for.

The new test has some dozens or hundreds of rows at first. On so few, some class of a model that is just as good has
lost recall, and a model that is well calibrated has a calibration error, by chance alone.
"""

from collections.abc import Sequence
from math import pi, sqrt
from statistics import NormalDist

import pandas as pd

BINS = 15  # of the expected calibration error, see evaluation/scores.py
DISCORDANT_SHARE = 0.2  # share of rows that just one of two models has right, where they are equally good
MAX_VARIANCE = 0.25  # largest variance of a row that is right or wrong


def margins_for(
    accuracy_margin: float, recall_margin: float, calibration_limit: float, tests: Sequence[pd.DataFrame]
) -> dict[str, float]:
    """The options of promote of these names for these tests (frames with a column `label`), the old one first.

    accuracy_margin: added is half of the 95 % interval of the paired difference where the models are equally good, so
    that what has to keep the margin is the difference itself.
    recall_margin: added is how far the recall of the smallest class falls in 5 % of the cases (corrected over the
    classes) where the models are equally good: the paired difference of n rows has a variance of DISCORDANT_SHARE / n.
    calibration_limit: added is the expected gap of predictions that are calibrated, in bins of equally many rows, at
    the largest variance: of a bin of n rows, sqrt(2 MAX_VARIANCE / (pi n)).
    """
    smallest = min(int(count) for test in tests for count in test["label"].value_counts())
    classes = max(test["label"].nunique() for test in tests)
    rows = min(len(test) for test in tests)
    fall = NormalDist().inv_cdf(1 - 0.05 / classes) * sqrt(DISCORDANT_SHARE / smallest)
    gap = sqrt(2 * MAX_VARIANCE / (pi * rows / min(BINS, rows)))
    wide = NormalDist().inv_cdf(0.975) * sqrt(DISCORDANT_SHARE / len(tests[0]))
    return {
        "accuracy_margin": round(min(1.0, accuracy_margin + wide), 3),
        "recall_margin": round(min(1.0, recall_margin + fall), 3),
        "calibration_limit": round(min(1.0, calibration_limit + gap), 3),
    }
