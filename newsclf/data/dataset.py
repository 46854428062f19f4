"""The labelled text that leaves this room, and its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class RawData:
    """What a source reads, before its rows are checked and its splits are made.

    Every frame has the columns `text` (str) and `label` (str, or None where it is missing). For messages, its
    index says where each row stands, in the unit that `index.name` names ("line" or "row"). Of a table there is a
    column `place` as well: "news.csv:17".
    """

    source: str
    train: pd.DataFrame
    test: pd.DataFrame | None = None
    validation: pd.DataFrame | None = None
    classes: tuple[str, ...] = ()  # empty: the sorted labels of train
    # A published data set keeps its test split as it is, so that figures compare with the literature;
    # its bad training rows are dropped and counted. A user's own table follows `bad_rows`.
    published: bool = False
    warnings: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Labelled text in three splits.

    name: the `dataset` option it was loaded by.
    classes: the labels in their order; a label's place is its class index.
    splits: `train`, `validation` and `test` (or `all`, of a table that is not split), each a frame with the
        columns `text` (str) and `label` (str, one of `classes`) and a RangeIndex; `weight` (int) where rows have one.
    source: the path or URI it came from, without secrets.
    notes: rows dropped, by reason. Reasons with the prefix `test_` count rows of the test table.
    warnings: one-line remarks for people.
    tags: facts for the run, such as `ag_news.checksum`.
    identity: of the rows of each split, in their order, `row_id` and the columns that are kept; see `identity_of`.
    """

    name: str
    classes: tuple[str, ...]
    splits: dict[str, pd.DataFrame]
    source: str
    notes: dict[str, int]
    warnings: tuple[str, ...]
    tags: dict[str, str]
    identity: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of classes, split names, texts, labels and weights (where there are any), in their order.

        Two data sets share it only if all of these are equal.
        """
        digest = hashlib.sha256()
        _add(digest, self.classes)
        for name, split in self.splits.items():
            _add(digest, [name])
            _add(digest, split["text"].tolist())
            _add(digest, split["label"].tolist())
            if "weight" in split:
                _add(digest, [str(weight) for weight in split["weight"]])
        return digest.hexdigest()


def fingerprint_texts(texts: Iterable[str]) -> str:
    """SHA-256 (hex) of `texts` in their order; 50,000 news items take about 0.05 s."""
    digest = hashlib.sha256()
    _add(digest, list(texts))
    return digest.hexdigest()


def _add(digest: hashlib._Hash, texts: Sequence[str]) -> None:
    # Every text stands behind its length, every list behind its count: ["ab", "c"] and ["a", "bc"] differ.
    digest.update(len(texts).to_bytes(8, "little"))
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
