import zlib

import numpy as np
import pytest

from newsclf.features import words
from newsclf.features.words import (
    BUCKETS,
    COMMON,
    COMMON_WORD,
    FREQUENT,
    FREQUENT_WORD,
    NO_WORD,
    PUNCTUATION,
    RARE,
    RARE_WORD,
    UNSEEN,
    UNSEEN_WORD,
    WordFrequencies,
)


def bucket_of(word: str) -> int:
    return zlib.crc32(word.encode()) % BUCKETS


def test_words_are_told_by_their_letters_alone():
    buckets, lengths = WordFrequencies(np.zeros(BUCKETS, np.uint8)).buckets(
        ['  Oil, "OIL" (oil)... 3 x2 don\'t\n', "", "\t", "— Ölpreise!"]
    )
    oil = bucket_of("oil")
    assert lengths.tolist() == [6, 0, 0, 2]
    assert buckets.tolist() == [oil, oil, oil, -1, -1, -1, -1, bucket_of("ölpreise")]


def test_frequencies_count_texts_and_not_words():
    texts = (
        ["every word"] * 79 + ["every common common common"] * 10 + ["every frequent"] * 110 + ["every rare rare rare"]
    )
    found = WordFrequencies.fit(texts).frequencies
    expected = {
        "every": FREQUENT,
        "word": FREQUENT,
        "frequent": FREQUENT,
        "common": COMMON,
        "rare": RARE,
        "new": UNSEEN,
    }
    assert {word: found[bucket_of(word)] for word in expected} == expected
    assert found.shape == (BUCKETS,)
    assert (found > 0).sum() == 5
    assert WordFrequencies.fit(["rare"] + ["other"] * 99).frequencies[bucket_of("rare")] == RARE, "1 % is still rare"
    assert WordFrequencies.fit(["common"] * 10 + ["other"] * 90).frequencies[bucket_of("common")] == COMMON, "at 10 %"


@pytest.fixture(scope="module")
def known() -> WordFrequencies:
    """What is known of: "the" in all texts, "oil" in 5 %, "opec" in one of 200."""
    texts = ["the"] * 189 + ["the oil"] * 10 + ["the opec"]
    return WordFrequencies.fit(texts)


@pytest.mark.parametrize(
    ("text", "unseen", "ending"),
    [
        ("The oil of OPEC", 0.25, RARE_WORD),
        ("opec and oil", 1 / 3, COMMON_WORD),
        ("The, the", 0, FREQUENT_WORD),
        ("gold prices rise", 1, UNSEEN_WORD),
        ("the pric", 0.5, UNSEEN_WORD),
        ("the gold.", 0.5, PUNCTUATION),
        ("the gold)  \n", 0.5, PUNCTUATION),
        ("the gold'", 0.5, PUNCTUATION),
        ("oil at 40", 0.5, NO_WORD),
        ("oil at x86", 0.5, NO_WORD),
        ("1 2 3", np.nan, NO_WORD),
        ("...", np.nan, PUNCTUATION),
        ("the £", 0, NO_WORD),
        ("", np.nan, np.nan),
        (" \n\u3000", np.nan, np.nan),
        ("the \ud83d", 0, NO_WORD),
    ],
)
def test_columns(text, unseen, ending, known):
    # Between others, as all words of all texts are counted at once.
    frame = known.columns(["", "the gold", text, "", text])
    for row in (2, 4):
        assert frame["unseen_word_share"][row] == pytest.approx(unseen, nan_ok=True)
        assert frame["ending"][row] == pytest.approx(ending, nan_ok=True)
    assert frame["unseen_word_share"][1] == 0.5
    assert np.isnan(frame["ending"][[0, 3]]).all()
    assert set(frame.dtypes) == {np.dtype(np.float32)}


def test_no_texts(known):
    assert known.columns([]).shape == (0, 2)
    assert known.columns(["", ""]).isna().all(axis=None)
    assert not WordFrequencies.fit(["", "1 2"]).frequencies.any()


def test_what_is_remembered_is_bounded(monkeypatch, known):
    monkeypatch.setattr(words, "MAX_REMEMBERED", 30)
    several = WordFrequencies(known.frequencies)
    for number in range(100):
        texts = [f"the word{number}a{chr(97 + place)} oil gold" for place in range(5)]
        assert several.columns(texts)["unseen_word_share"].tolist() == pytest.approx([1 / 3] * 5)
        assert len(several._bucket) <= 30 + 8
