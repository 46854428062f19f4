import numpy as np
import pytest
from scipy import stats

from newsclf.drift.concept import compare
from tests.drift.conftest import known

CLASSES = ("a", "b", "c")


def sample(random: np.random.Generator, rows: int, shares=(1 / 3, 1 / 3, 1 / 3)) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the probabilities of a predictor that is nearly always right on a, and often wrong on c."""
    labels = random.choice(3, rows, p=shares)
    seen = (labels[:, None] == np.arange(3)) + random.normal(size=(rows, 3)) * np.array([0.4, 0.6, 0.8])[labels, None]
    likely = np.exp(seen / 0.36)
    return labels, likely / likely.sum(axis=1, keepdims=True)


def relabelled(random: np.random.Generator, labels: np.ndarray, share: float) -> np.ndarray:
    return np.where(random.random(len(labels)) < share, random.integers(0, 3, len(labels)), labels)


def found(random, change=lambda labels: labels, rows=1000, shares=(1 / 3, 1 / 3, 1 / 3), weigh=True):
    labels, probabilities = sample(random, rows, shares)
    before, probabilities_before = sample(random, 2000)
    weights = np.asarray(shares)[before] * 3 if weigh else np.ones(2000)
    return compare(change(labels), probabilities, before, probabilities_before, weights, CLASSES)


def test_without_a_change_p_values_are_not_too_small():
    random = np.random.default_rng(0)
    p_values = [found(random, rows=300).p_value for _ in range(300)]
    for level in (0.1, 0.05, 0.01):
        assert sum(p <= level for p in p_values) <= stats.binom.ppf(0.999, 300, level * 1.2), level


def test_other_class_shares_alone_are_no_concept_drift():
    random = np.random.default_rng(1)
    seen = [found(random, shares=(0.7, 0.2, 0.1)) for _ in range(100)]
    assert sum(one.p_value <= 0.05 for one in seen) <= stats.binom.ppf(0.999, 100, 0.06)
    assert np.mean([one.effect for one in seen]) == pytest.approx(0, abs=0.01)
    without = [found(random, shares=(0.7, 0.2, 0.1), weigh=False) for _ in range(20)]
    assert max(one.p_value for one in without) < 0.01
    assert np.mean([one.effect for one in without]) > 0.05


def test_a_tenth_of_the_labels_at_random_is_seen():
    random = np.random.default_rng(2)
    seen = [found(random, lambda labels: relabelled(random, labels, 0.1)) for _ in range(100)]
    assert np.mean([one.p_value < 0.05 for one in seen]) > 0.95
    assert np.mean([one.effect for one in seen]) == pytest.approx(-0.1 * (0.8 - 1 / 3), abs=0.02)


def test_labels_that_agree_more_often_are_a_change_as_well():
    random = np.random.default_rng(3)
    _, probabilities = sample(random, 1000)
    before = sample(random, 2000)
    seen = compare(probabilities.argmax(axis=1), probabilities, *before, np.ones(2000), CLASSES)
    assert known(seen.p_value) < 1e-10
    assert known(seen.effect) > 0.1


def test_the_class_that_changed_is_named():
    random = np.random.default_rng(4)
    seen = found(random, lambda labels: np.where((labels == 1) & (random.random(len(labels)) < 0.7), 2, labels))
    assert seen.p_value < 1e-6
    assert seen.tested[0].name == "c", "labels that say c now mean b"
    assert seen.tested[0].effect < -0.2
    assert "Most of all c has changed." in seen.changed
    assert seen.effect_unit == "agreement"


def test_classes_are_listed_by_how_sure_their_change_is():
    labels = np.repeat([0, 1], [3, 500])
    probabilities = np.eye(3)[labels] * 0.7 + 0.1
    wrong = np.arange(503) < 203  # all of a, two fifths of b
    now = np.where(wrong[:, None], np.roll(probabilities, 1, axis=1), probabilities)
    seen = compare(labels, now, labels, probabilities, np.ones(503), CLASSES)
    assert [(one.name, round(one.effect, 1)) for one in seen.tested] == [("b", -0.4), ("a", -1)]


def test_a_class_of_one_side_alone_is_not_compared_by_itself():
    random = np.random.default_rng(5)
    seen = found(random, lambda labels: np.where(labels == 2, 0, labels), shares=(0.4, 0.6, 0), weigh=False)
    assert {one.name for one in seen.tested} == {"a", "b"}
