"""Which texts are most worth a label: uncertain, unlike what is known, and unlike each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist


def k_center_greedy(points: np.ndarray, uncertainty: np.ndarray, known: np.ndarray, budget: int) -> list[int]:
    """At most `budget` rows, the most telling first.

    points: [rows, directions]; known: [others, directions] of what needs no label; uncertainty: [rows] in 0..1.
    k-centre greedy (Sener & Savarese 2018, Active Learning for Convolutional Neural Networks: A Core-Set Approach):
    the next is always the one furthest from all that is known or chosen. Here the distance counts by the uncertainty,
    so that what the model is sure of is left for last.
    """
    nearest = np.full(len(points), np.inf)
    for start in range(0, len(points), 1000):  # bounds the memory of the distances
        part = slice(start, start + 1000)
        if len(known):
            nearest[part] = cdist(points[part], known).min(axis=1)
    if not len(known):
        nearest = cdist(points, points.mean(axis=0, keepdims=True))[:, 0]
    chosen: list[int] = []
    left = np.ones(len(points), dtype=bool)
    while len(chosen) < min(budget, len(points)):
        best = int(np.argmax(np.where(left, nearest * uncertainty, -1.0)))
        chosen.append(best)
        left[best] = False
        nearest = np.minimum(nearest, cdist(points, points[best : best + 1])[:, 0])
    return chosen
