"""A temperature is found again, and a likelihood at the best of them does not tell how sure a model is."""

import numpy as np
import pytest
from scipy.special import softmax

from newsclf.stats.calibration import calibrated, calibrated_log_likelihood, fit_temperature, logits_of


@pytest.mark.parametrize("known", [0.3, 1.0, 4.0])
def test_temperature_undoes_what_made_them_too_sure(known: float) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(size=(20_000, 4)) * 2
    labels = np.array([random.choice(4, p=row) for row in softmax(logits, axis=1)])
    assert fit_temperature(logits * known, labels) == pytest.approx(known, rel=0.05)
    found = fit_temperature(logits_of(softmax(logits * known, axis=1)), labels)
    assert found == pytest.approx(known, rel=0.05)
    confidence = calibrated(softmax(logits * known, axis=1), found).max(axis=1)
    correct = logits.argmax(axis=1) == labels
    assert confidence.mean() == pytest.approx(correct.mean(), abs=0.01)


def test_sure_and_right_needs_no_infinite_temperature() -> None:
    assert 0.05 <= fit_temperature(np.eye(3) * 5, np.arange(3)) < 0.5
    assert fit_temperature(np.eye(3) * 5, np.array([1, 2, 0])) == pytest.approx(20, rel=0.01)
    assert np.isfinite(fit_temperature(logits_of(np.eye(3)), np.array([1, 2, 0])))


def test_a_calibrated_log_likelihood_is_the_best_of_all_temperatures_and_blind_to_the_models_own() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(400, 4))
    truth = softmax(2 * logits, axis=1)
    labels = np.array([random.choice(4, p=row) for row in truth])
    best = calibrated_log_likelihood(labels, softmax(logits, axis=1))
    every = [np.log(softmax(by * logits, axis=1))[np.arange(400), labels].mean() for by in np.linspace(0.5, 4, 701)]
    assert best.mean() == pytest.approx(max(every), abs=1e-5)
    for temperature in (0.4, 3.0):
        assert calibrated_log_likelihood(labels, softmax(logits / temperature, axis=1)) == pytest.approx(best, abs=0.01)


def test_one_that_was_sure_and_wrong_costs_no_more_than_a_millionth() -> None:
    assert np.isfinite(calibrated_log_likelihood(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))).all()
