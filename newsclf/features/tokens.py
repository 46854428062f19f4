"""Tokens of texts, counted with the encoder's own tokenizer; no model and no torch."""

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from newsclf.errors import InputError
from newsclf.features.plain_text import panics_told, token_ids
from newsclf.untrusted import check_tokenizer

MAX_CHARACTERS = 1_000_000  # of a text that are read: a broken file in one row must not stop a batch
UNKNOWN = 1 << 32  # two numbers in one
MAX_REMEMBERED = 500_000  # words; news has about 10,000 new ones in 10,000 texts
# str.split() parts words here, BERT's normaliser drops these characters without parting anything.
PARTED_OTHERWISE = re.compile("[\v\f\x1c-\x1f\x85\u2028\u2029\ufffd\0]")


class TokenCounter:
    """Counts the tokens of texts. There are no special tokens ([CLS], </s>): one written in a text is words.

    A tokenizer of BERT's kind cuts every word by itself, so a word's tokens are remembered and a text costs a
    look-up a word. Other tokenizers read every text.
    """

    def __init__(self, folder: Path) -> None:
        """folder: an encoder's files, with tokenizer.json. Raises InputError where it cannot be read."""
        from tokenizers import Tokenizer
        from tokenizers.pre_tokenizers import BertPreTokenizer

        try:
            check_tokenizer(folder)
            with panics_told():
                self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises plain Exception
            raise InputError(f"encoder {folder}: tokenizer.json cannot be read ({error})") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.vocabulary_size: int = max(self._tokenizer.get_vocab().values(), default=0) + 1
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown = self._tokenizer.token_to_id(unknown) if unknown else None
        self._by_word = isinstance(self._tokenizer.pre_tokenizer, BertPreTokenizer)
        self._ids: dict[str, list[int]] = {}
        self._numbers: dict[str, int] = {}  # tokens of a word, and its unknown ones times UNKNOWN

    def token_numbers(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of each text, and how many of them are unknown to the encoder: [rows] and [rows], int64."""
        parted = self._parts(texts)
        self._learn(parted)
        number = self._numbers.__getitem__
        both = np.fromiter((sum(map(number, words)) for words in parted), np.int64, len(parted))
        return both % UNKNOWN, both // UNKNOWN

    def numbers_of(self, counts: scipy.sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """As `token_numbers`, of texts that have been counted already."""
        tokens = np.asarray(counts.sum(axis=1)).ravel().astype(np.int64)
        if self._unknown is None:
            return tokens, np.zeros_like(tokens)
        return tokens, counts[:, [self._unknown]].toarray().ravel().astype(np.int64)

    def counts(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """How often each token stands in each text: [rows, vocabulary], float32."""
        parted = self._parts(texts)
        self._learn(parted)
        ids = self._ids.__getitem__
        rows = [list(chain.from_iterable(map(ids, words))) for words in parted]
        starts = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
        tokens = np.fromiter(chain.from_iterable(rows), np.int32, starts[-1])
        matrix = scipy.sparse.csr_matrix(
            (np.ones(len(tokens), np.float32), tokens, starts), shape=(len(texts), self.vocabulary_size)
        )
        matrix.sum_duplicates()
        return matrix

    def _parts(self, texts: Sequence[str]) -> list[Sequence[str]]:
        """Each text as what is tokenised by itself: its words, or all of it."""
        read = [text[:MAX_CHARACTERS] for text in texts]
        if not self._by_word:
            return [(text,) for text in read]
        if PARTED_OTHERWISE.search("".join(read)) is None:
            return [text.split() for text in read]
        return [(text,) if PARTED_OTHERWISE.search(text) else text.split() for text in read]

    def _learn(self, parted: Sequence[Sequence[str]]) -> None:
        if not self._by_word or len(self._ids) > MAX_REMEMBERED:  # whole texts seldom come again, and are long
            self._ids, self._numbers = {}, {}
        new = list(set().union(*parted).difference(self._ids))
        for word, ids in zip(new, token_ids(self._tokenizer, new, add_special_tokens=False), strict=True):
            self._ids[word] = ids
            unknown = 0 if self._unknown is None else ids.count(self._unknown)
            self._numbers[word] = len(ids) + UNKNOWN * unknown
