import numpy as np
import pytest
from scipy import stats

from newsclf.stats.proportions import exact_p_values


def test_the_p_value_is_fishers_by_one_side_doubled_and_corrected() -> None:
    now, before = np.array([30, 200]), np.array([5, 210])
    alone = stats.fisher_exact([[30, 970], [5, 1995]], alternative="greater").pvalue
    assert exact_p_values(now, 1000, before, 2000)[0] == pytest.approx(2 * 2 * alone)


def test_what_cannot_be_significant_costs_nothing() -> None:
    now, before = np.array([30] + [1] * 10_000), np.array([5] + [1] * 10_000)
    few = exact_p_values(np.array([30]), 1000, np.array([5]), 2000)[0]
    assert exact_p_values(now, 1000, before, 2000)[0] == few


def test_it_is_not_fooled_by_many_things() -> None:
    """At most 5 % of samples of one kind have anything in them that is called another share."""
    random = np.random.default_rng(0)
    shares = np.exp(random.uniform(np.log(0.001), np.log(0.5), 3000))
    alarms = 0
    for _ in range(200):
        now, before = random.binomial(400, shares), random.binomial(900, shares)
        alarms += exact_p_values(now, 400, before, 900).min() <= 0.05
    assert alarms <= 18  # of 200: 5 % would be 10, and more than 18 in one of 200 series


@pytest.mark.parametrize("rows", [1, 50, 5000])
def test_new_and_gone_are_seen_where_there_are_rows_enough(rows: int) -> None:
    found = exact_p_values(np.array([rows, 0]), rows, np.array([0, 1000]), 1000)
    assert (found < 1e-6).all() == (rows >= 50)
    assert ((found >= 0) & (found <= 1)).all()


def test_parts_of_a_row_are_never_what_makes_a_difference() -> None:
    whole = exact_p_values(np.array([20, 0]), 100, np.array([6.0, 10.0]), 100)
    parts = exact_p_values(np.array([20, 0]), 100, np.array([5.4, 10.7]), 100)
    assert np.array_equal(parts, whole)


def test_nothing_is_no_difference() -> None:
    assert exact_p_values(np.zeros(3, int), 100, np.zeros(3), 100).tolist() == [1, 1, 1]
    assert exact_p_values(np.zeros(0, int), 100, np.zeros(0), 100).tolist() == []
