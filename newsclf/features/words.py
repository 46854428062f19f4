"""How usual the words of a text are in the reference, and the one that it ends in."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

BUCKETS = 1 << 20  # a news corpus has about 30,000 words: 3 % of new words share a bucket with a known one
AROUND = "\"'`“”‘’«»()[]{}<>.,;:!?…*_-=+~|/\\#"  # noqa: RUF001 (what stands around a word and is no part of it)
CLOSING = frozenset(".!?…\"'”’»)]}>:;,-")  # noqa: RUF001 (what a sentence, a quote or a line may end in)
MAX_REMEMBERED = 500_000

# How often a word stands in the reference's texts: in none, in up to 1 %, up to 10 %, more.
UNSEEN, RARE, COMMON, FREQUENT = range(4)
# The column `ending`: what a text ends in. Cut texts end in words that texts do not end in.
PUNCTUATION, NO_WORD, RARE_WORD, COMMON_WORD, UNSEEN_WORD, FREQUENT_WORD = range(6)
ENDING_OF = np.array([UNSEEN_WORD, RARE_WORD, COMMON_WORD, FREQUENT_WORD])  # by how often the word stands there


class WordFrequencies:
    """How usual words are in a reference: runs of non-space, in lower case, without what stands around them.

    frequencies: [BUCKETS] uint8, UNSEEN ... FREQUENT of every bucket of words.

    >>> known = WordFrequencies.fit(["Oil rises.", "Oil falls."])
    >>> known.columns(["oil soars"]).to_dict("list") == {"unseen_word_share": [0.5], "ending": [float(UNSEEN_WORD)]}
    True
    """

    def __init__(self, frequencies: np.ndarray) -> None:
        self.frequencies = frequencies
        self._bucket: dict[str, int] = {}

    @classmethod
    def fit(cls, texts: Sequence[str]) -> WordFrequencies:
        """By the share of these texts that have a word of a bucket in it."""
        words = cls(np.zeros(BUCKETS, np.uint8))
        buckets, lengths = words.buckets(texts)
        rows = np.repeat(np.arange(len(texts)), lengths)
        pairs = np.unique(np.column_stack([rows, buckets])[buckets >= 0], axis=0)
        share = np.bincount(pairs[:, 1], minlength=BUCKETS) / len(texts)
        words.frequencies = ((share > 0).astype(np.uint8) + (share > 0.01) + (share > 0.1)).astype(np.uint8)
        return words

    def buckets(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The bucket of every word of all texts, one after the other (-1: not of letters), and the words of a text."""
        parted = [text.split() for text in texts]
        flat = [word for words in parted for word in words]
        if len(self._bucket) > MAX_REMEMBERED:
            self._bucket = {}
        for word in set(flat).difference(self._bucket):
            bare = word.lower().strip(AROUND)
            bucket = zlib.crc32(bare.encode("utf-8", "surrogatepass")) % BUCKETS if bare.isalpha() else -1
            self._bucket[word] = bucket
        buckets = np.fromiter(map(self._bucket.__getitem__, flat), np.int64, len(flat))
        return buckets, np.array([len(words) for words in parted], np.int64)

    def columns(self, texts: Sequence[str]) -> pd.DataFrame:
        """One row a text, float32.

        unseen_word_share: of its words of letters, those that the reference lacks; NaN without any.
        ending: PUNCTUATION ... FREQUENT_WORD; NaN for an empty text.
        """
        buckets, lengths = self.buckets(texts)
        ends = np.cumsum(lengths)
        known = np.where(buckets >= 0, self.frequencies[buckets], FREQUENT)
        sums = np.zeros((len(buckets) + 1, 2), np.int64)
        np.cumsum(np.column_stack([buckets >= 0, known == UNSEEN]), axis=0, out=sums[1:])
        words, unseen = np.diff(sums[ends], axis=0, prepend=0).T
        share = np.divide(unseen, words, out=np.full(len(texts), np.nan), where=words > 0)

        ending = np.full(len(texts), np.nan)
        there = lengths > 0
        last = ends[there] - 1
        ending[there] = np.where(buckets[last] >= 0, ENDING_OF[known[last]], NO_WORD)
        closed = np.array([text.rstrip()[-1:] in CLOSING for text in texts], bool)
        ending[there & closed] = PUNCTUATION
        return pd.DataFrame({"unseen_word_share": share, "ending": ending}).astype(np.float32)
