"""The table of confident errors: wrong rows alone, the surest first, cut to length."""

import numpy as np
import pandas as pd

from newsclf.evaluation.errors_table import CHARACTERS, ROWS, most_confident_errors

CLASSES = ("a", "b", "c")


def test_wrong_rows_come_in_order_of_confidence() -> None:
    labels = np.array([0, 1, 2, 0, 1])
    probabilities = np.array(
        [
            [0.50, 0.30, 0.20],  # right
            [0.70, 0.20, 0.10],  # wrong
            [0.05, 0.90, 0.05],  # wrong, the surest
            [0.123456, 0.376543, 0.500001],  # wrong
            [0.05, 0.95, 0.00],  # right
        ]
    )
    table = most_confident_errors(["t0", "t1", "t2", "t3", "t4"], labels, probabilities, CLASSES)
    assert table.to_dict("list") == {
        "row": [2, 1, 3],
        "text": ["t2", "t1", "t3"],
        "label": ["c", "b", "a"],
        "predicted": ["b", "a", "c"],
        "confidence": [0.9, 0.7, 0.5],
        "label_probability": [0.05, 0.2, 0.1235],
    }


def test_equally_sure_rows_stay_in_their_order() -> None:
    table = most_confident_errors(list("xyz"), np.zeros(3, int), np.tile([0.2, 0.8], (3, 1)), ("a", "b"))
    assert table["row"].tolist() == [0, 1, 2]


def test_rows_and_texts_are_cut() -> None:
    rows = 3 * ROWS
    confidence = np.random.default_rng(0).uniform(0.5, 1, rows)
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    table = most_confident_errors(["x" * 5000] * rows, np.zeros(rows, int), probabilities, ("a", "b"))
    assert table["row"].tolist() == np.argsort(-confidence)[:ROWS].tolist()
    assert set(table["text"].str.len()) == {CHARACTERS}
    three = most_confident_errors(["x"] * rows, np.zeros(rows, int), probabilities, ("a", "b"), rows=3)
    assert three["row"].tolist() == np.argsort(-confidence)[:3].tolist()


def test_without_an_error_the_table_is_empty_and_has_its_columns() -> None:
    table = most_confident_errors(["t"], np.array([1]), np.array([[0.1, 0.9]]), ("a", "b"))
    assert len(table) == 0
    assert list(table) == ["row", "text", "label", "predicted", "confidence", "label_probability"]


def test_each_error_has_what_tells_its_row_apart() -> None:
    identity = pd.DataFrame({"row_id": ["r0", "r1", "r2"], "desk": ["a", "b", None]})
    chances = np.array([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    table = most_confident_errors(["t0", "t1", "t2"], np.zeros(3, int), chances, ("a", "b"), identity=identity)
    assert table["row"].tolist() == [2, 0]
    assert table["row_id"].tolist() == ["r2", "r0"]
    assert table["desk"].tolist() == [None, "a"]
