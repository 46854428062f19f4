"""Texts and labels by place, whatever they come in; predictions as columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from newsclf.drift.inputs import as_lists, bad_rows, filled_rows, labelled, prediction_columns
from newsclf.errors import InputError


@pytest.mark.parametrize(
    "missing", [[None, None], [np.nan, None], pd.Series([None, np.nan], index=[9, 4]), np.array([None, np.nan])]
)
def test_what_is_missing_is_none(missing: Any) -> None:
    assert as_lists(missing, missing) == ([None, None], [None, None])


def test_labels_are_one_a_text() -> None:
    with pytest.raises(InputError, match="2 texts and 1 labels: give one label a text"):
        as_lists(["a", "b"], ["x"])


def test_of_a_reference_all_rows_are_labelled_or_none() -> None:
    assert labelled(["a", None], None) == (["a", None], None)
    assert labelled(["a", "b"], ["x", "y"]) == (["a", "b"], ["x", "y"])
    with pytest.raises(InputError, match="1 of 2 labels of the reference are missing: leave their rows out"):
        labelled(["a", "b"], ["x", None])


@pytest.mark.parametrize(
    ("texts", "filled", "counts"),
    [
        ([], [], (0, 0, 0)),
        (["", " \n", None], [], (3, 1, 0)),
        (["a", "", "a", "a ", None, "b"], [0, 2, 3, 5], (2, 1, 1)),  # what differs in white space is another text
    ],
)
def test_bad_rows(texts: Sequence[str | None], filled: list[int], counts: tuple[int, int, int]) -> None:
    assert filled_rows(texts).tolist() == filled
    assert tuple(bad_rows(texts)[name] for name in ("empty", "missing", "duplicate")) == counts


def test_predictions_say_how_sure_they_are() -> None:
    columns = prediction_columns(np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]]), ("a", "b"), np.array([1, 0, -1]))
    assert columns["predicted_label"].tolist() == ["a", "a", "b"]
    np.testing.assert_allclose(columns["confidence"], [0.5, 1, 0.8])
    np.testing.assert_allclose(columns["entropy"], [np.log(2), 0, 0.5004], atol=1e-4)
    np.testing.assert_allclose(columns["margin"], [0, 1, 0.6], rtol=1e-6)
    np.testing.assert_allclose(columns["label_probability"], [0.5, 1, np.nan])
    np.testing.assert_allclose(columns["correct"], [0, 1, np.nan])


def test_without_labels_and_with_one_class() -> None:
    alone = prediction_columns(np.ones((2, 1)), ("a",), None)
    assert list(alone) == ["predicted_label", "confidence", "entropy", "margin"]
    assert alone["margin"].tolist() == [1, 1]
