"""Pairs and pools: exact for two runs, an error rate that holds for pools of a few seeds, Holm's correction."""

import numpy as np
import pytest

from newsclf.evaluation.paired_configurations import MCNEMAR, WELCH, compare
from newsclf.stats.paired import bootstrap, interval, mcnemar_p


def runs(rows: int, skills: list[float], seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels of three classes, and a run right on that share of the rows for each skill; hard rows are hard for all."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows)
    hard = random.normal(size=rows)
    right = [hard + 0.5 * random.normal(size=rows) < np.quantile(hard, skill) * np.sqrt(1.25) for skill in skills]
    return labels, [np.where(row, labels, (labels + 1) % 3) for row in right]


def test_two_runs_have_mcnemars_p_and_the_paired_bootstraps_interval() -> None:
    labels, (one, other) = runs(400, [0.8, 0.85])
    scores, (pair,) = compare(labels, {"one": [one], "other": [other]}, 500, 3)
    draws = bootstrap(labels, [one, other], 500, 3)
    for score in ("accuracy", "macro_f1"):
        assert (scores["one"][score].low, scores["one"][score].high) == interval(draws[score][0])
        difference = pair.differences[score]
        assert (difference.low, difference.high) == interval(draws[score][0] - draws[score][1])
    assert scores["other"]["accuracy"].value == (other == labels).mean()
    assert pair.differences["accuracy"].value == pytest.approx((one == labels).mean() - (other == labels).mean())
    assert (pair.test, pair.p_value) == (MCNEMAR, mcnemar_p(labels, one, other))


def test_every_pair_stands_once() -> None:
    labels, (a, b, c) = runs(50, [0.5, 0.6, 0.7])
    _, pairs = compare(labels, {"a": [a], "b": [b], "c": [c]}, 100, 0)
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_pools_of_equal_runs_do_not_differ() -> None:
    labels, (one,) = runs(60, [0.7])
    _, (pair,) = compare(labels, {"a": [one, one], "b": [one, one]}, 100, 0)
    assert (pair.p_value, pair.test) == (1.0, WELCH)
    assert pair.differences["accuracy"].low == pair.differences["accuracy"].high == 0


@pytest.mark.integration  # seconds of drawing
@pytest.mark.parametrize("seeds", [2, 4])
def test_pools_of_configurations_that_are_alike_are_called_different_in_about_5_percent(seeds: int) -> None:
    """The seeds of a configuration vary by 2 points around the same skill: more than the rows explain."""
    random = np.random.default_rng(seeds)
    trials, rejected, covered = 120, 0, 0
    for trial in range(trials):
        skills = (0.8 + 0.02 * random.normal(size=2 * seeds)).clip(0.01, 0.99).tolist()
        labels, predictions = runs(600, skills, 1000 * seeds + trial)
        _, (pair,) = compare(labels, {"a": predictions[:seeds], "b": predictions[seeds:]}, 300, trial)
        rejected += pair.p_value < 0.05
        covered += pair.differences["accuracy"].low <= 0 <= pair.differences["accuracy"].high
    assert rejected / trials <= 0.09
    assert rejected + covered == trials, "the interval and the test agree"


def test_rows_alone_would_call_them_different_far_too_often() -> None:
    random = np.random.default_rng(0)
    rejected = 0
    for trial in range(100):
        skills = (0.8 + 0.02 * random.normal(size=2)).tolist()
        labels, (one, other) = runs(600, skills, trial)
        rejected += compare(labels, {"a": [one], "b": [other]}, 100, trial)[1][0].p_value < 0.05
    assert rejected > 15


def test_a_real_difference_is_found_with_five_seeds() -> None:
    random = np.random.default_rng(1)
    skills = (np.repeat([0.8, 0.84], 5) + 0.005 * random.normal(size=10)).tolist()
    labels, predictions = runs(2000, skills)
    _, (pair,) = compare(labels, {"a": predictions[:5], "b": predictions[5:]}, 500, 0)
    assert pair.p_value < 0.001
    assert pair.differences["accuracy"].high < 0
