import numpy as np
import pytest

from newsclf.drift.predictor import fit_light


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
