"""Words as evidence: what is new, gone, more or less frequent is named, and chance is not."""

import numpy as np
import pytest

from newsclf.drift import words
from newsclf.drift.words import KnownTerms, WordChange, compare, sentence, telling
from newsclf.features.terms import document_frequencies


def changes(news, texts, before=None, weights=None, labels=None):
    old = before if before is not None else news.texts(1500)
    known = KnownTerms.fit(old, labels, 3)
    return compare(document_frequencies(texts), len(texts), known, weights)


def test_what_is_new_and_what_is_gone_is_named(news):
    now = [text.replace("week", "fortnight") for text in news.texts(600)]
    found = changes(news, now)
    named = {change.term: change for change in telling(found)}
    assert {"fortnight", "week"} <= named.keys()
    assert named["fortnight"].now == named["week"].before or named["fortnight"].before == pytest.approx(2 / 1500)
    assert (named["week"].now, named["week"].before > 0.2) == (0.0, True)
    assert '"week" in 0.0% of the texts' in sentence(found)


def test_signs_and_case_are_seen(news):
    texts = news.texts(600)
    assert "!" in sentence(changes(news, [text.replace(".", "!") for text in texts]))
    assert "Oil" in sentence(changes(news, [text.replace("the", "Oil") for text in texts]))


def test_a_signature_in_one_text_of_twenty_is_seen(news):
    texts = [f"{text} Sent from my desk" if row % 20 == 0 else text for row, text in enumerate(news.texts(1000))]
    assert {"Sent", "my", "desk"} & {change.term for change in telling(changes(news, texts))}


def test_chance_is_no_change(news):
    alarms = sum(
        bool(found) and found[0].p_value <= 0.05 for found in (changes(news, news.texts(400)) for _ in range(20))
    )
    assert alarms <= 3


def test_other_class_shares_alone_are_no_change(news):
    before, labels = news.rows(1500)
    now, _ = news.rows(600, (0.8, 0.1, 0.1))
    index = np.array([("Business", "Sports", "World").index(label) for label in labels])
    weights = np.array([0.8, 0.1, 0.1]) * 3
    assert telling(changes(news, now, before, weights, index)) == []
    assert telling(changes(news, now, before, None, index))  # which they are, where nobody knows the classes


def test_texts_of_a_class_that_is_not_there_any_more(news):
    """The reference is worth as many texts as its other classes have."""
    before, labels = news.rows(1500)
    index = np.array([("Business", "Sports", "World").index(label) for label in labels])
    known = KnownTerms.fit(before, index, 3)
    _, _, worth = known.shares(np.array([1.0, 1.0, 1e-6]))
    assert worth == pytest.approx((index < 2).sum())


def test_terms_of_few_texts_are_not_kept():
    known = KnownTerms.fit(["oil rises", "oil falls", "oil waits", "gas", "gas"], None, 0)
    assert known.terms == ("oil",)
    assert known.texts.tolist() == [[3]]


def test_there_are_at_most_so_many_counts(monkeypatch):
    monkeypatch.setattr(words, "MAX_COUNTS", 6)
    known = KnownTerms.fit(["oil gas"] * 3 + ["oil"] * 3, np.array([0, 1] * 3), 2)
    assert known.terms[0] == "oil"
    assert known.texts.shape == (3, 2)
    assert known.texts[0].tolist() == [3, 3]
    assert len(KnownTerms.fit(["oil gas"] * 3 + ["oil"] * 3, np.array([0, 1, 2] * 2), 3).terms) == 2


def test_a_pair_is_named_by_its_word_where_the_word_says_it_all():
    def change(term: str, now: float) -> WordChange:
        return WordChange(term, 0.0, now, 1e-9)

    assert [one.term for one in telling([change("Reuters )", 0.11), change("Reuters", 0.1)])] == ["Reuters"]
    assert [one.term for one in telling([change("New York", 0.11), change("New", 0.02)])] == ["New York"]
    assert [one.term for one in telling([change("a b", 0.2), change("b c", 0.2), change("d", 0.1)])] == ["a b", "d"]
    assert telling([WordChange("oil", 0.1, 0.2, 0.02)]) == []


def test_a_speck_is_no_change():
    before, now = ["oil"] * 20 + ["gas"] * 99_980, ["oil"] * 120 + ["gas"] * 99_880
    known = KnownTerms.fit(before, None, 0)
    assert compare(document_frequencies(now), len(now), known, None) == []
