"""What is said of numbers is the same in every run, in every order, in every merge.

The kind: a logged number that comes of random bits (whylogs' KLL draws some, without a seed). Other places: the
numbers and verdicts of profiles (test_profile.py, drift/test_sketches.py), `reproduce` of a profile (integration/).
"""

import json

import numpy as np
import pytest

from newsclf.profiling.histogram import MAX_BINS, Histogram

SHARES = np.linspace(0, 1, 101)


def of(values: np.ndarray) -> Histogram:
    histogram = Histogram()
    histogram.add(values)
    return histogram


def same(one: Histogram, other: Histogram) -> bool:
    return one.as_dict() == other.as_dict()


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


COLUMNS = {
    "lengths": lambda random, rows: np.round(random.lognormal(5, 1, rows)),
    "shares": lambda random, rows: random.integers(0, 50, rows) / random.integers(50, 900, rows),
    "directions": lambda random, rows: random.normal(size=rows),
    "ones": lambda random, rows: (random.random(rows) < 0.1).astype(float),
    "all alike": lambda random, rows: np.full(rows, 7.25),
    "huge": lambda random, rows: random.normal(size=rows) * 10.0 ** random.integers(-40, 300, rows),
}


@pytest.mark.parametrize("rows", [1, 2, 100, 3000, 50_000])
@pytest.mark.parametrize("make", COLUMNS.values(), ids=list(COLUMNS))
def test_any_parts_in_any_order_give_the_histogram_of_the_whole(make, rows, random):
    values = make(random, rows)
    whole = of(values)
    assert len(whole) == rows
    assert len(whole.counts) <= MAX_BINS
    for parts in (2, 7, 60):
        shuffled = random.permutation(values)
        pieces = np.array_split(shuffled, parts)
        added = Histogram()
        for piece in pieces:
            added.add(piece)
        assert same(added, whole)
        merged = [of(piece) for piece in pieces]
        while len(merged) > 1:
            one, other = (merged.pop(random.integers(len(merged))) for _ in range(2))
            merged.append(Histogram.from_dict(json.loads(json.dumps(one.merge(other).as_dict()))))
        assert same(merged[0], whole)


@pytest.mark.parametrize("rows", [1, 3, 99, 2000])
def test_few_values_are_told_apart(rows, random):
    values = random.normal(size=rows).astype(np.float32).astype(float)
    histogram, ordered = of(values), np.sort(values)
    places = np.minimum((SHARES * rows).astype(int), rows - 1)
    assert histogram.quantiles(SHARES).tolist() == ordered[places].tolist()
    points = np.concatenate([values, values - 1e-3, [-np.inf, np.inf]])
    expected = np.searchsorted(ordered, points.astype(np.float32), "right") / rows
    assert histogram.cdf(points).tolist() == expected.tolist()
    assert histogram.rank_error == 0


def test_many_values_are_within_one_percent(random):
    values = random.lognormal(5, 1.2, 200_000)
    histogram = of(values)
    exact = np.quantile(values, SHARES[1:-1])
    assert np.abs(histogram.quantiles(SHARES[1:-1]) / exact - 1).max() < 0.012
    shares = np.searchsorted(np.sort(values), exact, "right") / len(values)
    assert np.abs(histogram.cdf(exact) - shares).max() <= histogram.rank_error < 0.02


def test_negative_values_and_zeros_stand_in_their_order():
    histogram = of(np.array([0.0, -0.0, -1.5, 2.0, -300.0, 1e-30, -1e-30]))
    assert histogram.values.tolist() == sorted(histogram.values.tolist())
    assert dict(zip(histogram.values.tolist(), histogram.counts.tolist(), strict=True))[0.0] == 2


def test_without_values_nothing_is_known():
    assert np.isnan(Histogram().quantiles(SHARES)).all()
    assert np.isnan(Histogram().cdf(np.array([0.0, np.nan]))).all()
    assert np.isnan(of(np.array([1.0])).cdf(np.array([np.nan]))).all()
    assert same(Histogram().merge(of(np.array([1.0]))), of(np.array([1.0])))


def test_merging_leaves_both_as_they_were(random):
    one, other = of(random.normal(size=5000)), of(np.arange(9.0))
    before = one.as_dict(), other.as_dict()
    one.merge(other).add(np.arange(50.0))
    assert (one.as_dict(), other.as_dict()) == before


@pytest.mark.parametrize(
    "change",
    [
        {"level": -1},
        {"level": 40},
        {"keys": [1]},
        {"keys": [1, 0]},
        {"keys": [1, -5]},
        {"keys": [1, 1 << 40]},
        {"counts": [1, 0]},
        {"counts": [1, -3]},
        {"counts": "many"},
        {"keys": [[1], [2]]},
    ],
    ids=str,
)
def test_what_is_no_histogram_is_not_read(change):
    sound = of(np.array([1.0, 2.0])).as_dict()
    with pytest.raises((ValueError, TypeError)):
        Histogram.from_dict({**sound, **change})
