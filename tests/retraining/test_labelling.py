"""Texts worth a label are uncertain, far from what is known, and far from each other."""

import numpy as np

from newsclf.retraining.labelling import k_center_greedy

KNOWN = np.random.default_rng(0).normal(size=(200, 5))


def clusters(*sizes: int) -> np.ndarray:
    """Points around different places, all of them far from what is known."""
    random = np.random.default_rng(1)
    return np.concatenate([random.normal(20 * (1 + place), 0.1, (size, 5)) for place, size in enumerate(sizes)])


def test_each_cluster_is_seen_before_one_is_seen_twice() -> None:
    points = clusters(90, 9, 1)
    chosen = k_center_greedy(points, np.ones(len(points)), KNOWN, 3)
    assert {0 if row < 90 else 1 if row < 99 else 2 for row in chosen} == {0, 1, 2}


def test_what_is_like_the_known_comes_last() -> None:
    points = np.concatenate([KNOWN[:50], clusters(5)])
    chosen = k_center_greedy(points, np.ones(len(points)), KNOWN, 5)
    assert set(chosen[:1]) <= set(range(50, 55))
    assert len(set(range(50, 55)) & set(chosen)) == 5


def test_what_the_model_is_sure_of_comes_last() -> None:
    points = clusters(40)
    uncertainty = np.where(np.arange(40) < 4, 0.7, 0.0)
    assert set(k_center_greedy(points, uncertainty, KNOWN, 4)) == set(range(4))


def test_the_budget_is_kept_and_no_text_comes_twice() -> None:
    points = clusters(30)
    for budget in (1, 7, 30, 500):
        chosen = k_center_greedy(points, np.ones(30), KNOWN, budget)
        assert len(chosen) == len(set(chosen)) == min(budget, 30)


def test_with_nothing_known_and_with_nothing_given() -> None:
    assert len(k_center_greedy(clusters(10), np.ones(10), KNOWN[:0], 3)) == 3
    assert k_center_greedy(KNOWN[:0], np.ones(0), KNOWN, 3) == []
