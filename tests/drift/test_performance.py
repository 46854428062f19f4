import numpy as np
import pytest
from scipy import stats

from newsclf.drift.performance import compare_estimated, compare_measured
from tests.drift.conftest import known


def right(share: float, rows: int) -> np.ndarray:
    return np.arange(rows) < share * rows


def test_a_fall_of_the_measured_accuracy():
    found = compare_measured(right(0.8, 500), right(0.9, 1000))
    table = [[100, 400], [100, 900]]
    assert found.p_value == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert found.effect == pytest.approx(-0.1)
    assert found.changed == "The accuracy fell to 80.0% from 90.0%."
    assert found.otherwise == "The accuracy is 80.0%, 90.0% in the reference."
    assert [one.name for one in found.tested] == ["accuracy"]


def test_better_is_no_drift():
    assert known(compare_measured(right(0.95, 500), right(0.9, 1000)).p_value) > 0.5
    random = np.random.default_rng(0)
    assert known(compare_estimated(random.uniform(0.8, 1, 500), random.uniform(0.6, 1, 500), 0.8).p_value) > 0.5


def test_a_fall_of_the_estimated_accuracy():
    random = np.random.default_rng(1)
    before, now = random.uniform(0.7, 1, 1000), random.uniform(0.66, 1, 40)
    found = compare_estimated(now, before, 0.84)
    assert found.p_value == pytest.approx(stats.ttest_ind(now, before, equal_var=False, alternative="less").pvalue)
    assert found.effect == pytest.approx(now.mean() - before.mean())
    estimate = 0.84 + now.mean() - before.mean()
    assert found.changed == f"The estimated accuracy fell to {estimate:.1%} from 84.0%."


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_an_estimate_stays_a_share():
    assert compare_estimated(np.full(9, 0.2), np.full(9, 0.9), 0.5).effect == -0.5
    assert compare_estimated(np.full(9, 0.9), np.full(9, 0.2), 0.9).effect == pytest.approx(0.1)
    assert known(compare_estimated(np.full(9, 0.9), np.full(9, 0.9), 0.9).p_value) >= 0.5, "no spread, no fall"


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
    found = compare_estimated(now, before, float(correct.mean()))
    assert float(correct.mean()) + known(found.effect) == pytest.approx(truth.mean(), abs=0.015)
    assert known(found.p_value) < 1e-10
