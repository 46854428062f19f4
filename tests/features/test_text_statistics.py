import re
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest

from newsclf.features import text_statistics as statistics
from newsclf.features.text_statistics import STATISTICS, TOKEN_COLUMNS, text_statistics


class Halves:
    """Counts a token for every two characters begun, and every "?" as unknown."""

    def token_numbers(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([(len(t) + 1) // 2 for t in texts]), np.array([t.count("?") for t in texts])


def by_hand(text: str | None) -> dict[str, float]:
    """The same, one text at a time, with Python's own words for it."""
    given, text = text, text or ""
    seen = [c for c in text if not c.isspace()]
    categories = [unicodedata.category(c) for c in seen]
    tokens, unknown, words = (len(text) + 1) // 2, text.count("?"), len(text.split())

    def share(count: int, whole: int) -> float:
        return count / whole if whole else np.nan

    return {
        "characters": len(text),
        "words": words,
        "tokens": tokens,
        "tokens_per_word": share(tokens, words),
        "uppercase_share": share(categories.count("Lu"), len(seen)),
        "digit_share": share(categories.count("Nd"), len(seen)),
        "punctuation_share": share(sum(c[0] == "P" for c in categories), len(seen)),
        "non_ascii_share": share(sum(c > "\x7f" for c in seen), len(seen)),
        "unknown_token_share": share(unknown, tokens),
        "ends_in_punctuation": float(bool(seen) and seen[-1] in statistics.ENDINGS),
        "empty": float(not seen),
        "missing": float(given is None),
    }


TEXTS = [
    "Oil rises 3.5% as OPEC meets.",
    "",
    None,
    " \t\n\u00a0\u2003",
    "no end",
    "ends in a quote \u201d  \n",
    "ÉCOLE Ǆ ǅ ǆ straße 東京 ٣٤ ½ ²",
    "tabs\tand\u00a0no-break\u2028lines",
    "a\0b\0",
    "\0",
    "half \ud83d and \udc00 halves \ud800",
    "\U0001f600\U0001f600 \U0001d400 \U00020000!",
    "...",
    "?",
]


def test_every_column_is_what_python_says_of_each_text():
    found = text_statistics(TEXTS, Halves())
    assert list(found.columns) == list(STATISTICS)
    assert set(map(str, found.dtypes)) == {"float32"}
    for row, text in enumerate(TEXTS):
        expected = by_hand(text)
        assert found.iloc[row].to_dict() == pytest.approx(expected, nan_ok=True, rel=1e-6), repr(text)


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 17])
def test_texts_of_every_length_in_blocks_of_every_size(block, monkeypatch):
    monkeypatch.setattr(statistics, "BLOCK", block)
    random = np.random.default_rng(0)
    alphabet = np.array(list("aB3.,! \n\u00e9\u00a0\u4e2d\U0001f600\ud800"))
    texts = ["".join(random.choice(alphabet, length)) for length in random.integers(0, 40, 300)]
    found = text_statistics(texts, Halves())
    expected = [by_hand(text) for text in texts]
    for name in STATISTICS:
        assert found[name].tolist() == pytest.approx([row[name] for row in expected], nan_ok=True, rel=1e-6), name


def test_without_a_counter_there_are_no_token_columns():
    assert list(text_statistics(["a b"]).columns) == [name for name in STATISTICS if name not in TOKEN_COLUMNS]


@pytest.mark.parametrize("texts", [[], [""], [None, None], [float("nan")]])
def test_nothing_to_count(texts):
    found = text_statistics(texts, Halves())
    assert len(found) == len(texts)
    assert (found["characters"] == 0).all()
    assert found["empty"].all()
    assert found["uppercase_share"].isna().all()


def test_a_text_of_ten_megabytes_among_others():
    found = text_statistics(["before.", "Wort 7! " * 1_250_000, "after"])
    assert found["characters"].tolist() == [7, 10_000_000, 5]
    assert found["words"].tolist() == [1, 2_500_000, 1]
    assert found["ends_in_punctuation"].tolist() == [1, 1, 0]
    assert found["digit_share"].tolist() == pytest.approx([0, 1 / 6, 0])


def test_no_character_above_the_classified_ones_is_counted_as_anything():
    above = range(statistics.LAST_CLASSIFIED + 1, sys.maxunicode + 1)
    counted = re.compile("Lu|Nd|P.|Z.")
    assert not [code for code in above if counted.fullmatch(unicodedata.category(chr(code))) or chr(code).isspace()]
