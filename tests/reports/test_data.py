"""A histogram that was made from quantiles is a distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf.reports.data import Histogram


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=60),
    st.lists(st.floats(-60, 60), min_size=2, max_size=20, unique=True),
)
def test_cumulative_is_a_distribution_function(values: list[int], points: list[float]) -> None:
    spread = Histogram.from_quantiles(sorted(map(float, values)))
    at = np.sort(points)
    below = spread.cumulative(at)
    assert (np.diff(below) >= -1e-12).all()
    assert (below[at <= min(values)] == 0).all()
    assert (below[at > max(values)] == 1).all()


def test_shares_of_a_quantile_grid_are_those_of_the_values() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    spread = Histogram.from_quantiles(np.quantile(values, np.linspace(0, 1, 401)).tolist())
    edges = np.linspace(values.min(), values.max(), 30)
    expected = np.histogram(values, edges)[0] / len(values)
    np.testing.assert_allclose(spread.shares(edges), expected, atol=0.004)
    assert spread.shares(edges).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("edges", "counts"), [([0, 1], []), ([0, 1, 2], [1]), ([1, 0], [1]), ([0, np.nan], [1]), ([0, 1], [0])]
)
def test_a_histogram_that_is_none_is_refused(edges: list[float], counts: list[float]) -> None:
    with pytest.raises(ValueError, match="edges|counts"):
        Histogram(edges, counts)
