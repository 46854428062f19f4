"""The interval of a mean over folds is the published one."""

import numpy as np
import pytest
from scipy import stats

from newsclf.stats.cross_validation import fold_interval


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_it_is_the_corrected_t_interval(folds: int) -> None:
    values = np.random.default_rng(folds).normal(0.9, 0.01, folds)
    low, high = fold_interval(values)
    corrected = values.std(ddof=1) * np.sqrt(1 / folds + 1 / (folds - 1))
    assert (low, high) == pytest.approx(stats.t.interval(0.95, folds - 1, values.mean(), corrected))
    plain = stats.t.interval(0.95, folds - 1, values.mean(), values.std(ddof=1) / np.sqrt(folds))
    assert low < plain[0] < plain[1] < high


def test_equal_scores_are_certain() -> None:
    assert fold_interval(np.full(5, 0.75)) == (0.75, 0.75)
