"""The reference: what was learnt of the texts that are taken as normal, and the judge of others by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

from newsclf.drift import concept, covariate, performance, prior, quality
from newsclf.drift.predictor import LightPredictor, Predictor, calibrated, calibration, fit_light
from newsclf.drift.verdict import Evidence, Verdict, decide, not_enough_data, not_judged, too_few_filled
from newsclf.errors import InputError
from newsclf.model.weights import find
from newsclf.profiling.embedding import EmbeddingMap, TokenEmbedder, at_length_1, fit_map, token_vectors, token_weights
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.statistics import text_statistics
from newsclf.profiling.tokens import TokenCounter
from newsclf.profiling.words import Words

Embedder = Callable[[Sequence[str], scipy.sparse.csr_matrix], np.ndarray]

LEAST_TEXTS = 100  # of a reference
LEAST_ROWS = 50  # of a batch
LARGEST = 20_000  # texts of a reference that are used
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
        texts, labels = _as_lists(texts, labels)
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
        texts, labels = _as_lists(texts, labels)
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
        texts, _ = _as_lists(texts, None)
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
        counts = _bad_rows(texts) | {"unreadable": unreadable}
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


def fit_reference(
    texts: Sequence[str | None],
    labels: Sequence[str] | None = None,
    predictor: Predictor | None = None,
    seed: int = 0,
    *,
    held_out: tuple[Sequence[str | None], Sequence[str] | None] | None = None,
    embedding: str = "tokens",
    encoder: str = "minilm",
) -> Reference:
    """The reference of these texts, at most LARGEST of them, drawn by `seed`.

    predictor: what the concept and performance are judged by; without one, and with labels, a light one is fitted.
    held_out: texts (and labels) that the predictor has not been trained on. Without them, half of the texts is held
        out, which is right for the light predictor and for a model that has not seen the texts.
    embedding: "tokens" is the quick form; "encoder" reads every text (of a batch at most READ_ROWS) with the encoder,
        which sees new subjects better and takes some 10 ms a text.
    Raises InputError for too few texts and for labels that do not fit.
    """
    random = np.random.default_rng(seed)
    given = _labelled(texts, labels)
    frames = _halves(given, None if held_out is None else _labelled(*held_out), random)
    named = [label for _, part in frames if part is not None for label in part]
    classes = predictor.classes if predictor is not None else tuple(sorted({str(label) for label in named}))
    if predictor is not None and (strangers := sorted({str(label) for label in named} - set(classes))):
        raise InputError(f"the reference has labels that its predictor does not know: {', '.join(strangers[:5])}")
    files = find(encoder)
    counter = TokenCounter(files.folder)
    place = {name: number for number, name in enumerate(classes)}
    (fitted_texts, fitted_labels), (kept_texts, kept_labels) = (
        (part, None if marks is None else np.array([place[str(mark)] for mark in marks], dtype=np.int64))
        for part, marks in frames
    )
    counts = counter.counts(fitted_texts)
    present = sorted(set(fitted_labels.tolist())) if fitted_labels is not None else []
    everywhere = len(present) == len(classes)
    embedder = make_embedder(embedding, files.folder, token_weights(counts))
    embedded = at_length_1(embedder(fitted_texts, counts))
    fitted_map = fit_map(counts, embedded, fitted_labels if everywhere else None, classes, random)
    light = None
    if predictor is None and fitted_labels is not None and everywhere and len(classes) > 1:
        light = fit_light(embedded, fitted_labels, len(classes))

    bare = Reference(
        id="",
        encoder=encoder,
        encoder_sha256=files.sha256,
        map=fitted_map,
        words=Words().frequencies(fitted_texts),
        held_out=pd.DataFrame(),
        classes=classes,
        labels=kept_labels,
        probabilities=None,
        light=light,
        temperature=1.0,
        counts=_bad_rows(given[0]) | {"unreadable": 0, "unknown_class": 0},
        rows=len(texts),
        seed=seed,
        counter=counter,
        embedder=embedder,
        embedding=embedding,
        profile=TextProfile(),
        predictor_name="" if predictor is None else predictor.name,
        predictor=predictor,
    )
    if embedding == "encoder":  # what is held out is read whole: here alone, so that a batch costs no more than it must
        bare = replace(bare, embedding="tokens")
    batch = replace(bare, predictor=None)._read(kept_texts, None)
    bare = replace(bare, embedding=embedding)
    # Of a model from outside, all held-out texts are predicted, once: the reference is worth it.
    probabilities, temperature = predictor(kept_texts) if predictor else batch.probabilities, 1.0
    if probabilities is not None and kept_labels is not None:
        temperature = calibration(probabilities, kept_labels)
        probabilities = calibrated(probabilities, temperature)
    name = sha256(f"{files.sha256} {seed} {fitted_texts} {kept_texts} {named}".encode("utf-8", "replace")).hexdigest()
    fitted = replace(bare, id=name[:16], held_out=batch.columns, probabilities=probabilities, temperature=temperature)
    return replace(fitted, profile=_profile(fitted, kept_texts))


def _profile(reference: Reference, texts: list[str]) -> TextProfile:
    """The profile of the held-out texts."""
    frame = reference.held_out
    names = np.asarray(reference.classes, dtype=object)
    if reference.labels is not None:
        frame = frame.assign(label=names[reference.labels])
    if reference.probabilities is not None:
        frame = frame.join(prediction_columns(reference.probabilities, reference.classes, reference.labels))
    profile = TextProfile(reference.id, reference.encoder_sha256)
    profile.log(frame.assign(text=texts))
    # Empty rows are not held out, but belong to what is normal: as many of them as all rows have.
    filled = reference.rows - reference.counts["empty"]
    empty, null = (round(reference.counts[name] * len(texts) / filled) for name in ("empty", "missing"))
    nothing: list[str | None] = [None] * null + [""] * (empty - null)
    if nothing:
        profile.log(reference.columns(nothing))
    return profile


def make_embedder(embedding: str, folder: Path, weights: np.ndarray) -> Embedder:
    """The embedder of the form "tokens" or "encoder" with the encoder's files in `folder`."""
    if embedding == "tokens":
        return TokenEmbedder(token_vectors(folder), weights)
    from newsclf.model.embed import EncoderEmbedder

    return EncoderEmbedder(folder)


