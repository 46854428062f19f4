import numpy as np
import pytest
from scipy import stats

from newsclf.drift.prior import compare, corrected_shares, homogeneity
from tests.drift.conftest import known

CLASSES = ("a", "b", "c")


def posterior(random: np.random.Generator, rows: int, shares: np.ndarray, believed: np.ndarray, overlap: float):
    """Calibrated probabilities [rows, classes] for `believed` shares of rows that have `shares`."""
    labels = random.choice(len(shares), rows, p=shares)
    seen = labels[:, None] == np.arange(len(shares))
    seen = seen + random.normal(size=seen.shape) * overlap
    likelihood = np.exp(seen / overlap**2)  # the ratio of two normal densities of one spread
    weighed = likelihood * believed
    return weighed / weighed.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("overlap", [0.3, 0.6, 1.0], ids=["nearly told apart", "often confused", "hardly told apart"])
@pytest.mark.parametrize("shares", [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.98, 0.01, 0.01], [1.0, 0, 0]])
def test_shares_are_found_behind_the_confusions(overlap, shares):
    random = np.random.default_rng(0)
    believed = np.array([0.2, 0.3, 0.5])
    probabilities, _ = posterior(random, 20_000, np.array(shares), believed, overlap)
    found = corrected_shares(probabilities, believed)
    assert found.sum() == pytest.approx(1)
    assert found == pytest.approx(shares, abs=0.03)
    predicted = np.bincount(probabilities.argmax(axis=1), minlength=3) / 20_000
    if overlap == 1.0 and shares[0] == 0.6:
        assert np.abs(predicted - shares).max() > 0.2, "which counting predictions does not see"


def test_sure_predictions_are_counted():
    assert corrected_shares(np.eye(3)[[0, 0, 1, 2]], np.array([0.1, 0.1, 0.8])) == pytest.approx([0.5, 0.25, 0.25])


def test_a_class_that_the_reference_has_no_row_of():
    """A predictor may know more classes than the reference has."""
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
    found = corrected_shares(probabilities, np.array([0.5, 0.5, 0.0]))
    assert found[2] == 0
    assert found == pytest.approx([*corrected_shares(probabilities[:, :2] / 0.9, np.array([0.5, 0.5])), 0], abs=1e-5)


def test_probabilities_of_nothing_but_such_classes():
    found = corrected_shares(np.array([[0.0, 0.0, 1.0]] * 4), np.array([0.5, 0.5, 0.0]))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shares", [[0.25] * 4, [0.9, 0.05, 0.04, 0.01], [0.97, 0.01, 0.01, 0.005, 0.005]])
@pytest.mark.parametrize("rows", [(2000, 1000), (500, 60)])
def test_without_a_change_p_values_are_not_too_small(shares, rows):
    random = np.random.default_rng(1)
    reference, current = (random.multinomial(count, shares, 2000) for count in rows)
    found = [homogeneity(np.stack(pair)) for pair in zip(current, reference, strict=True)]
    for level in (0.1, 0.05, 0.01):
        assert sum(p <= level for p in found) <= stats.binom.ppf(0.999, 2000, level * 1.3), level


def test_homogeneity_is_the_chi_square_test():
    counts = np.array([[30, 50, 20], [40, 40, 20]])
    expected = np.array([[35, 45, 20]] * 2)
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert homogeneity(counts) == pytest.approx(stats.chi2.sf(statistic, 2))
    assert homogeneity(np.array([[10, 0], [90, 0]])) == 1


def test_the_effect_is_the_total_variation_and_the_most_moved_class_is_named():
    found = compare(np.array([150, 350, 250, 250]), np.array([300, 300, 200, 200]), (*CLASSES, "d"))
    assert found.effect == pytest.approx(0.15)
    assert known(found.p_value) < 1e-6
    assert [(one.name, round(one.effect, 3)) for one in found.tested[:1]] == [("a", -0.15)]
    assert "most of all a, share 15.0% after 30.0%" in found.changed
    mixed = compare(np.array([300, 300, 200, 200]), np.array([200, 200, 300, 300]), (*CLASSES, "d"))
    assert mixed.effect == pytest.approx(0.2), "and not the largest of the four"


def test_without_labels_the_size_is_that_of_the_estimate():
    estimated = (np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4]))
    found = compare(np.array([350, 400, 250]), np.array([300, 300, 400]), CLASSES, estimated)
    assert found.effect == pytest.approx(0.2)
    assert found.p_value == compare(np.array([350, 400, 250]), np.array([300, 300, 400]), CLASSES).p_value
    assert "estimated share 50.0% after 30.0%" in found.changed
