"""Both sides of a comparison: texts as a reference has read them, and the texts that it holds against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from newsclf.drift.words import KnownTerms
from newsclf.profiling.profile import TEXT, TextProfile

MAX_WEIGHT = 10.0  # of one text, where it stands for a class that has grown


@dataclass(frozen=True)
class TextBatch:
    """Texts that were read once by `Reference.read`: judged, profiled and drawn from here.

    texts: as they were given; None for a missing one.
    columns: [texts] statistics, the map's, label and predictions; what is not known of a row is NaN, of a label None.
    labels: [texts] class indices, -1 for a missing or an unknown one; None where the batch or the reference has none.
    predicted_rows, probabilities: positions in `texts`, and [predicted rows, classes], calibrated; None: no predictor.
    judged_rows: positions of the texts that are compared; not the empty ones, and perhaps a sample.
    filled: how many of the texts are not empty.
    bad_rows: how many of `rows` are missing, empty, repeated, unreadable or of an unknown class.
    rows: of the batch, with those that cannot be read, which are not among the texts.
    """

    texts: list[str | None]
    columns: pd.DataFrame
    labels: np.ndarray | None
    predicted_rows: np.ndarray
    probabilities: np.ndarray | None
    judged_rows: np.ndarray
    filled: int
    bad_rows: Mapping[str, int]
    rows: int

    @property
    def known_labels(self) -> np.ndarray | None:
        """The class indices of the judged rows whose label is known; None where there are no labels at all."""
        if self.labels is None:
            return None
        labels = self.labels[self.judged_rows]
        return labels[labels >= 0]

    @property
    def predictions(self) -> np.ndarray | None:
        """[rows, classes] of the rows that are judged and predicted."""
        return None if self.probabilities is None else self.probabilities[self._judged_of_predicted]

    @property
    def labelled(self) -> Labelled | None:
        """The labels and predictions of the judged rows that have both, None where there are none."""
        if self.labels is None or self.predictions is None:
            return None
        labels = self.labels[self.predicted_rows[self._judged_of_predicted]]
        known = labels >= 0
        return Labelled(labels[known], self.predictions[known]) if known.any() else None

    @property
    def _judged_of_predicted(self) -> np.ndarray:
        return np.isin(self.predicted_rows, self.judged_rows)

    def log_to(self, profile: TextProfile) -> None:
        """Add all rows to a profile: their columns, and of their texts how many differ."""
        profile.log(self.columns.assign(**{TEXT: pd.Series(self.texts, dtype=object)}))


@dataclass(frozen=True)
class Labelled:
    """Rows with labels, [rows] class indices, and calibrated predictions, [rows, classes]; None without a predictor."""

    labels: np.ndarray
    probabilities: np.ndarray | None


@dataclass(frozen=True)
class HeldOut:
    """The texts of a reference that did not make its map: what others are compared with. No text is in it.

    columns: one row a text, without the empty ones; labelled: of these rows.
    counts: how many of all `rows` rows of the reference were empty, missing, repeated ...
    terms: in how many texts terms stood; None of a reference that was fitted before 0.3.0.
    """

    columns: pd.DataFrame
    classes: tuple[str, ...]
    labelled: Labelled | None
    counts: Mapping[str, int]
    rows: int
    terms: KnownTerms | None = None

    def count(self, labels: np.ndarray) -> np.ndarray:
        """Rows of each class [classes] among class indices [rows].

        >>> HeldOut(pd.DataFrame(), ("Business", "World"), None, {}, 0).count(np.array([1, 1]))
        array([0, 2])
        """
        return np.bincount(labels, minlength=len(self.classes))

    def weights(self, shares: np.ndarray | None) -> np.ndarray:
        """[rows] that give these texts the class shares [classes] of a batch; ones where they are not known.

        >>> labelled = Labelled(np.array([0, 0, 0, 1]), None)
        >>> held_out = HeldOut(pd.DataFrame(index=range(4)), ("Business", "World"), labelled, {}, 4)
        >>> held_out.weights(np.array([0.5, 0.5])).round(2).tolist()
        [0.67, 0.67, 0.67, 2.0]
        """
        by_class = self.class_weights(shares)
        if by_class is None or self.labelled is None:
            return np.ones(len(self.columns))
        return by_class[self.labelled.labels]

    def class_weights(self, shares: np.ndarray | None) -> np.ndarray | None:
        """[classes] what a text of each class counts, so that classes have these shares; None: all alike."""
        if shares is None or self.labelled is None:
            return None
        counts = self.count(self.labelled.labels)
        ratio = np.minimum(shares / np.maximum(counts / counts.sum(), 1e-9), MAX_WEIGHT)
        return np.maximum(ratio, 1e-6)
