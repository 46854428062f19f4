"""What a model said of each test row, kept without the texts, so that runs can be compared row by row afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

FILE = "predictions.parquet"
PROBABILITY = "probability_"


@dataclass(frozen=True)
class Predictions:
    """rows: [rows] uint64, a fingerprint of each text; labels: [rows] class indices; probabilities: [rows, classes].

    Probabilities are float32, in the order of `classes`.
    """

    rows: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls, texts: Sequence[str], labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
    ) -> Predictions:
        return cls(row_fingerprints(texts), np.asarray(labels), probabilities.astype(np.float32), tuple(classes))

    @property
    def predicted(self) -> np.ndarray:
        """[rows] class indices."""
        return self.probabilities.argmax(axis=1)

    @property
    def test(self) -> str:
        """SHA-256 (hex) of the labelled rows in whatever order: what shares it can be compared row by row."""
        inside = self.in_order()
        digest = hashlib.sha256(inside.rows.astype("<u8").tobytes())
        for label in inside.labels:
            digest.update(inside.classes[label].encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    def in_order(self, classes: Sequence[str] | None = None) -> Predictions:
        """The rows in the order of their fingerprints and labels; the classes in the given order (default: sorted).

        Raises KeyError where `classes` lacks one. Rows with the same text and label have the same prediction, so
        that their order among themselves does not matter.
        """
        chosen = tuple(classes or sorted(self.classes))
        place = {name: number for number, name in enumerate(chosen)}
        new = np.array([place[name] for name in self.classes])
        probabilities = np.zeros((len(self.rows), len(chosen)), np.float32)
        probabilities[:, new] = self.probabilities
        labels = new[self.labels]
        order = np.lexsort((labels, self.rows))
        return Predictions(self.rows[order], labels[order], probabilities[order], chosen)

    def write(self, path: Path, identity: pd.DataFrame | None = None) -> None:
        """A Parquet file with the columns row, label, predicted, and probability_<class> of each class.

        identity: [rows] columns of text by which the rows are told apart; they come last, and `read` leaves them out.
        """
        names = pa.array(self.classes, pa.string())

        def named(indices: np.ndarray) -> pa.DictionaryArray:
            return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), names)

        columns = {"row": pa.array(self.rows), "label": named(self.labels), "predicted": named(self.predicted)}
        for index, name in enumerate(self.classes):
            columns[f"{PROBABILITY}{name}"] = pa.array(np.ascontiguousarray(self.probabilities[:, index]))
        if identity is not None:
            columns |= {str(column): pa.array(values, pa.string()) for column, values in identity.items()}
        parquet.write_table(pa.table(columns), path, compression="zstd", use_dictionary=["label", "predicted"])

    @classmethod
    def read(cls, path: Path) -> Predictions:
        table = parquet.read_table(path)
        kept = [name for name in table.column_names if name.startswith(PROBABILITY)]
        classes = tuple(name.removeprefix(PROBABILITY) for name in kept)
        place = {name: number for number, name in enumerate(classes)}
        return cls(
            table["row"].to_numpy(),
            np.array([place[name] for name in table["label"].to_pylist()], np.int64),
            np.stack([table[name].to_numpy() for name in kept], axis=1),
            classes,
        )


def row_fingerprints(texts: Sequence[str]) -> np.ndarray:
    """[rows] uint64: the first 8 bytes of each text's BLAKE2b; a million texts share one with a chance of 3e-8."""
    digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
