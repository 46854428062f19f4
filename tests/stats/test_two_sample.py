from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from newsclf.stats.two_sample import binned, compare_bins, effective_number, hotelling

SAMPLES = 1000
Draw = Callable[[np.random.Generator, int], np.ndarray]


def with_gaps(random: np.random.Generator, rows: int) -> np.ndarray:
    return np.where(random.random(rows) < 0.03, np.nan, random.normal(size=rows))


NULL: dict[str, Draw] = {
    "continuous": lambda random, rows: random.normal(size=rows),
    "heavy tails": lambda random, rows: random.standard_cauchy(rows).astype(np.float32),
    "ties": lambda random, rows: random.poisson(2, rows).astype(float),
    "two values": lambda random, rows: (random.random(rows) < 0.02).astype(float),
    "missing values": with_gaps,
}


def p_value(current: np.ndarray, reference: np.ndarray, weights: np.ndarray | None = None) -> float:
    return compare_bins(*binned(current, reference, np.ones(len(reference)) if weights is None else weights))[0]


def assert_not_too_small(p_values: list[float]) -> None:
    """At every level, no more p-values below it than chance gives in one of 1,000 such tests; a fifth more allowed."""
    for level in (0.1, 0.05, 0.01):
        at_most = stats.binom.ppf(0.999, len(p_values), level * 1.2)
        assert sum(p <= level for p in p_values) <= at_most, level


@pytest.mark.parametrize("rows", [(2000, 1000), (250, 50)])
@pytest.mark.parametrize("kind", NULL)
def test_without_a_change_p_values_are_not_too_small(kind, rows):
    random = np.random.default_rng(len(kind) + rows[0])
    found = [p_value(NULL[kind](random, rows[1]), NULL[kind](random, rows[0])) for _ in range(SAMPLES)]
    assert_not_too_small(found)
    if rows[1] == 1000:
        assert sum(p <= 0.1 for p in found) > 0.04 * SAMPLES, "nor much too large"


def test_weights_take_out_a_change_of_the_classes_alone():
    random = np.random.default_rng(0)

    def draw(rows: int, share: float) -> tuple[np.ndarray, np.ndarray]:
        second = random.random(rows) < share
        return random.normal(size=rows) + 2 * second, second

    weighted, plain = [], []
    for _ in range(SAMPLES):
        reference, second = draw(2000, 0.5)
        current, _ = draw(1000, 0.8)
        weights = np.where(second, 0.8 / 0.5, 0.2 / 0.5)
        weighted.append(p_value(current, reference, weights))
        plain.append(p_value(current, reference))
    assert_not_too_small(weighted)
    assert max(plain) < 1e-6


@pytest.mark.parametrize(
    ("change", "power"),
    [
        (lambda x, random: np.where(random.random(len(x)) < 0.03, 6, x), 0.99),  # 3 % of the texts, far out
        (lambda x, random: np.where(random.random(len(x)) < 0.03, -6, x), 0.99),
        (lambda x, random: np.where(random.random(len(x)) < 0.03, np.nan, x), 0.99),
        (lambda x, random: x + 0.25, 0.99),
        (lambda x, random: x * 1.25, 0.99),
    ],
    ids=["a few large", "a few small", "a few missing", "shifted", "wider"],
)
def test_changes_are_seen(change, power):
    random = np.random.default_rng(1)
    found = [p_value(change(random.normal(size=1000), random), random.normal(size=2000)) for _ in range(200)]
    assert np.mean([p < 0.005 for p in found]) >= power


def test_the_effect_is_the_share_of_texts_in_other_bins():
    reference = np.arange(10_000) / 10_000
    current = np.where(reference < 0.2, reference + 0.8, reference)  # a fifth goes from one end to the other
    assert compare_bins(*binned(current, reference, np.ones(10_000)))[1] == pytest.approx(0.2, abs=0.05)
    missing = np.where(reference < 0.2, np.nan, reference)
    assert compare_bins(*binned(missing, reference, np.ones(10_000)))[1] == pytest.approx(0.2)
    assert compare_bins(*binned(reference, reference, np.ones(10_000))) == (pytest.approx(1, abs=0.02), 0)


