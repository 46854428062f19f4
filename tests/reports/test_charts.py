"""The bins in which two samples are drawn; test_comparison.py looks at the charts themselves."""

import numpy as np

from newsclf.reports.charts import common_edges
from newsclf.reports.data import Histogram


def test_a_value_that_many_rows_share_stays_in_its_bin() -> None:
    zeros_and_ones = Histogram.from_quantiles([0.0] * 71 + [1.0] * 30)
    edges = common_edges([zeros_and_ones])
    assert edges.tolist() == [-0.5, 0.5, 1.5]
    np.testing.assert_allclose(zeros_and_ones.shares(edges), [0.705, 0.295], atol=0.006)


def test_one_value_that_is_far_out_does_not_flatten_the_rest() -> None:
    edges = common_edges([Histogram.from_quantiles([*np.linspace(0.1, 1.1, 1000).tolist(), 1e9])])
    assert edges[-1] < 2
    constant = common_edges([Histogram([0.25, 0.25], [7])])
    assert constant.tolist() == [-0.25, 0.75]
