"""What somebody should know of a model before its scores are believed: one sentence each, for the run's warnings.

All thresholds stand here, and in docs/train.md.
"""

from collections.abc import Sequence

import numpy as np

from newsclf.evaluation.scores import accuracy, class_scores
from newsclf.messages import listed, one_line

MIN_TEST_ROWS = 20  # of a class: with fewer, a score by class may be off by 0.2 and more by chance
PARTED = 1.1  # val_loss at the end as a multiple of its lowest, while train_loss fell
CLASSES_SHOWN = 5


def of_scores(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Of a test: classes that are never found, or hardly tested, and a model that is no better than one word.

    labels: [rows] class indices; probabilities: [rows, classes].

    >>> of_scores(np.repeat([0, 1], [40, 30]), np.tile([0.9, 0.1], (70, 1)), ("Sports", "World"))[0]
    'recall 0: no test row of World is found'
    """
    rows, predicted = np.bincount(labels, minlength=len(classes)), probabilities.argmax(axis=1)
    recall = class_scores(labels, predicted, len(classes))["recall"]
    found = []
    if lost := [one_line(classes[place], 60) for place in np.flatnonzero((rows > 0) & (recall == 0)).tolist()]:
        found.append(f"recall 0: no test row of {listed(lost, CLASSES_SHOWN)} is found")
    share, right = rows.max() / max(1, rows.sum()), accuracy(labels, predicted)
    if (rows > 0).sum() > 1 and right <= share:
        found.append(
            f"accuracy {right:.4f} is no better than to say {one_line(classes[int(rows.argmax())], 60)} every time, "
            f"which is right in {share:.4f} of the test rows"
        )
    thin = np.flatnonzero(rows < MIN_TEST_ROWS).tolist()
    if few := [f"{one_line(classes[place], 60)} ({rows[place]})" for place in thin]:
        found.append(
            f"fewer than {MIN_TEST_ROWS} test rows: {listed(few, CLASSES_SHOWN)}; scores of such a class are chance"
        )
    return found


def of_training(losses: Sequence[tuple[float, float]], epochs: int) -> list[str]:
    """Of the (train_loss, val_loss) of each epoch that was run; epochs: how many there were to be.

    >>> of_training([(0.9, 0.8), (0.5, 0.6)], epochs=2)
    ['the best epoch was the last of 2 (val_loss 0.6000 after 0.8000): more epochs may do better']
    >>> of_training([(0.9, 0.8), (0.5, 0.6), (0.4, 0.61)], epochs=3)
    []
    """
    train, val = (np.array(side, dtype=float) for side in zip(*losses, strict=True)) if losses else (np.zeros(0),) * 2
    if not len(val) or not np.isfinite(val).all():
        return []
    best, last, found = int(val.argmin()), len(val) - 1, []
    if last == 0 and epochs == 1:
        found.append("the best epoch was the only one: more epochs may do better")
    elif best == last and last + 1 >= epochs:
        fell = f"val_loss {val[last]:.4f} after {val[last - 1]:.4f}"
        found.append(f"the best epoch was the last of {epochs} ({fell}): more epochs may do better")
    elif best == 0:
        found.append(
            f"the best epoch was the first of {len(val)} (val_loss {val[0]:.4f}, then {val[1]:.4f}): "
            "a lower learning_rate may do better"
        )
    if val[last] >= PARTED * val[best] and train[last] < train[best]:
        found.append(
            f"over-fitting: from epoch {best + 1} to {last + 1} train_loss fell from {train[best]:.4f} to "
            f"{train[last]:.4f} while val_loss rose from {val[best]:.4f} to {val[last]:.4f}; fewer epochs, more "
            "dropout or more rows help"
        )
    return found
