"""Each limit of the gate refuses by itself, and says why; what is better in all passes."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from newsclf.evaluation.gate import Decision, Limits, Measured, run_gate

LIMITS = Limits(accuracy_margin=0.01, alpha=0.05, recall_margin=0.05, calibration_limit=0.1, latency_ratio=1.5)
CLASSES = ("a", "b", "c")


def probabilities(labels: np.ndarray, right: np.ndarray, confidence: float = 0.9) -> np.ndarray:
    """Calibrated where the share of right rows is `confidence`."""
    predicted = np.where(right, labels, (labels + 1) % 3)
    result = np.full((len(labels), 3), (1 - confidence) / 2)
    result[np.arange(len(labels)), predicted] = confidence
    return result


def make(name: str, ours: float, theirs: float | None, rows: int = 3000, confidence: float = 0.9) -> Measured:
    """Both are right on the first rows of each class, as many as the shares say."""
    labels = np.arange(rows) % 3
    rank = np.arange(rows) // 3 / (rows // 3)
    champion = None if theirs is None else probabilities(labels, rank < theirs)
    return Measured(name, labels, CLASSES, probabilities(labels, rank < ours, confidence), champion)


def judge(old: Measured, new: Measured | None, milliseconds: tuple[float, float | None] = (10.0, 10.0)) -> Decision:
    return run_gate(old, new, milliseconds, LIMITS, 400, 0)


def failed(decision: Decision) -> list[str]:
    assert decision.promote == (not any(check.passed is False for check in decision.checks))
    return [check.name for check in decision.checks if check.passed is False]


def test_what_is_as_good_on_the_old_and_better_on_the_new_passes() -> None:
    decision = judge(make("old", 0.9, 0.9), make("new", 0.9, 0.85))
    assert failed(decision) == []
    assert decision.numbers["new/accuracy_difference"] == pytest.approx(0.05)
    assert decision.numbers["old/accuracy_difference_low"] == 0
    assert decision.recalls["new"]["b"] == pytest.approx((0.9, 0.85))
    assert "on the new test +0.0500 accuracy" in decision.reason


def test_worse_on_the_old_beyond_the_margin_is_refused() -> None:
    assert failed(judge(make("old", 0.88, 0.9), make("new", 0.9, 0.85))) == ["not worse on the old test"]
    # Within the margin, but too few rows to be sure of it.
    labels = np.arange(90) % 3
    random = np.random.default_rng(0)
    ours, theirs = (random.uniform(size=90) < 0.9 for _ in range(2))
    unsure = Measured("old", labels, CLASSES, probabilities(labels, ours), probabilities(labels, theirs))
    assert "not worse on the old test" in failed(judge(unsure, make("new", 0.9, 0.85)))


def test_no_better_on_the_new_is_refused() -> None:
    assert failed(judge(make("old", 0.9, 0.9), make("new", 0.9, 0.9))) == ["better on the new test"]
    assert failed(judge(make("old", 0.9, 0.9), make("new", 0.9, 0.8, rows=30))) == ["better on the new test"]
    worse = failed(judge(make("old", 0.9, 0.9), make("new", 0.9, 0.94)))
    assert worse == ["better on the new test"], "different, but the wrong way round"


def knows_when_it_is_unsure(labels: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The predictions of probabilities(labels, right): it says 0.5 for all wrong rows and as many right ones."""
    unsure = ~right
    unsure[np.flatnonzero(right)[: unsure.sum()]] = True
    return np.where(unsure[:, None], probabilities(labels, right, 0.5), probabilities(labels, right, 0.99))


def test_a_lower_log_loss_is_better_where_no_accuracy_is_lost() -> None:
    new = make("new", 0.9, 0.9)
    right = new.challenger.argmax(axis=1) == new.labels
    knowing = dataclasses.replace(new, challenger=knows_when_it_is_unsure(new.labels, right))
    assert failed(judge(make("old", 0.9, 0.9), knowing)) == []
    right[0] = False
    fewer = dataclasses.replace(new, challenger=knows_when_it_is_unsure(new.labels, right))
    assert failed(judge(make("old", 0.9, 0.9), fewer)) == ["better on the new test"]


@pytest.mark.parametrize("temperature", [0.7, 1.4])
def test_surer_or_less_sure_is_not_better(temperature: float) -> None:
    new = make("new", 0.9, 0.9)
    assert new.champion is not None
    champion = knows_when_it_is_unsure(new.labels, new.champion.argmax(axis=1) == new.labels)
    challenger = softmax(np.log(champion) / temperature, axis=1)
    same = dataclasses.replace(new, champion=champion, challenger=challenger)
    assert failed(judge(make("old", 0.9, 0.9), same)) == ["better on the new test"]


@pytest.mark.integration  # seconds of drawing
def test_equally_good_models_pass_in_one_case_of_twenty_at_most() -> None:
    """Labels are drawn from what both say on average, so that neither is the better one."""
    random, passed = np.random.default_rng(0), 0
    for _ in range(400):
        truth = random.dirichlet(np.ones(3), 300)
        labels = np.array([random.choice(3, p=row) for row in truth])
        sides = [truth * random.uniform(0.7, 1.3, truth.shape) for _ in range(2)]
        ours, theirs = (side / side.sum(axis=1, keepdims=True) for side in sides)
        decision = judge_quickly(Measured("old", labels, CLASSES, ours, theirs))
        passed += decision.checks[1].passed is True
    assert passed / 400 < 0.06


def judge_quickly(old: Measured) -> Decision:
    return run_gate(old, None, (10.0, 10.0), LIMITS, 2, 0)


def test_without_a_new_test_it_has_to_be_better_on_the_old() -> None:
    assert failed(judge(make("old", 0.92, 0.9), None)) == []
    assert failed(judge(make("old", 0.9, 0.9), None)) == ["better on the old test"]


def test_a_class_that_falls_is_refused_and_named() -> None:
    old = make("old", 0.9, 0.85)
    right = np.arange(3000) // 3 / 1000 < np.where(old.labels == 1, 0.78, 0.95)
    decision = judge(dataclasses.replace(old, challenger=probabilities(old.labels, right)), make("new", 0.9, 0.85))
    assert failed(decision) == ["no class falls on the old test"]
    assert "the recall of b changes by -0.0700" in decision.reason


def test_one_that_does_not_know_how_sure_it_is_is_refused() -> None:
    overconfident = make("new", 0.88, 0.8, confidence=0.999)
    assert failed(judge(make("old", 0.9, 0.9), overconfident)) == ["calibrated on the new test"]


def test_a_slow_one_is_refused() -> None:
    decision = judge(make("old", 0.9, 0.9), make("new", 0.9, 0.85), (16.0, 10.0))
    assert failed(decision) == ["as quick"]
    assert decision.numbers["latency_ratio"] == pytest.approx(1.6)


def test_the_first_is_judged_by_what_needs_no_other() -> None:
    decision = judge(make("old", 0.9, None), None, (10.0, None))
    assert failed(decision) == []
    assert [check.passed for check in decision.checks].count(None) == 4
    assert failed(judge(make("old", 0.6, None, confidence=0.99), None, (10.0, None))) == ["calibrated on the old test"]
