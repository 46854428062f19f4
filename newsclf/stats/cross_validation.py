"""How sure a score is that was measured once on each fold."""

import numpy as np
from scipy import stats

LEVEL = 0.95


def fold_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % t-interval of the mean of a score over the folds, (low, high). values: [folds], 2 or more.

    Folds share most of their training rows, so that their scores are not independent: the variance of the mean is
    (1 / folds + test rows / training rows) times that of the scores, where test / training is 1 / (folds - 1). Without
    the second part the interval is too short (Nadeau and Bengio 2003, Inference for the Generalization Error).

    >>> [round(value, 3) for value in fold_interval(np.array([0.90, 0.88, 0.92, 0.89, 0.91]))]
    [0.871, 0.929]
    """
    folds = len(values)
    spread = values.std(ddof=1) * np.sqrt(1 / folds + 1 / (folds - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, folds - 1) * spread)
    return float(values.mean()) - half, float(values.mean()) + half
