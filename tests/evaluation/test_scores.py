"""Scores agree with scikit-learn's, calibration error with cases worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from newsclf.evaluation.scores import (
    BINS,
    accuracy,
    calibration_curve,
    class_scores,
    expected_calibration_error,
    macro_f1,
    per_class_metrics,
    scores,
)

ROWS, CLASSES = 400, 5


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, CLASSES - 1, ROWS)  # the last class has no row


@pytest.fixture
def probabilities(labels: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(1)
    logits = random.normal(size=(ROWS, CLASSES))
    logits[np.arange(ROWS), labels] += 1
    logits[:, 1] -= 9  # a class that is never predicted
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


def of_two(confidences: list[float], correct: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of two classes, of which the first is predicted with each confidence."""
    labels = np.array([0 if right else 1 for right in correct])
    return labels, np.array([[c, 1 - c] for c in confidences])


def test_scores_are_scikit_learns(labels: np.ndarray, probabilities: np.ndarray) -> None:
    predicted = probabilities.argmax(axis=1)
    got = scores(labels, probabilities)
    assert got["accuracy"] == sklearn_metrics.accuracy_score(labels, predicted)
    assert got["macro_f1"] == pytest.approx(sklearn_metrics.f1_score(labels, predicted, average="macro"))
    assert got["log_loss"] == pytest.approx(
        sklearn_metrics.log_loss(labels, probabilities, labels=range(CLASSES)), rel=1e-12
    )
    assert got["expected_calibration_error"] == expected_calibration_error(labels, probabilities)


def test_scores_are_plain_numbers() -> None:
    got = scores(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert got == {"accuracy": 1.0, "macro_f1": 1.0, "log_loss": 0.0, "expected_calibration_error": 0.0}
    assert {type(value) for value in got.values()} == {float}


def test_a_wrong_certainty_costs_much_but_not_infinitely() -> None:
    labels, probabilities = of_two([1.0], [False])
    assert scores(labels, probabilities)["log_loss"] == pytest.approx(-np.log(1e-15))


def test_macro_f1_is_over_the_classes_that_occur() -> None:
    labels, predicted = np.array([0, 0, 2, 2]), np.array([0, 2, 2, 2])
    # Class 0: precision 1, recall 1/2; class 2: precision 2/3, recall 1; class 1 does not occur.
    assert macro_f1(labels, predicted) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert accuracy(labels, predicted) == 0.75


def test_class_scores_are_scikit_learns_and_zero_where_undefined(labels: np.ndarray, probabilities: np.ndarray) -> None:
    predicted = probabilities.argmax(axis=1)
    got = class_scores(labels, predicted, CLASSES)
    report = sklearn_metrics.classification_report(labels, predicted, output_dict=True, zero_division=0)
    for index in (0, 2, 3):
        assert got["precision"][index] == report[str(index)]["precision"]
        assert got["recall"][index] == report[str(index)]["recall"]
        assert got["f1"][index] == report[str(index)]["f1-score"]
    assert (got["precision"][1], got["recall"][1], got["f1"][1]) == (0, 0, 0), "never predicted"
    assert (got["recall"][4], got["f1"][4]) == (0, 0), "no such row"


@pytest.mark.parametrize(
    ("confidences", "correct", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [False, False], 1.0),
        # Two bins: half right at 0.9 (a gap of 0.4), all right at 0.6 (a gap of 0.4).
        ([0.9, 0.9, 0.6, 0.6], [True, False, True, True], 0.4),
        # Three rows at 0.7 with a gap of |0.7 - 1/3|, one at 0.8 with a gap of 0.2.
        ([0.7, 0.7, 0.7, 0.8], [True, False, False, True], 3 / 4 * (0.7 - 1 / 3) + 1 / 4 * 0.2),
        # One bin: 0.81 and 0.85 have the mean 0.83, and half is right.
        ([0.81, 0.85], [True, False], 0.33),
    ],
)
def test_calibration_error_worked_out_by_hand(confidences: list[float], correct: list[bool], expected: float) -> None:
    assert expected_calibration_error(*of_two(confidences, correct)) == pytest.approx(expected)


def test_with_one_bin_the_calibration_error_is_confidence_minus_accuracy(
    labels: np.ndarray, probabilities: np.ndarray
) -> None:
    gap = abs(probabilities.max(axis=1).mean() - accuracy(labels, probabilities.argmax(axis=1)))
    assert expected_calibration_error(labels, probabilities, bins=1) == pytest.approx(gap)


def test_a_calibrated_forecast_has_next_to_no_calibration_error() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 50_000)
    labels, probabilities = of_two(confidence.tolist(), (random.uniform(size=50_000) < confidence).tolist())
    assert expected_calibration_error(labels, probabilities) < 0.01


def test_every_row_is_in_the_bin_of_its_confidence(labels: np.ndarray, probabilities: np.ndarray) -> None:
    edges, confidence, right, rows = calibration_curve(labels, probabilities)
    assert (len(edges), rows.sum()) == (BINS, ROWS)
    filled = rows > 0
    assert (edges[filled] <= confidence[filled]).all()
    assert (confidence[filled] <= edges[filled] + 1 / BINS).all()
    assert (right * rows).sum() == pytest.approx((probabilities.argmax(axis=1) == labels).sum())
    certain = calibration_curve(*of_two([1.0], [True]))
    assert certain[3].tolist() == [0] * (BINS - 1) + [1], "1.0 is in the last bin"


def test_per_class_metrics_are_named_by_score_and_class(labels: np.ndarray, probabilities: np.ndarray) -> None:
    classes = ["World", "Sports", "Business", "Sci/Tech", "none"]
    got = per_class_metrics(labels, probabilities, classes, "test_")
    table = class_scores(labels, probabilities.argmax(axis=1), CLASSES)
    assert len(got) == 15 + 1 + 4, "three scores of each, and average precision of the four with a row and their mean"
    assert got["test_recall/Sci/Tech"] == table["recall"][3]
    assert got["test_precision/World"] == table["precision"][0]
    assert got["test_f1/Business"] == table["f1"][2]


def test_average_precision_is_scikit_learns_over_the_classes_that_have_a_row(
    labels: np.ndarray, probabilities: np.ndarray
) -> None:
    got = per_class_metrics(labels, probabilities, ["a", "b", "c", "d", "none"], "test_")
    expected = [sklearn_metrics.average_precision_score(labels == place, probabilities[:, place]) for place in range(4)]
    assert [got[f"test_average_precision/{name}"] for name in "abcd"] == expected
    assert "test_average_precision/none" not in got
    assert got["test_average_precision"] == pytest.approx(np.mean(expected), rel=1e-12)


def test_average_precision_hangs_on_no_threshold() -> None:
    """A rare class whose rows are ranked first, and are never predicted all the same."""
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.6, 0.4]])
    got = per_class_metrics(labels, probabilities, ["common", "rare"])
    assert (got["recall/rare"], got["average_precision/rare"], got["average_precision"]) == (0, 1, 1)
