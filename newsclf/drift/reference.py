"""The reference: what was learnt of the texts that are taken as normal, and the judge of others by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse

from newsclf.drift import concept, covariate, performance, prior, quality
from newsclf.drift.inputs import as_lists, bad_rows, prediction_columns
from newsclf.drift.predictor import LightPredictor, Predictor
from newsclf.drift.verdict import Evidence, Verdict, decide, not_enough_data, not_judged, too_few_filled
from newsclf.features.embedding import EmbeddingMap, at_length_1
from newsclf.features.text_statistics import text_statistics
from newsclf.features.tokens import TokenCounter
from newsclf.features.words import Words
from newsclf.profiling.profile import TextProfile
from newsclf.stats.calibration import calibrated

Embedder = Callable[[Sequence[str], scipy.sparse.csr_matrix], np.ndarray]

LEAST_ROWS = 50  # of a batch
READ_ROWS = 1000  # texts of a batch that a predictor from outside, or the encoder, reads
MOST_WEIGHT = 10.0  # of one text, where it stands for a class that has grown
QUALITY_COLUMNS = ("empty", "missing")


@dataclass(frozen=True)
class Reference:
    """Fitted by `fit_reference`; half of its texts made the map, the other half is what batches are compared with.

    No text is kept, only numbers. held_out: the columns of the second half, one row a text, without its empty texts.
    words: how frequent words are, see `Words.frequencies`.
    labels, probabilities: [held-out rows] class indices and [held-out rows, classes] calibrated predictions, or None.
    profile: of the held-out rows' columns, for `judge_profiles`.
    predictor_name: of the predictor from outside that it was fitted with and that is not kept with it; empty: of none.
    counts: how many of all its `rows` rows were empty, missing or repeated.
    """

    id: str
    encoder: str
    encoder_sha256: str
    map: EmbeddingMap
    words: np.ndarray
    held_out: pd.DataFrame
    classes: tuple[str, ...]
    labels: np.ndarray | None
    probabilities: np.ndarray | None
    light: LightPredictor | None
    temperature: float
    counts: dict[str, int]
    rows: int
    seed: int
    counter: TokenCounter
    embedder: Embedder
    embedding: str
    profile: TextProfile
    predictor_name: str = ""
    predictor: Predictor | None = None

    def judge(
        self,
        texts: Sequence[str | None],
        labels: Sequence[str | None] | None = None,
        alpha: float = 0.05,
        unreadable: int = 0,
        least_rows: int = LEAST_ROWS,
    ) -> Verdict:
        """Whether these texts have drifted from the reference, by kind.

        alpha: the probability that anything at all is called a drift where nothing has changed.
        unreadable: rows of the batch that could not be read and are not among the texts.
        With fewer than `least_rows` texts the verdict is "not enough data".
        """
        rows = len(texts) + unreadable
        texts, labels = as_lists(texts, labels)
        if labels is not None and not any(labels):
            labels = None
        if rows < least_rows:
            return not_enough_data(rows, least_rows, alpha)
        evidence = [quality.judge(self._bad_rows(texts, labels, unreadable), rows, self.counts, self.rows)]
        batch = self._read(texts, labels)
        if batch.filled < least_rows:
            return too_few_filled(evidence[0], batch.filled, least_rows, rows, alpha)
        shares = self._class_shares(batch)
        evidence.append(covariate.judge(batch.tested, self._tested(), self._weights(shares)))
        evidence.append(self._prior(batch, shares))
        evidence.append(self._concept(batch, self._weights(shares)))
        evidence.append(self._performance(batch))
        return decide(evidence, rows, alpha)

    def columns(self, texts: Sequence[str | None], labels: Sequence[str | None] | None = None) -> pd.DataFrame:
        """What a profile holds of these texts, one row a text: statistics, the map, labels, predictions.

        What cannot be said of a row is NaN (numbers) or None (labels).
        """
        texts, labels = as_lists(texts, labels)
        statistics, counts = self._statistics(texts)
        embedded = self._embed(texts, counts)
        frame = pd.concat([statistics, self.map.columns(counts, embedded)], axis=1)
        if labels is not None:
            frame["label"] = pd.Series(labels, dtype=object)
        chosen = np.flatnonzero((statistics["empty"] == 0).to_numpy())
        predicted, chosen = self._predict([texts[row] or "" for row in chosen], embedded[chosen], chosen)
        if predicted is not None and len(chosen):
            known = None if labels is None else self._known([labels[row] for row in chosen])
            frame = frame.join(prediction_columns(predicted, self.classes, known).set_axis(frame.index[chosen]))
        return frame

    def embed(self, texts: Sequence[str | None]) -> np.ndarray:
        """Coordinates [rows, directions] of texts along the map's directions."""
        texts, _ = as_lists(texts, None)
        _, counts = self._statistics(texts)
        return (self._embed(texts, counts) - self.map.mean) @ self.map.directions

    def _statistics(self, texts: Sequence[str | None]) -> tuple[pd.DataFrame, scipy.sparse.csr_matrix]:
        strings = [text or "" for text in texts]
        counts = self.counter.counts(strings)
        statistics = text_statistics(texts, _Counted(self.counter.numbers_of(counts)))
        return pd.concat([statistics, Words().columns(strings, self.words)], axis=1), counts

    def _read(self, texts: Sequence[str | None], labels: Sequence[str | None] | None) -> _Batch:
        """The batch without its empty texts."""
        statistics, counts = self._statistics(texts)
        kept = np.flatnonzero((statistics["empty"] == 0).to_numpy())
        filled = len(kept)
        if self.embedding == "encoder":
            kept = self._drawn(kept)
        embedded = self._embed([texts[row] for row in kept], counts[kept])
        columns = pd.concat(
            [statistics.iloc[kept].reset_index(drop=True), self.map.columns(counts[kept], embedded)], axis=1
        )
        known = None
        if labels is not None and self.labels is not None:
            known = self._known([labels[row] for row in kept])
        probabilities, rows = self._predict([texts[row] or "" for row in kept], embedded, np.arange(len(kept)))
        return _Batch(columns, known, probabilities, rows, filled)

    def _predict(
        self, texts: list[str], embedded: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray]:
        """Calibrated probabilities of the texts, or of a sample of them; and the rows that were read."""
        if self.light is not None:
            return calibrated(self.light(embedded), self.temperature), rows
        if self.predictor is None or not texts:
            return None, rows[:0]
        chosen = self._drawn(np.arange(len(texts)))
        return calibrated(self.predictor([texts[row] for row in chosen]), self.temperature), rows[chosen]

    def _embed(self, texts: Sequence[str | None], counts: scipy.sparse.csr_matrix) -> np.ndarray:
        return at_length_1(self.embedder([text or "" for text in texts], counts))

    def _drawn(self, rows: np.ndarray) -> np.ndarray:
        """At most READ_ROWS of the rows, drawn by the seed, in their order: what a forward pass may cost."""
        if len(rows) <= READ_ROWS:
            return rows
        return np.sort(np.random.default_rng(self.seed).choice(rows, READ_ROWS, replace=False))

    def _known(self, labels: Sequence[str | None]) -> np.ndarray:
        """Class indices of the labels, -1 for those that the reference does not know."""
        place = {name: number for number, name in enumerate(self.classes)}
        return np.array([place.get(str(label), -1) for label in labels], dtype=np.int64)

    def _tested(self) -> pd.DataFrame:
        return self.held_out.drop(columns=[name for name in QUALITY_COLUMNS if name in self.held_out])

    def _class_shares(self, batch: _Batch) -> np.ndarray | None:
        """[classes] shares in the batch: of its labels, else estimated; None where neither can be."""
        if batch.labels is not None and (batch.labels >= 0).any():
            counts = np.bincount(batch.labels[batch.labels >= 0], minlength=len(self.classes))
            return counts / counts.sum()
        if batch.probabilities is None or self.labels is None:
            return None
        return prior.corrected_shares(batch.probabilities, self._shares_before())

    def _shares_before(self) -> np.ndarray:
        assert self.labels is not None
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return counts / counts.sum()

    def _weights(self, shares: np.ndarray | None) -> np.ndarray:
        if shares is None or self.labels is None:
            return np.ones(len(self.held_out))
        before = self._shares_before()
        ratio = np.minimum(shares / np.maximum(before, 1e-9), MOST_WEIGHT)
        return np.maximum(ratio[self.labels], 1e-6)

    def _prior(self, batch: _Batch, shares: np.ndarray | None) -> Evidence:
        if self.labels is None:
            return not_judged("prior", "The reference has no labels.")
        if len(self.classes) < 2:
            return not_judged("prior", "The reference has one class only.")
        if batch.labels is not None:
            known = batch.labels[batch.labels >= 0]
            if not len(known):
                return not_judged("prior", "No label of the batch is one of the reference's.")
            return prior.judge(self._count(known), self._count(self.labels), self.classes)
        if batch.probabilities is None or self.probabilities is None or shares is None:
            return not_judged("prior", "There are neither labels nor a predictor.")
        now, before = batch.probabilities.argmax(axis=1), self.probabilities.argmax(axis=1)
        estimated = (shares, self._shares_before())
        return prior.judge(self._count(now), self._count(before), self.classes, estimated)

    def _concept(self, batch: _Batch, weights: np.ndarray) -> Evidence:
        agreement = self._agreement(batch)
        if agreement is None:
            return not_judged("concept", "It takes labels on both sides and a predictor to see it.")
        assert self.labels is not None
        assert self.probabilities is not None
        return concept.judge(*agreement, self.labels, self.probabilities, weights, self.classes)

    def _performance(self, batch: _Batch) -> Evidence:
        if self.probabilities is None or self.labels is None or batch.probabilities is None:
            return not_judged("performance", "There is no predictor with labels to measure it by.")
        correct = self.probabilities.argmax(axis=1) == self.labels
        agreement = self._agreement(batch)
        if agreement is not None:
            labels, probabilities = agreement
            return performance.judge_measured(labels == probabilities.argmax(axis=1), correct)
        return performance.judge_estimated(
            batch.probabilities.max(axis=1), self.probabilities.max(axis=1), float(correct.mean())
        )

    def _agreement(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray] | None:
        """Labels and calibrated predictions of the rows that have both."""
        if batch.labels is None or batch.probabilities is None or self.probabilities is None:
            return None
        labels = batch.labels[batch.predicted_rows]
        known = labels >= 0
        return (labels[known], batch.probabilities[known]) if known.any() else None

    def _count(self, labels: np.ndarray) -> np.ndarray:
        return np.bincount(labels, minlength=len(self.classes))

    def _bad_rows(
        self, texts: Sequence[str | None], labels: Sequence[str | None] | None, unreadable: int
    ) -> dict[str, int]:
        counts = bad_rows(texts) | {"unreadable": unreadable}
        if labels is not None and self.labels is not None:
            known = set(self.classes)
            counts["unknown_class"] = sum(label is not None and str(label) not in known for label in labels)
        return counts


@dataclass(frozen=True)
class _Counted:
    """Token numbers that are known already, for `text_statistics`."""

    numbers: tuple[np.ndarray, np.ndarray]

    def token_numbers(self, _: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return self.numbers


@dataclass(frozen=True)
class _Batch:
    """A batch without its empty texts, or a sample of it.

    labels: class indices, -1 for others; probabilities: of `predicted_rows`; filled: all its texts that are not empty.
    """

    columns: pd.DataFrame
    labels: np.ndarray | None
    probabilities: np.ndarray | None
    predicted_rows: np.ndarray
    filled: int

    @property
    def tested(self) -> pd.DataFrame:
        return self.columns.drop(columns=list(QUALITY_COLUMNS))