def test_counts_and_shares():
    reference = np.concatenate([np.arange(1000.0), np.full(250, np.nan)])
    current = np.array([-5, 10, 2000, 500, np.nan, np.nan])
    counts, shares, number = binned(current, reference, np.ones(1250))
    assert counts.sum() == 6
    assert counts[0] == 1
    assert counts[-2:].tolist() == [1, 2], "the last bin is of missing values"
    assert shares.sum() == pytest.approx(1)
    assert shares[-1] == 0.2
    assert number == 1250


@pytest.mark.parametrize(
    ("current", "reference"),
    [(np.full(60, 3.0), np.full(200, 3.0)), (np.full(60, np.nan), np.full(200, np.nan))],
    ids=["one value", "no value"],
)
def test_one_bin_is_no_change(current, reference):
    assert compare_bins(*binned(current, reference, np.ones(200))) == (1.0, 0.0)


def test_one_strange_text_is_no_evidence():
    """Chi-square takes one text of 50 for a wonder where the reference has one of 2,000."""
    assert compare_bins(np.array([49.0, 1]), np.array([0.9995, 0.0005]), 2000) == (1.0, pytest.approx(0.0195))
    found, _ = compare_bins(np.array([20.0, 29, 1]), np.array([0.4, 0.5995, 0.0005]), 2000)
    assert found == pytest.approx(compare_bins(np.array([20.0, 30]), np.array([0.4, 0.6]), 2000)[0])


def test_values_where_there_were_none():
    found, effect = compare_bins(*binned(np.ones(60), np.full(200, np.nan), np.ones(200)))
    assert found < 1e-10
    assert effect == 1


def test_effective_number():
    assert effective_number(np.full(50, 0.3)) == pytest.approx(50)
    assert effective_number(np.array([1.0, 1, 0, 0])) == 2


def test_hotelling_of_one_direction_is_students_test():
    random = np.random.default_rng(3)
    current, reference = random.normal(0.4, 1, (80, 1)), random.normal(size=(200, 1))
    found, shift = hotelling(current, reference, np.ones(200))
    assert found == pytest.approx(stats.ttest_ind(current[:, 0], reference[:, 0]).pvalue)
    difference = current.mean() - reference.mean()
    variance = (79 * current.var(ddof=1) + 199 * reference.var(ddof=1)) / 278
    assert shift == pytest.approx(np.sqrt(difference**2 / variance - (1 / 80 + 1 / 200)))


def test_hotelling_is_the_same_in_any_coordinates():
    random = np.random.default_rng(4)
    current, reference = random.normal(0.1, 1, (100, 4)), random.normal(size=(300, 4))
    turned = random.normal(size=(4, 4))
    plain = hotelling(current, reference, np.ones(300))
    assert hotelling(current @ turned + 5, reference @ turned + 5, np.ones(300)) == pytest.approx(plain)


def test_hotelling_holds_its_level():
    random = np.random.default_rng(5)
    pairs = [hotelling(random.normal(size=(30, 8)), random.normal(size=(40, 8)), np.ones(40)) for _ in range(2000)]
    assert 0.037 < np.mean([p <= 0.05 for p, _ in pairs]) < 0.063
    assert np.median([shift for _, shift in pairs]) < 0.2, "what chance gives is taken off"


def test_rows_without_weight_are_not_there():
    random = np.random.default_rng(7)
    current, reference = random.normal(size=(60, 3)), random.normal(size=(90, 3))
    reference[60:] *= 5
    chosen = (np.arange(90) < 60).astype(float)
    assert hotelling(current, reference, chosen) == pytest.approx(hotelling(current, reference[:60], np.ones(60)))


def test_rows_without_a_place_are_left_out():
    random = np.random.default_rng(6)
    current, reference = random.normal(size=(60, 3)), random.normal(size=(90, 3))
    gaps = np.concatenate([current, np.full((7, 3), np.nan)])
    assert hotelling(gaps, reference, np.ones(90)) == hotelling(current, reference, np.ones(90))
    assert hotelling(np.full((60, 3), np.nan), reference, np.ones(90)) == (1.0, 0.0)
    assert hotelling(current, np.full((90, 3), np.nan), np.ones(90)) == (1.0, 0.0)


def test_directions_without_any_spread():
    same = np.ones((90, 2))
    assert hotelling(same[:60], same, np.ones(90)) == (pytest.approx(1), 0.0)
    p_value, shift = hotelling(same[:60] + 0.1, same, np.ones(90))
    assert p_value < 1e-10
    assert shift > 100
