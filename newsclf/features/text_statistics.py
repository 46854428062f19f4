"""What can be counted in a text: its length, its kinds of characters, its tokens. All texts at once, one row a text."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol

import numpy as np
import pandas as pd

# The columns of `text_statistics`, in their order, and what they say.
STATISTICS = {
    "characters": "Unicode code points",
    "words": "runs of characters that are not white space, as in str.split()",
    "tokens": "tokens that the encoder's tokenizer makes of the whole text, without special ones",
    "tokens_per_word": "tokens / words",
    "uppercase_share": "upper-case letters (Unicode category Lu) among the characters that are not white space",
    "digit_share": "decimal digits (Nd) among them",
    "punctuation_share": "punctuation (P*) among them",
    "non_ascii_share": "characters above U+007F among them",
    "unknown_token_share": "tokens that stand for what the vocabulary lacks, among all tokens",
    "ends_in_punctuation": "1 where the last of these characters ends a sentence, a quote or a bracket, else 0",
    "empty": "1 for a text without any such character, and for a missing one, else 0",
    "missing": "1 for a missing text (None, NaN), else 0",
}
TOKEN_COLUMNS = ("tokens", "tokens_per_word", "unknown_token_share")

ENDINGS = frozenset(".!?…\"'”’»›)]}。！？」』）")  # noqa: RUF001

SPACE, VISIBLE_NON_ASCII, UPPER, DIGIT, PUNCTUATION, ENDING = (np.uint8(1 << bit) for bit in range(6))
# Higher planes hold ideographs, private use and format characters: none that is counted here.
LAST_CLASSIFIED = 0x1FFFF
# Characters that are looked at together: many, so that numpy's calls are cheap, but few enough for a processor's cache.
BLOCK = 1 << 17


class CountsTokens(Protocol):
    """What counts tokens, such as `newsclf.profiling.tokens.TokenCounter`."""

    def token_numbers(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(tokens, unknown tokens) of each text, two arrays of shape (texts,)."""
        ...


def text_statistics(texts: Sequence[str | None], tokens: CountsTokens | None = None) -> pd.DataFrame:
    """The columns of STATISTICS as float32, one row a text; without `tokens`, TOKEN_COLUMNS are left out.

    Shares lie in 0..1. A share of nothing (in an empty text), and tokens per no words, are NaN: empty texts are
    counted by `empty` and move no other share. Any string will do: a NUL or a lone surrogate is a character.
    """
    given = pd.Series(list(texts), dtype=object)
    null = given.isna().to_numpy()
    strings: list[str] = given.where(~null, "").tolist()
    counts = np.concatenate([np.zeros((0, 8)), *map(_count, _blocks(strings))])
    characters, words, visible, non_ascii, upper, digits, punctuation, ends = counts.T

    columns = {
        "characters": characters,
        "words": words,
        "uppercase_share": _ratio(upper, visible),
        "digit_share": _ratio(digits, visible),
        "punctuation_share": _ratio(punctuation, visible),
        "non_ascii_share": _ratio(non_ascii, visible),
        "ends_in_punctuation": ends,
        "empty": visible == 0,
        "missing": null,
    }
    if tokens is not None:
        numbers, unknown = tokens.token_numbers(strings)
        columns["tokens"] = numbers
        columns["tokens_per_word"] = _ratio(numbers, words)
        columns["unknown_token_share"] = _ratio(unknown, numbers)
    return pd.DataFrame({name: np.asarray(columns[name], np.float32) for name in STATISTICS if name in columns})


def _blocks(texts: list[str]) -> Iterator[list[str]]:
    """`texts` in their order, in lists of about BLOCK characters; a longer text may stand alone."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    bounds = np.flatnonzero(np.diff(np.cumsum(sizes) // BLOCK)) + 1
    for begin, end in zip([0, *bounds], [*bounds, len(texts)], strict=True):
        if end > begin:
            yield texts[begin:end]


def _count(texts: list[str]) -> np.ndarray:
    """For each text: characters, words, visible characters, of these non-ASCII, upper, digits, punctuation; and
    whether it ends in one of ENDINGS. Shape (texts, 8)."""
    # Every text owns the space behind it, so that none is of length 0 (reduceat would miscount it) and none runs
    # into the next one.
    sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    codes = np.frombuffer((" ".join(texts) + " ").encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    begins = np.cumsum(sizes) - sizes
    kinds = _kinds()[np.minimum(codes, LAST_CLASSIFIED + 1)]

    def number_of(mask: np.ndarray) -> np.ndarray:
        return np.add.reduceat(mask, begins, dtype=np.int64)

    seen = (kinds & SPACE) == 0
    first_of_word = seen.copy()
    first_of_word[1:] &= ~seen[:-1]
    visible = number_of(seen)
    places = np.flatnonzero(seen)
    last = places[np.cumsum(visible) - 1] if len(places) else begins
    ends = (visible > 0) & ((kinds[last] & ENDING) != 0)
    flags = (VISIBLE_NON_ASCII, UPPER, DIGIT, PUNCTUATION)
    return np.column_stack(
        [sizes - 1, number_of(first_of_word), visible, *(number_of((kinds & flag) != 0) for flag in flags), ends]
    )


@cache
def _kinds() -> np.ndarray:
    """The flags of every code point up to LAST_CLASSIFIED, and of all higher ones; uint8, [LAST_CLASSIFIED + 2]."""
    kinds = np.zeros(LAST_CLASSIFIED + 2, dtype=np.uint8)
    kinds[0x80:] = VISIBLE_NON_ASCII
    for code, character in enumerate(map(chr, range(LAST_CLASSIFIED + 1))):
        category = unicodedata.category(character)
        if character.isspace():
            kinds[code] = SPACE
        elif category == "Lu":
            kinds[code] |= UPPER
        elif category == "Nd":
            kinds[code] |= DIGIT
        elif category[0] == "P":
            kinds[code] |= PUNCTUATION
    for character in ENDINGS:
        kinds[ord(character)] |= ENDING
    return kinds


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where `whole` is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=np.asarray(whole) > 0)
