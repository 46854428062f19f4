"""Corrections worked out by hand, and a combined p-value that keeps its level."""

import numpy as np
import pytest
from scipy import stats

from newsclf.stats.multiple_testing import bonferroni, cauchy_combination, holm


def test_bonferroni() -> None:
    assert bonferroni([0.01, 0.4, 0.5]).tolist() == [0.03, 1.0, 1.0]
    assert bonferroni([]).tolist() == []


def test_holm_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([0.2]).tolist() == [0.2]
    assert holm([]).tolist() == []


def test_several_p_values_make_one() -> None:
    assert cauchy_combination([0.03]) == pytest.approx(0.03)
    assert cauchy_combination([0.03] * 7) == pytest.approx(0.03), "tests that say the same thing count once"
    assert 0.01 / 2 < cauchy_combination([0.001] + [0.5] * 9) < 0.011, "as Bonferroni's, where one stands alone"
    assert cauchy_combination([1e-200, 0.9]) == pytest.approx(2e-200, rel=1e-6)
    assert cauchy_combination([0.01, 0.5], [1, 3]) == pytest.approx(0.04, rel=0.01)
    assert 0 < cauchy_combination([0.0]) < 1e-250
    assert cauchy_combination([1.0, 1.0]) > 0.98


@pytest.mark.parametrize("alike", [0, 0.5, 0.95])
def test_a_combined_p_value_is_not_too_small(alike: float) -> None:
    random = np.random.default_rng(2)
    shared = random.normal(size=(4000, 1)) * np.sqrt(alike)
    scores = shared + random.normal(size=(4000, 12)) * np.sqrt(1 - alike)
    p_values = np.array([cauchy_combination(row) for row in 2 * stats.norm.sf(np.abs(scores))])
    for level in (0.1, 0.05, 0.01):
        assert (p_values <= level).sum() <= stats.binom.ppf(0.999, len(p_values), level * 1.2), level
