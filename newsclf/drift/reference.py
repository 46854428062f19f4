"""The reference: what was learnt of the texts that are taken as normal, and the judge of others by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from newsclf.data.tables.values import as_spelt, class_indices
from newsclf.drift import prior, quality
from newsclf.drift.batch import HeldOut, TextBatch
from newsclf.drift.inputs import as_lists, bad_rows, filled_rows, prediction_columns
from newsclf.drift.kinds import KINDS
from newsclf.drift.predictor import LightPredictor, Predictor
from newsclf.drift.reading import TextReader
from newsclf.drift.verdict import Verdict, combine_evidence, not_enough_data, too_few_filled
from newsclf.profiling.profile import TextProfile
from newsclf.stats.calibration import calibrated

MIN_ROWS = 50  # of a batch
READ_ROWS = 1000  # texts of a batch that a predictor from outside, or the encoder, reads for a verdict


@dataclass(frozen=True)
class Reference:
    """Fitted by `fit_reference`; half of its texts made the map, the other half is what batches are compared with.

    No text is kept, only numbers. held_out: the second half.
    profile: of the held-out rows' columns, for `judge_profiles`.
    embedding: "tokens" or "encoder", see `fit_reference`.
    predictor_name: of the predictor from outside that it was fitted with and that is not kept with it; empty: of none.
    """

    id: str
    encoder: str
    encoder_sha256: str
    embedding: str
    reader: TextReader
    held_out: HeldOut
    light: LightPredictor | None
    temperature: float
    seed: int
    profile: TextProfile
    predictor_name: str = ""
    predictor: Predictor | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        return self.held_out.classes

    def read(
        self,
        texts: Sequence[str | None],
        labels: Sequence[str | None] | None = None,
        unreadable: int = 0,
        judged_only: bool = False,
        repeats_a_batch: bool = False,
    ) -> TextBatch:
        """The texts, each embedded once and predicted at most once: what is judged, profiled and drawn.

        labels: [texts], None or NaN for a missing one. unreadable: rows of the batch that could not be read and are
        not among the texts. A predictor from outside reads at most READ_ROWS texts, drawn by the seed.
        repeats_a_batch: whether all of these rows are those of an earlier batch, which is a fault of their feed.
        judged_only: with embedding "encoder", embed these alone, as no more are judged; the others have NaN.
        """
        texts, labels = as_lists(texts, labels)
        filled = filled_rows(texts)
        drawn = self._drawn(filled)
        judged = drawn if self.embedding == "encoder" else filled
        embedded_rows = judged if judged_only else filled
        columns, embedded = self.reader.columns(texts, embedded_rows)
        counts = (
            bad_rows(texts) | {"unreadable": unreadable} | ({"repeats_a_batch": len(texts)} if repeats_a_batch else {})
        )
        classes = known = None
        if labels is not None:
            classes = self._class_indices(labels)
            columns["label"] = pd.Series(as_spelt(labels, self.classes), dtype=object)
            if self.held_out.labelled is not None and any(labels):
                known = classes
                named = np.array([label is not None for label in labels])
                counts["unknown_class"] = int((named & (classes < 0)).sum())
        predicted, probabilities = filled[:0], None
        if self.light is not None:
            predicted, probabilities = embedded_rows, self.light(embedded)
        elif self.predictor is not None and len(drawn):
            predicted, probabilities = drawn, self.predictor.predict_proba([texts[row] or "" for row in drawn])
        if probabilities is not None:
            probabilities = calibrated(probabilities, self.temperature)
        if probabilities is not None and len(predicted):
            shown = prediction_columns(probabilities, self.classes, None if classes is None else classes[predicted])
            columns = columns.join(shown.set_axis(predicted))
        rows = len(texts) + unreadable
        return TextBatch(texts, columns, known, predicted, probabilities, judged, len(filled), counts, rows)

    def judge(
        self,
        batch: TextBatch | Sequence[str | None],
        labels: Sequence[str | None] | None = None,
        alpha: float = 0.05,
        unreadable: int = 0,
        min_rows: int = MIN_ROWS,
    ) -> Verdict:
        """Whether a batch has drifted from the reference, by kind.

        batch: what `read` gave, or texts, which are read first with these labels and `unreadable`.
        alpha: the probability that anything at all is called a drift where nothing has changed.
        With fewer than `min_rows` texts the verdict is "not enough data".

        >>> from newsclf.drift import fit_reference
        >>> news = [f"Team {number % 9} beats team {number**2 % 11} by {number % 5} goals." for number in range(500)]
        >>> reference = fit_reference(news[:400])
        >>> reference.judge(news[400:]).kinds["covariate"].sentence
        "The texts are like the reference's."
        >>> reference.judge([text.upper() for text in news[400:]]).kind
        'covariate'
        """
        if not isinstance(batch, TextBatch):
            batch = self.read(batch, labels, unreadable, judged_only=True)
        if batch.rows < min_rows:
            return not_enough_data(batch.rows, min_rows, alpha)
        if batch.filled < min_rows:
            return too_few_filled(quality.judge(batch, self.held_out), batch.filled, min_rows, batch.rows, alpha)
        shares = prior.class_shares(batch, self.held_out)
        return combine_evidence([kind.judge(batch, self.held_out, shares) for kind in KINDS], batch.rows, alpha)

    def _drawn(self, rows: np.ndarray) -> np.ndarray:
        """At most READ_ROWS of the rows, drawn by the seed, in their order: what a forward pass may cost."""
        if len(rows) <= READ_ROWS:
            return rows
        return np.sort(np.random.default_rng(self.seed).choice(rows, READ_ROWS, replace=False))

    def _class_indices(self, labels: Sequence[str | None]) -> np.ndarray:
        """Of the labels, -1 for a missing one and for those that the reference does not know."""
        known = class_indices([None if label is None else str(label) for label in labels], self.classes)
        return np.array(known, dtype=np.int64)
