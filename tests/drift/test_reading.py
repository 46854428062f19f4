"""What is measured in a text, and that only the rows that are asked for are embedded."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from newsclf.drift import Reference
from newsclf.drift.reading import TextReader


def test_only_the_rows_that_are_asked_for_are_embedded(reference: Reference) -> None:
    seen: list[list[str]] = []

    def embed(texts: Sequence[str], counts: Any) -> np.ndarray:
        seen.append(list(texts))
        return reference.reader.embedder(texts, counts)

    reader: TextReader = replace(reference.reader, embedder=embed)
    texts = ["The team won the final.", None, "Oil prices fell.", ""]
    columns, embedded = reader.columns(texts, np.array([0, 2]))
    assert seen == [["The team won the final.", "Oil prices fell."]]
    assert embedded.shape[0] == 2
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-5)
    assert columns["distance"].notna().tolist() == [True, False, True, False]
    assert columns["words"].tolist() == [5, 0, 3, 0]
    assert columns["empty"].tolist() == [0, 1, 0, 1]


def test_a_text_has_the_same_columns_in_any_company(reference: Reference) -> None:
    texts = ["The team won the final.", "Oil prices fell."]
    both, _ = reference.reader.columns(texts, np.array([0, 1]))
    alone, _ = reference.reader.columns(texts[1:], np.array([0]))
    np.testing.assert_allclose(both.iloc[1].to_numpy(float), alone.iloc[0].to_numpy(float), rtol=1e-5, equal_nan=True)
