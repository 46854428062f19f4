"""Which rows of a batch are judged, labelled and predicted."""

import dataclasses

import numpy as np
import pandas as pd

from newsclf.drift.batch import MAX_WEIGHT, HeldOut, Labelled, TextBatch
from newsclf.profiling.profile import TextProfile

# Five texts: the second is empty, the last is not judged; the third has a label that the reference does not know.
BATCH = TextBatch(
    texts=["a", "", "b", "c", "d"],
    columns=pd.DataFrame({"characters": [1.0, 0, 1, 1, 1]}),
    labels=np.array([0, 1, -1, 1, 0]),
    predicted_rows=np.array([0, 2, 3, 4]),
    probabilities=np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]),
    judged_rows=np.array([0, 2, 3]),
    filled=4,
    bad_rows={},
    rows=5,
)


def test_judged_rows_alone_are_compared() -> None:
    assert BATCH.known_labels is not None
    assert BATCH.known_labels.tolist() == [0, 1]
    assert BATCH.predictions is not None
    assert BATCH.predictions[:, 0].tolist() == [0.9, 0.8, 0.3]
    assert BATCH.labelled is not None
    assert BATCH.labelled.labels.tolist() == [0, 1]
    assert BATCH.labelled.probabilities is not None
    assert BATCH.labelled.probabilities[:, 0].tolist() == [0.9, 0.3]


def test_without_labels_or_predictions_there_is_nothing_labelled() -> None:
    assert dataclasses.replace(BATCH, labels=None).known_labels is None
    assert dataclasses.replace(BATCH, labels=None).labelled is None
    assert dataclasses.replace(BATCH, probabilities=None).labelled is None
    strangers = dataclasses.replace(BATCH, labels=np.full(5, -1))
    assert strangers.labelled is None
    assert strangers.known_labels is not None
    assert strangers.known_labels.tolist() == []


def test_all_rows_go_into_a_profile() -> None:
    profile = TextProfile()
    BATCH.log_to(profile)
    assert profile.rows == 5
    assert set(profile.columns) == {"characters", "text"}


def test_weights_give_the_shares_of_a_batch_but_not_without_limit() -> None:
    labelled = Labelled(np.array([0] * 99 + [1]), None)
    held_out = HeldOut(pd.DataFrame(index=range(100)), ("a", "b"), labelled, {}, 100)
    assert held_out.weights(np.array([0.9, 0.1]))[[0, 99]].round(2).tolist() == [0.91, MAX_WEIGHT]
    assert held_out.weights(None).tolist() == [1.0] * 100
    assert held_out.weights(np.array([0.0, 1.0])).min() > 0, "a class that is gone weighs next to nothing"
    assert dataclasses.replace(held_out, labelled=None).weights(np.array([0.9, 0.1])).tolist() == [1.0] * 100
