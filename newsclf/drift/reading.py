"""What a reference measures in a text: counts, words, and where it stands in the embedding space."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse

from newsclf.features.embedding import EmbeddingMap, at_length_1
from newsclf.features.text_statistics import text_statistics
from newsclf.features.tokens import TokenCounter
from newsclf.features.words import WordFrequencies

# Texts and their token counts [texts, vocabulary] to [texts, hidden].
Embedder = Callable[[Sequence[str], scipy.sparse.csr_matrix], np.ndarray]


@dataclass(frozen=True)
class TextReader:
    """Fitted on one half of a reference's texts, of which it keeps numbers alone."""

    counter: TokenCounter
    embedder: Embedder
    map: EmbeddingMap
    words: WordFrequencies

    def columns(self, texts: Sequence[str | None], rows: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        """(one row a text, the embeddings [rows, hidden] of the texts at `rows`).

        rows: ascending positions of the texts that are embedded; the others have NaN in the map's columns.
        """
        strings = [text or "" for text in texts]
        counts = self.counter.counts(strings)
        statistics = text_statistics(texts, _Counted(self.counter.numbers_of(counts)))
        embedded = at_length_1(self.embedder([strings[row] for row in rows], counts[rows]))
        placed = self.map.columns(counts[rows], embedded).set_axis(rows).reindex(range(len(texts)))
        return pd.concat([statistics, self.words.columns(strings), placed], axis=1), embedded


@dataclass(frozen=True)
class _Counted:
    """Token numbers that are known already, for `text_statistics`."""

    numbers: tuple[np.ndarray, np.ndarray]

    def token_numbers(self, _: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return self.numbers
