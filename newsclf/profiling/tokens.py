"""Tokens of texts, counted with the encoder's own tokenizer; no model and no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from newsclf.errors import InputError

LONGEST = 20_000  # characters of a text that are read: a book in one row must not stop a batch
REMEMBERED = 500_000  # words; news has about 10,000 new ones in 10,000 texts
# str.split() parts words here, BERT's normaliser drops these characters without parting anything.
PARTED_OTHERWISE = re.compile("[\v\f\x1c-\x1f\x85\u2028\u2029\ufffd\0]")


class TokenCounter:
    """Counts the tokens of texts. Special tokens ([CLS], </s>) are not counted.

    A tokenizer of BERT's kind cuts every word by itself, so a word's tokens are remembered and a text costs a
    look-up a word. Other tokenizers read every text.
    """

    def __init__(self, folder: Path) -> None:
        """folder: an encoder's files, with tokenizer.json. Raises InputError where it cannot be read."""
        from tokenizers import Tokenizer
        from tokenizers.pre_tokenizers import BertPreTokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises plain Exception
            raise InputError(f"encoder {folder}: tokenizer.json cannot be read ({error})") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.vocabulary_size: int = self._tokenizer.get_vocab_size()
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown = self._tokenizer.token_to_id(unknown) if unknown else None
        self._by_word = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)
        self._place: dict[str, int] = {}  # of a word in _ids and _numbers
        self._ids: list[list[int]] = []
        self._numbers = np.empty((0, 2), np.int64)

    def token_numbers(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of each text, and how many of them are unknown to the encoder: [rows] and [rows], int64."""
        words, ends = self._words(texts)
        sums = np.zeros((len(words) + 1, 2), np.int64)
        np.cumsum(self._numbers[words], axis=0, out=sums[1:])
        numbers = np.diff(sums[ends], axis=0, prepend=0)
        return numbers[:, 0], numbers[:, 1]

    def counts(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """How often each token stands in each text: [rows, vocabulary], float32."""
        words, ends = self._words(texts)
        lengths = self._numbers[words, 0]
        tokens = np.fromiter((token for word in words.tolist() for token in self._ids[word]), np.int32, lengths.sum())
        starts = np.concatenate(([0], np.cumsum(lengths)))[np.concatenate(([0], ends))]
        matrix = scipy.sparse.csr_matrix(
            (np.ones(len(tokens), np.float32), tokens, starts), shape=(len(texts), self.vocabulary_size)
        )
        matrix.sum_duplicates()
        return matrix

    def _words(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The places of all words of all texts, one after the other, and where each text ends among them."""
        parted = [self._parts(text) for text in texts]
        flat = [word for words in parted for word in words]
        if len(self._place) > REMEMBERED:
            self._place, self._ids, self._numbers = {}, [], np.empty((0, 2), np.int64)
        new = list(dict.fromkeys(word for word in flat if word not in self._place))
        if new:
            self._learn(new)
        places = np.fromiter(map(self._place.__getitem__, flat), np.int64, len(flat))
        return places, np.cumsum([len(words) for words in parted], dtype=np.int64)

    def _parts(self, text: str) -> Iterable[str]:
        text = text[:LONGEST]
        if not self._by_word or PARTED_OTHERWISE.search(text):
            return (text,)
        return text.split()

    def _learn(self, words: list[str]) -> None:
        # A lone surrogate cannot be written as UTF-8: it becomes a question mark.
        clean = [word.encode("utf-8", "replace").decode("utf-8") for word in words]
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(clean, add_special_tokens=False)]
        first = len(self._ids)
        self._place.update((word, first + number) for number, word in enumerate(words))
        self._ids += ids
        numbers = np.array([(len(tokens), tokens.count(self._unknown)) for tokens in ids], np.int64)
        self._numbers = np.concatenate((self._numbers, numbers))
