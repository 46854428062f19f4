"""Texts, labels and predictions as the drift room takes them: lists by place, and columns of one row a text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from newsclf.errors import InputError


def as_lists(
    texts: Sequence[str | None], labels: Sequence[str | None] | None
) -> tuple[list[str | None], list[str | None] | None]:
    """Both by place, whatever index they have, with None for what is missing (pandas has NaN).

    >>> as_lists(pd.Series(["news", None], index=[7, 3]), None)
    (['news', None], None)
    """
    if labels is not None and len(labels) != len(texts):
        raise InputError(f"{len(texts)} texts and {len(labels)} labels: give one label a text")

    def listed(values: Sequence[str | None]) -> list[str | None]:
        column = pd.Series(list(values), dtype=object)
        found: list[Any] = column.where(column.notna(), None).tolist()
        return found

    return listed(texts), None if labels is None else listed(labels)


def labelled(
    texts: Sequence[str | None], labels: Sequence[str | None] | None
) -> tuple[list[str | None], list[str] | None]:
    """As `as_lists`, where every row has a label or none has."""
    rows, marks = as_lists(texts, labels)
    known = None if marks is None else [mark for mark in marks if mark is not None]
    if known is not None and (missing := len(rows) - len(known)):
        raise InputError(f"{missing:,} of {len(rows):,} labels of the reference are missing: leave their rows out")
    return rows, known


def filled_rows(texts: Sequence[str | None]) -> np.ndarray:
    """Ascending positions of the texts that are not empty: those with a character that is no white space.

    >>> filled_rows(["news", None, " ", "more"]).tolist()
    [0, 3]
    """
    return np.flatnonzero([bool(text and text.strip()) for text in texts])


def spaced(count: int, most: int) -> np.ndarray:
    """Ascending positions of at most `most` of `count` rows, evenly spaced.

    >>> spaced(10, 4).tolist(), spaced(2, 4).tolist()
    ([0, 3, 6, 9], [0, 1])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def bad_rows(texts: Sequence[str | None]) -> dict[str, int]:
    """How many texts are missing, empty (missing ones too), and equal to one before them (but empty ones).

    >>> bad_rows(["news", "news", None, " "])
    {'empty': 2, 'missing': 1, 'duplicate': 1}
    """
    filled = [text for text in texts if text and text.strip()]
    missing = sum(text is None for text in texts)
    return {"empty": len(texts) - len(filled), "missing": missing, "duplicate": len(filled) - len(set(filled))}


def prediction_columns(probabilities: np.ndarray, classes: Sequence[str], labels: np.ndarray | None) -> pd.DataFrame:
    """predicted_label, confidence (0..1), entropy (nats), margin (0..1) of probabilities [rows, classes].

    With labels (class indices, -1 unknown): label_probability (0..1) and correct (0 or 1) as well.

    >>> columns = prediction_columns(np.array([[0.75, 0.25]]), ("Business", "World"), np.array([1]))
    >>> columns["predicted_label"][0], columns["margin"][0], columns["label_probability"][0], columns["correct"][0]
    ('Business', 0.5, 0.25, 0.0)
    """
    ordered, predicted = np.sort(probabilities, axis=1), probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "predicted_label": np.asarray(classes, dtype=object)[predicted],
        "confidence": ordered[:, -1],
        "entropy": -(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1),
        "margin": ordered[:, -1] - ordered[:, -2] if len(classes) > 1 else ordered[:, -1],
    }
    if labels is not None:
        likely = probabilities[np.arange(len(labels)), labels]
        columns["label_probability"] = np.where(labels >= 0, likely, np.nan)
        columns["correct"] = np.where(labels >= 0, predicted == labels, np.nan)
    numbers = [name for name in columns if name != "predicted_label"]
    return pd.DataFrame(columns).astype(dict.fromkeys(numbers, np.float32))