def _halves(
    given: tuple[list[str | None], list[str] | None],
    held_out: tuple[list[str | None], list[str] | None] | None,
    random: np.random.Generator,
) -> tuple[tuple[list[str], list[str] | None], tuple[list[str], list[str] | None]]:
    """Texts (and labels) that the map is fitted on, and those it is judged by; without empty texts."""
    texts, labels = given
    rows = [row for row in random.permutation(len(texts)).tolist() if texts[row] and str(texts[row]).strip()][:LARGEST]
    first, second = rows, rows
    other_texts, other_labels = held_out or given
    if held_out is None:
        first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    else:
        usable = [row for row in range(len(other_texts)) if other_texts[row] and str(other_texts[row]).strip()]
        second = random.permutation(usable).tolist()[:LARGEST]
    if len(first) < LEAST_TEXTS // 2 or (held_out is None and len(second) < LEAST_TEXTS // 2):
        raise InputError(f"a reference of {len(rows)} texts that are not empty is too small: {LEAST_TEXTS} are needed")
    if len(second) < (least := LEAST_TEXTS // 2):
        raise InputError(f"{len(second)} held-out texts that are not empty are too few for a reference: give {least}")
    return (
        ([str(texts[row]) for row in first], None if labels is None else [labels[row] for row in first]),
        (
            [str(other_texts[row]) for row in second],
            None if other_labels is None else [other_labels[row] for row in second],
        ),
    )


def _as_lists(
    texts: Sequence[str | None], labels: Sequence[str | None] | None
) -> tuple[list[str | None], list[str | None] | None]:
    """Both by place, whatever index they have, with None for what is missing (pandas has NaN)."""
    if labels is not None and len(labels) != len(texts):
        raise InputError(f"{len(texts)} texts and {len(labels)} labels: give one label a text")

    def listed(values: Sequence[str | None]) -> list[str | None]:
        column = pd.Series(list(values), dtype=object)
        found: list[Any] = column.where(column.notna(), None).tolist()
        return found

    return listed(texts), None if labels is None else listed(labels)


def _labelled(
    texts: Sequence[str | None], labels: Sequence[str | None] | None
) -> tuple[list[str | None], list[str] | None]:
    """As `_as_lists`, where every row has a label or none has."""
    rows, marks = _as_lists(texts, labels)
    known = None if marks is None else [mark for mark in marks if mark is not None]
    if known is not None and (missing := len(rows) - len(known)):
        raise InputError(f"{missing:,} of {len(rows):,} labels of the reference are missing: leave their rows out")
    return rows, known


def _bad_rows(texts: Sequence[str | None]) -> dict[str, int]:
    """How many texts are missing, empty (missing ones too), and equal to one before them (but empty ones)."""
    filled = [text for text in texts if text and text.strip()]
    missing = sum(text is None for text in texts)
    return {"empty": len(texts) - len(filled), "missing": missing, "duplicate": len(filled) - len(set(filled))}


def prediction_columns(probabilities: np.ndarray, classes: Sequence[str], labels: np.ndarray | None) -> pd.DataFrame:
    """predicted_label, confidence (0..1), entropy (nats), margin (0..1) of probabilities [rows, classes].

    With labels (class indices, -1 unknown): label_probability (0..1) and correct (0 or 1) as well.
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
