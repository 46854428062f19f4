from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from newsclf.drift.performance import judge_estimated, judge_measured, temperature
from newsclf.drift.predictor import calibrated, calibration, fit_light, softmax


def right(share: float, rows: int) -> np.ndarray:
    return np.arange(rows) < share * rows


def test_a_fall_of_the_measured_accuracy():
    found = judge_measured(right(0.8, 500), right(0.9, 1000))
    table = [[100, 400], [100, 900]]
    assert found.p_value == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert found.effect == pytest.approx(-0.1)
    assert found.changed == "The accuracy fell to 80.0% from 90.0%."
    assert found.otherwise == "The accuracy is 80.0%, 90.0% in the reference."
    assert [one.name for one in found.tested] == ["accuracy"]


def test_better_is_no_drift():
    assert judge_measured(right(0.95, 500), right(0.9, 1000)).p_value > 0.5
    random = np.random.default_rng(0)
    assert judge_estimated(random.uniform(0.8, 1, 500), random.uniform(0.6, 1, 500), 0.8).p_value > 0.5


def test_a_fall_of_the_estimated_accuracy():
    random = np.random.default_rng(1)
    before, now = random.uniform(0.7, 1, 1000), random.uniform(0.66, 1, 40)
    found = judge_estimated(now, before, 0.84)
    assert found.p_value == pytest.approx(stats.ttest_ind(now, before, equal_var=False, alternative="less").pvalue)
    assert found.effect == pytest.approx(now.mean() - before.mean())
    estimate = 0.84 + now.mean() - before.mean()
    assert found.changed == f"The estimated accuracy fell to {estimate:.1%} from 84.0%."


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_an_estimate_stays_a_share():
    assert judge_estimated(np.full(9, 0.2), np.full(9, 0.9), 0.5).effect == -0.5
    assert judge_estimated(np.full(9, 0.9), np.full(9, 0.2), 0.9).effect == pytest.approx(0.1)
    assert judge_estimated(np.full(9, 0.9), np.full(9, 0.9), 0.9).p_value >= 0.5, "no spread, no fall"


def test_confidence_estimates_the_accuracy_of_texts_that_are_harder():
    """Two classes, known densities: calibrated probabilities, of which the second sample has less sure ones."""
    random = np.random.default_rng(2)

    def sample(rows: int, distance: float) -> tuple[np.ndarray, np.ndarray]:
        labels = random.integers(0, 2, rows)
        seen = random.normal(size=rows) + np.where(labels == 1, distance, -distance)
        sure = 1 / (1 + np.exp(-2 * distance * seen))
        return np.maximum(sure, 1 - sure), (sure > 0.5) == labels

    before, correct = sample(20_000, 1.5)
    now, truth = sample(20_000, 0.7)
    found = judge_estimated(now, before, float(correct.mean()))
    assert float(correct.mean()) + found.effect == pytest.approx(truth.mean(), abs=0.015)
    assert found.p_value < 1e-10


@pytest.mark.parametrize("known", [0.3, 1.0, 4.0])
def test_temperature_undoes_what_made_them_too_sure(known):
    random = np.random.default_rng(3)
    logits = random.normal(size=(20_000, 4)) * 2
    labels = np.array([random.choice(4, p=row) for row in softmax(logits)])
    assert temperature(logits * known, labels) == pytest.approx(known, rel=0.05)
    found = calibration(softmax(logits * known), labels)
    assert found == pytest.approx(known, rel=0.05)
    confidence = calibrated(softmax(logits * known), found).max(axis=1)
    correct = logits.argmax(axis=1) == labels
    assert confidence.mean() == pytest.approx(correct.mean(), abs=0.01)


def test_sure_and_right_needs_no_infinite_temperature():
    assert 0.05 <= temperature(np.eye(3) * 5, np.arange(3)) < 0.5
    assert temperature(np.eye(3) * 5, np.array([1, 2, 0])) == pytest.approx(20, rel=0.01)
    assert np.isfinite(calibration(np.eye(3), np.array([1, 2, 0])))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_light_predictor(classes):
    random = np.random.default_rng(4)
    labels = random.integers(0, classes, 600)
    embedded = (random.normal(size=(600, 8)) + 3 * np.eye(8)[labels]) * np.geomspace(0.001, 0.1, 8)
    light = fit_light(embedded, labels, classes)
    probabilities = light(embedded)
    assert light.weights.shape == (8, classes)
    assert probabilities.shape == (600, classes)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(600))
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.9
