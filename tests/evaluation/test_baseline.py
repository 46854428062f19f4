import numpy as np
import pytest

from newsclf.evaluation.baseline import BesideBaseline
from newsclf.stats.paired import mcnemar_p

LABELS = np.arange(200) % 4


def wrong(rows: slice) -> np.ndarray:
    found = LABELS.copy()
    found[rows] = (found[rows] + 1) % 4
    return found


def test_both_are_measured_on_the_same_rows():
    model, baseline = wrong(slice(0, 20)), wrong(slice(10, 60))
    found = BesideBaseline.of(LABELS, model, baseline)
    assert (found.model, found.accuracy) == (0.9, 0.75)
    assert found.p == mcnemar_p(LABELS, model, baseline)
    assert found.metrics == {
        "baseline_accuracy": 0.75,
        "baseline_macro_f1": pytest.approx(0.75, abs=0.01),
        "baseline_mcnemar_p": found.p,
    }
    assert "the model's accuracy is higher by 0.1500" in str(found)
    assert found.concerns() == []


def test_a_model_that_is_worse_is_a_concern_where_that_is_no_chance():
    (said,) = BesideBaseline.of(LABELS, wrong(slice(0, 50)), wrong(slice(40, 60))).concerns()
    assert said.startswith("accuracy 0.7500 is below the 0.9000 of a linear classifier of words")
    assert BesideBaseline.of(LABELS, wrong(slice(0, 21)), wrong(slice(30, 50))).concerns() == []
    assert "lower by 0.0050" in str(BesideBaseline.of(LABELS, wrong(slice(0, 21)), wrong(slice(30, 50))))


def test_the_same_is_said_to_be_the_same():
    found = BesideBaseline.of(LABELS, LABELS, LABELS)
    assert "the model's accuracy is the same (McNemar's p 1)" in str(found)
    assert found.concerns() == []
